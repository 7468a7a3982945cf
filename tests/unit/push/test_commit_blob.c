/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

static struct ofs_draft *big_draft(struct world *w, uint8_t **ret, size_t len,
                                   const struct ofs_digest *aim)
{
    struct ofs_draft *d = NULL;
    uint8_t *bytes = malloc(len);

    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)(i * 7 + (i >> 11));
    check(w, ofs_draft_new(w->p, "app", &d, &w->err));
    if (aim || ret)
        ofs_draft_aim(d, aim);
    for (size_t off = 0; off < len; off += MIB)
        check(w,
              ofs_draft_write(d, &w->call, bytes + off,
                              len - off < MIB ? len - off : MIB, off, &w->err));
    *ret = bytes;
    return d;
}

static void a_blob_is_acknowledged_when_it_is_there(void **state)
{
    struct world w;
    struct ofs_digest digest = digest_of("hello", 5);

    (void)state;
    world_init(&w);
    check(&w, push_bytes(&w, "app", "hello"));
    assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &digest));
    assert_int_equal(w.n_arrived, 1);
    assert_int_equal(w.remote->n_uploads, 1);
    check(&w, push_bytes(&w, "app", "hello")); /* it is there */
    assert_int_equal(w.remote->n_uploads, 1);
    w.where = "app";
    check(&w, push_bytes(&w, "other", "hello"));
    assert_int_equal(w.remote->n_uploads, 1);
    assert_int_equal(w.remote->n_mounts, 1);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    world_done(&w);
}

static void a_wrong_digest_is_refused_before_anything_is_sent(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct ofs_digest other = digest_of("other", 5);
    struct world w;

    (void)state;
    world_init(&w);
    d = draft_of(&w, "app", "hello", 5);
    assert_int_equal(ofs_push_blob(w.p, &w.call, d, "app", &other, &w.err),
                     -EBADMSG);
    assert_int_equal(w.remote->steps, 0);
    assert_int_equal(pending(&w), 0);
    check(&w, ofs_draft_write(d, &w.call, "other", 5, 0, &w.err));
    check(&w, ofs_push_blob(w.p, &w.call, d, "app", &other, &w.err));
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

static void configurations_are_blobs_and_manifests_are_not(void **state)
{
    static const char *const blobs[] = {
        "{\"os\":\"linux\",\"config\":{\"Env\":[]}}",
        "{\"schemaVersion\":1,\"fsLayers\":[]}",
        "{}",
        "{\"config\":",
        " {\"name\":\"chart\"}",
    };
    struct world w;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < OFS_COUNT_OF(blobs); i++) {
        struct ofs_digest d = digest_of(blobs[i], strlen(blobs[i]));

        check(&w, push_bytes(&w, "app", blobs[i]));
        assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &d));
    }
    world_done(&w);
}

/* ---- while it is written ---- */

