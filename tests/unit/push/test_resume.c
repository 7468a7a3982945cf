/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

/* What failed is tried again while the mount goes on. */

/* A running mount that does not wait for seconds. */
static void world_run(struct world *w)
{
    world_init(w);
    w->p->jobs.queue.first_pause_ms = 1;
    world_start(w);
}

static void fail_from_here(struct world *w, int code, int times)
{
    w->remote->fail_code = code;
    w->remote->fail_at = w->remote->steps + 1;
    w->remote->fail_for = times - 1;
}

static void pending_text(struct world *w, struct ofs_buf *text)
{
    ofs_buf_reset(text);
    assert_int_equal(ofs_push_render_pending(w->p, text), 0);
    (void)ofs_buf_str(text);
}

/* proves S90 */
static void a_blob_goes_on_by_itself(void **state)
{
    static const int codes[] = { -EIO, -EBUSY, -ETIMEDOUT, -EHOSTUNREACH };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(codes); i++) {
        struct ofs_digest digest = digest_of("hello", 5);
        struct world w;

        world_run(&w);
        fail_from_here(&w, codes[i], 4);
        assert_int_equal(push_bytes(&w, "app", "hello"), codes[i]);
        until_all_is_done(&w);
        assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &digest));
        world_done(&w);
    }
}

static void a_tag_goes_on_by_itself(void **state)
{
    struct world w;
    struct image a, b;

    (void)state;
    world_run(&w);
    image_make(&a, "a");
    image_make(&b, "b");
    image_put(&w, &a, "app", "1");
    image_put(&w, &b, "app", NULL);
    fail_from_here(&w, -EBUSY, 6);
    assert_int_equal(push_tag(&w, "app", "1", b.manifest), -EBUSY);
    until_all_is_done(&w);
    assert_true(has_tag(&w, "app", "1", &b));
    world_done(&w);
}

/* proves S91 */
static void pending_says_when_it_is_tried_next(void **state)
{
    struct ofs_buf text OFS_AUTOBUF = OFS_BUF_INIT(4096);
    struct world w;

    (void)state;
    world_init(&w);
    fail_from_here(&w, -EIO, 100);
    assert_int_equal(push_bytes(&w, "app", "hello"), -EIO);
    pending_text(&w, &text);
    assert_non_null(strstr(text.data, ": told to fail; tried again in "));
    world_reopen(&w);
    pending_text(&w, &text);
    assert_non_null(strstr(text.data, ": left over, to be tried again now\n"));
    world_start(&w);
    while (!strstr(text.data, ": told to fail; tried again in "))
        pending_text(&w, &text);
    world_done(&w);
}

/* proves S91 */
static void what_was_given_up_stays_for_the_next_mount(void **state)
{
    struct ofs_buf text OFS_AUTOBUF = OFS_BUF_INIT(4096);
    struct world w;

    (void)state;
    world_run(&w);
    ofs_call_cancel(&w.call);
    assert_int_equal(push_bytes(&w, "app", "hello"), -EINTR);
    assert_int_equal(ofs_jobqueue_next_due(&w.p->jobs.queue), OFS_NEVER);
    pending_text(&w, &text);
    assert_non_null(strstr(text.data, "; tried again by the next mount"));
    world_reopen(&w);
    world_start(&w);
    until_all_is_done(&w);
    world_done(&w);
}

/* Its writer has it open, and may change it yet. */
static void what_is_still_open_is_left_alone(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct ofs_digest digest = digest_of("hello", 5);
    struct ofs_err why = { 0 };
    struct world w;

    (void)state;
    world_init(&w);
    w.p->jobs.queue.first_pause_ms = 0;
    check(&w, write_draft(&w, "app", "hello", &d));
    fail_from_here(&w, -EIO, 1);
    assert_int_equal(ofs_push_blob(w.p, &w.call, d, "app", &digest, &w.err),
                     -EIO);
    assert_null(ofs_jobqueue_take_retry(&w.p->jobs.queue, &w.call, &why));
    assert_int_equal(pending(&w), 1);
    world_start(&w);
    ofs_draft_unref(ofs_take(&d));
    until_all_is_done(&w);
    world_done(&w);
}

/* ---- what another mount has left ---- */

/* Its staging area lies beside ours, in w->dir. */
static void open_beside(struct world *w, struct ofs_push **ret)
{
    struct ofs_push_cfg cfg = w->cfg;
    char dir[96];

    (void)snprintf(dir, sizeof(dir), "%s/beside", w->dir);
    cfg.dir = dir;
    check(w, ofs_push_open(&cfg, ret, &w->err));
}

/* Two jobs that have content, and one that has none, fail in another mount. */
static void leave_beside(struct world *w, const struct image *m)
{
    const struct image *const all[] = { m, NULL };
    const char *const tags[] = { "1.5", NULL };
    struct ofs_push *mine = w->p;

    open_beside(w, &w->p);
    check(w, push_index(w, "app", all, tags));
    check(w, push_bytes(w, "app", m->manifest));
    fail_from_here(w, -EIO, 1);
    assert_int_equal(push_bytes(w, "app", m->layer), -EIO);
    assert_int_equal(pending(w), 3);
    ofs_push_free(w->p);
    w->p = mine;
}

static size_t left_beside(struct world *w)
{
    struct ofs_push *p = NULL;
    size_t n;

    open_beside(w, &p);
    n = staged(w, p->stage.files_fd) + staged(w, p->stage.jobs_fd);
    ofs_push_free(p);
    return n;
}