static void a_big_blob_is_sent_while_it_is_written(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTOFREE uint8_t *bytes = NULL;
    struct ofs_digest digest;
    struct ofs_sending now[4];
    struct world w;

    (void)state;
    world_init(&w);
    world_start(&w);
    d = big_draft(&w, &bytes, 9 * MIB + 5, NULL);
    while (w.remote->sent < 9 * MIB)
        (void)sched_yield();
    assert_int_equal(ofs_push_sending(w.p, now, 4), 1);
    assert_string_equal(now[0].repo, "app");
    assert_string_equal(now[0].what, "a blob");
    assert_int_equal(now[0].size, 9 * MIB + 5);
    digest = digest_of(bytes, 9 * MIB + 5);
    check(&w, ofs_push_blob(w.p, &w.call, d, "app", &digest, &w.err));
    assert_int_equal(w.remote->n_streams, 1);
    assert_int_equal(w.remote->n_uploads, 0);
    assert_int_equal(w.remote->sent, 9 * MIB + 5);
    assert_int_equal(ofs_push_sending(w.p, now, 4), 0);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

static void what_the_registry_has_is_not_sent(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTOFREE uint8_t *bytes = NULL, *again = NULL;
    struct ofs_digest digest;
    struct world w;

    (void)state;
    world_init(&w);
    d = big_draft(&w, &bytes, 5 * MIB, NULL);
    ofs_draft_unref(ofs_take(&d));
    digest = remote_put(w.remote, REMOTE_BLOB, "app", bytes, 5 * MIB);
    world_start(&w);
    d = big_draft(&w, &again, 5 * MIB, &digest);
    check(&w, ofs_push_blob(w.p, &w.call, d, "app", &digest, &w.err));
    assert_int_equal(w.remote->n_streams, 0);
    assert_int_equal(w.remote->sent, 0);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

/* Any trouble with the stream only means that the copy is sent. */
static void a_stream_that_breaks_is_started_over(void **state)
{
    (void)state;
    for (int step = 1; step <= 5; step++) {
        OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
        OFS_AUTOFREE uint8_t *bytes = NULL;
        struct ofs_digest digest;
        struct world w;

        world_init(&w);
        world_start(&w);
        w.remote->fail_code = -EIO;
        w.remote->fail_at = step;
        d = big_draft(&w, &bytes, 5 * MIB, NULL);
        digest = digest_of(bytes, 5 * MIB);
        check(&w, ofs_push_blob(w.p, &w.call, d, "app", &digest, &w.err));
        assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &digest));
        assert_int_equal(pending(&w), 0);
        ofs_draft_unref(ofs_take(&d));
        world_done(&w);
    }
}

static void a_byte_that_changes_spoils_the_stream(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTOFREE uint8_t *bytes = NULL;
    struct ofs_digest digest;
    struct world w;

    (void)state;
    world_init(&w);
    world_start(&w);
    d = big_draft(&w, &bytes, 5 * MIB, NULL);
    bytes[100] ^= 1;
    check(&w, ofs_draft_write(d, &w.call, bytes + 100, 1, 100, &w.err));
    digest = digest_of(bytes, 5 * MIB);
    check(&w, ofs_push_blob(w.p, &w.call, d, "app", &digest, &w.err));
    assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &digest));
    assert_int_equal(w.remote->n_uploads, 1);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

static void a_draft_without_aim_is_not_sent(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    OFS_AUTOFREE uint8_t *zero = calloc(1, 5 * MIB);
    struct world w;

    (void)state;
    world_init(&w);
    world_start(&w);
    d = draft_of(&w, "app", zero, 5 * MIB);
    assert_null(d->stream);
    ofs_draft_unref(ofs_take(&d));
    /* One that is thrown away ends its stream. */
    check(&w, ofs_draft_new(w.p, "app", &d, &w.err));
    ofs_draft_aim(d, NULL);
    check(&w, ofs_draft_write(d, &w.call, zero, 5 * MIB, 0, &w.err));
    assert_non_null(d->stream);
    ofs_draft_unref(ofs_take(&d));
    while (ofs_workers_busy(w.p->drafts.workers) > 0)
        (void)sched_yield();
    assert_int_equal(w.remote->n_things, 0);
    world_done(&w);
}

static void streams_are_bounded(void **state)
{
    enum { N = 12 };
    struct ofs_draft *d[N];
    OFS_AUTOFREE uint8_t *bytes = NULL;
    struct ofs_digest digest;
    struct world w;

    (void)state;
    world_init(&w);
    world_start(&w);
    for (int i = 0; i < N; i++) {
        free(ofs_take(&bytes));
        d[i] = big_draft(&w, &bytes, 4 * MIB, NULL);
    }
    assert_in_range(ofs_workers_busy(w.p->drafts.workers), 1, 8);
    digest = digest_of(bytes, 4 * MIB);
    for (int i = 0; i < N; i++) {
        check(&w, ofs_push_blob(w.p, &w.call, d[i], "app", &digest, &w.err));
        ofs_draft_unref(d[i]);
    }
    world_done(&w);
}

/* ---- failures ---- */

static void what_failed_is_pending_and_goes_on_later(void **state)
{
    struct world w;
    struct ofs_digest digest = digest_of("hello", 5);

    (void)state;
    world_init(&w);
    w.remote->fail_code = -ETIMEDOUT;
    w.remote->fail_at = 1;
    assert_int_equal(push_bytes(&w, "app", "hello"), -ETIMEDOUT);
    assert_int_equal(pending(&w), 1);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 1);
    world_reopen(&w);
    assert_int_equal(pending(&w), 1);
    world_start(&w);
    until_all_is_done(&w);
    assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &digest));
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    world_done(&w);
}

static void a_refusal_is_the_answer_and_leaves_nothing(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    w.remote->fail_code = -EDQUOT;
    w.remote->fail_at = 1;
    assert_int_equal(push_bytes(&w, "app", "hello"), -EDQUOT);
    assert_int_equal(pending(&w), 0);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    world_done(&w);
}

static void an_interrupted_one_is_replaced_by_the_next_try(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    ofs_call_cancel(&w.call);
    assert_int_equal(push_bytes(&w, "app", "hello"), -EINTR);
    assert_int_equal(pending(&w), 1);
    ofs_call_done(&w.call);
    ofs_call_init(&w.call, 60 * 1000);
    check(&w, push_bytes(&w, "app", "hello"));
    assert_int_equal(pending(&w), 0);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    assert_int_equal(staged(&w, w.p->stage.jobs_fd), 0);
    world_done(&w);
}

static void another_registrys_work_is_left_alone(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    w.remote->fail_code = -ETIMEDOUT;
    w.remote->fail_at = 1;
    assert_int_equal(push_bytes(&w, "app", "hello"), -ETIMEDOUT);
    world_close(&w);
    w.cfg.url = "https://another.test";
    assert_int_equal(world_open(&w), 0);
    assert_int_equal(pending(&w), 0);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 1);
    world_close(&w);
    w.cfg.url = URL;
    assert_int_equal(world_open(&w), 0);
    assert_int_equal(pending(&w), 1);
    world_done(&w);
}

/* ---- copies ---- */

static void a_copy_is_a_mount_and_else_an_upload(void **state)
{
    (void)state;
    for (int no_mount = 0; no_mount < 2; no_mount++) {
        OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
        struct ofs_clone of = { .repo = "from", .size = 5 };
        struct world w;

        world_init(&w);
        of.digest = remote_put(w.remote, REMOTE_BLOB, "from", "hello", 5);
        w.remote->no_mount = no_mount;
        check(&w, ofs_draft_new(w.p, "app", &d, &w.err));
        check(&w, ofs_draft_clone(d, &w.call, &of, 0, 5, 0, &w.err));
        check(&w, ofs_push_blob(w.p, &w.call, d, "app", &of.digest, &w.err));
        assert_true(remote_has(w.remote, REMOTE_BLOB, "app", &of.digest));
        assert_int_equal(w.remote->n_mounts, !no_mount);
        assert_int_equal(w.remote->sent, no_mount ? 5 : 0);
        ofs_draft_unref(ofs_take(&d));
        world_done(&w);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_blob_is_acknowledged_when_it_is_there),
        cmocka_unit_test(a_wrong_digest_is_refused_before_anything_is_sent),
        cmocka_unit_test(configurations_are_blobs_and_manifests_are_not),
        cmocka_unit_test(a_big_blob_is_sent_while_it_is_written),
        cmocka_unit_test(what_the_registry_has_is_not_sent),
        cmocka_unit_test(a_stream_that_breaks_is_started_over),
        cmocka_unit_test(a_byte_that_changes_spoils_the_stream),
        cmocka_unit_test(a_draft_without_aim_is_not_sent),
        cmocka_unit_test(streams_are_bounded),
        cmocka_unit_test(what_failed_is_pending_and_goes_on_later),
        cmocka_unit_test(a_refusal_is_the_answer_and_leaves_nothing),
        cmocka_unit_test(an_interrupted_one_is_replaced_by_the_next_try),
        cmocka_unit_test(another_registrys_work_is_left_alone),
        cmocka_unit_test(a_copy_is_a_mount_and_else_an_upload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