static void world_with_others(struct world *w)
{
    world_make(w);
    w->cfg.others = w->dir;
    check(w, world_open(w));
}

/* proves S92 */
static void what_a_mount_elsewhere_left_is_gone_on_with(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_with_others(&w);
    image_make(&m, "a");
    leave_beside(&w, &m);
    world_start(&w);
    while (pending(&w) != 2) /* the layer is there, the rest waits */
        (void)sched_yield();
    check(&w, push_bytes(&w, "app", m.config));
    until_all_is_done(&w);
    assert_true(has_tag(&w, "app", "1.5", &m));
    assert_int_equal(left_beside(&w), 0);
    world_done(&w);
}

static void a_mount_that_lives_keeps_what_is_its(void **state)
{
    struct ofs_push *p = NULL;
    struct world w;
    struct image m;

    (void)state;
    world_with_others(&w);
    image_make(&m, "a");
    leave_beside(&w, &m);
    open_beside(&w, &p);
    ofs_inherit(&w.p->jobs, w.dir);
    assert_int_equal(pending(&w), 0);
    ofs_push_free(p);
    ofs_inherit(&w.p->jobs, w.dir);
    assert_int_equal(pending(&w), 3);
    ofs_inherit(&w.p->jobs, w.dir);
    assert_int_equal(pending(&w), 3);
    world_done(&w);
}

static void another_registrys_is_left_where_it_is(void **state)
{
    struct world w;
    struct image m;

    (void)state;
    world_with_others(&w);
    image_make(&m, "a");
    leave_beside(&w, &m);
    world_close(&w);
    w.cfg.url = "https://another.test";
    check(&w, world_open(&w));
    ofs_inherit(&w.p->jobs, w.dir);
    assert_int_equal(pending(&w), 0);
    w.cfg.url = URL;
    assert_int_equal(left_beside(&w), 5);
    world_done(&w);
}

/* Killed between the new record and the end of the old one. */
static void what_is_in_both_is_done_once(void **state)
{
    struct ofs_push *p = NULL;
    struct world w;
    struct image m;

    (void)state;
    world_with_others(&w);
    image_make(&m, "a");
    leave_beside(&w, &m);
    assert_int_equal(push_bytes(&w, "app", m.manifest), 0);
    assert_int_equal(pending(&w), 1);
    ofs_inherit(&w.p->jobs, w.dir);
    assert_int_equal(pending(&w), 3);
    assert_int_equal(staged(&w, w.p->stage.jobs_fd), 3);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 2);
    open_beside(&w, &p);
    assert_int_equal(staged(&w, p->stage.jobs_fd), 0);
    ofs_push_free(p);
    world_done(&w);
}

/* ---- what is newer has the last word ---- */

struct late {
    pthread_t newer;
    struct world *w;
    atomic_bool tried, was_overtaken;
};

/* The older one is told to give up, and takes its time. */
static int dawdle(void *arg, struct ofs_call *call, const char *repo,
                  const char *tag, const struct ofs_digest *old,
                  struct ofs_err *err)
{
    struct late *l = arg;
    unsigned puts = atomic_load(&l->w->remote->n_puts);
    int64_t until = ofs_mono_ms() + 50;

    (void)repo;
    (void)tag;
    (void)old;
    (void)err;
    if (pthread_equal(pthread_self(), l->newer))
        return 0;
    atomic_store(&l->tried, true);
    while (ofs_call_check(call, NULL) == 0)
        (void)sched_yield();
    while (atomic_load(&l->w->remote->n_puts) == puts && ofs_mono_ms() < until)
        (void)sched_yield();
    atomic_store(&l->was_overtaken, atomic_load(&l->w->remote->n_puts) != puts);
    return 0;
}

static void an_older_try_does_not_have_the_last_word(void **state)
{
    struct image a, b, old;
    struct late l = { .newer = pthread_self() };
    struct world w;

    (void)state;
    world_init(&w);
    l.w = &w;
    image_make(&old, "old");
    image_make(&a, "a");
    image_make(&b, "b");
    image_put(&w, &old, "app", "1");
    image_put(&w, &a, "app", NULL);
    image_put(&w, &b, "app", NULL);
    fail_from_here(&w, -EIO, 100);
    assert_int_equal(push_tag(&w, "app", "1", a.manifest), -EIO);
    w.remote->fail_at = 0;
    w.p->cfg.hooks.may_move = dawdle;
    w.p->cfg.hooks.arg = &l;
    w.p->cfg.hooks.published = NULL;
    w.p->cfg.hooks.where = NULL;
    world_start(&w);
    while (!atomic_load(&l.tried))
        (void)sched_yield();
    check(&w, push_tag(&w, "app", "1", b.manifest));
    until_all_is_done(&w);
    assert_false(atomic_load(&l.was_overtaken));
    assert_true(has_tag(&w, "app", "1", &b));
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blob_goes_on_by_itself),
        cmocka_unit_test(a_tag_goes_on_by_itself),
        cmocka_unit_test(pending_says_when_it_is_tried_next),
        cmocka_unit_test(what_was_given_up_stays_for_the_next_mount),
        cmocka_unit_test(what_is_still_open_is_left_alone),
        cmocka_unit_test(what_a_mount_elsewhere_left_is_gone_on_with),
        cmocka_unit_test(a_mount_that_lives_keeps_what_is_its),
        cmocka_unit_test(another_registrys_is_left_where_it_is),
        cmocka_unit_test(what_is_in_both_is_done_once),
        cmocka_unit_test(an_older_try_does_not_have_the_last_word),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
