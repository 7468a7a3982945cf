/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * kill -9 at each step of a push: before and after each effect on the
 * registry, and before and after each change of a name in the staging area.
 * Then another mount: either the tag is there, whole, or it is pending and
 * comes by itself, or nobody was told that it would.
 */

/* Names change by these only; a step of their own, if a child counts. */
static struct fake_remote *counting;

static void disk_step(void)
{
    if (counting)
        (void)remote_step(counting, NULL);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    long r;

    disk_step();
    r = syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
    disk_step();
    return (int)r;
}

int unlinkat(int fd, const char *path, int flags)
{
    long r;

    disk_step();
    r = syscall(SYS_unlinkat, fd, path, flags);
    disk_step();
    return (int)r;
}

enum way {
    SKOPEO,    /* blobs, manifest, index.json */
    BACKWARDS, /* index.json, manifest, blobs */
    TAG_FILE,  /* blobs, then the tag */
    COPY,      /* from another repository */
    WAYS
};

/* Bits of a byte that the child leaves behind: what it was told. */
enum told { TOLD_PARTS = 1, TOLD_ALL = 2 };

static int do_push(struct world *w, enum way way, const struct image *m)
{
    const struct image *const all[] = { m, NULL };
    const char *const tags[] = { "1", NULL };
    int r = 0;

    if (way == COPY) {
        r = ofs_push_copy(w->p, &w->call, "base", &m->digest, "app", "1",
                          &w->err);
    } else if (way == TAG_FILE) {
        r = push_blobs(w, "app", m);
        if (r == 0)
            r = push_tag(w, "app", "1", m->manifest);
    } else if (way == SKOPEO) {
        r = push_blobs(w, "app", m);
        if (r == 0)
            r = push_bytes(w, "app", m->manifest);
        if (r == 0)
            r = push_index(w, "app", all, tags);
    } else {
        r = push_index(w, "app", all, tags);
        if (r == 0)
            r = push_bytes(w, "app", m->manifest);
        if (r == 0)
            atomic_fetch_or(&w->remote->told, TOLD_PARTS);
        if (r == 0)
            r = push_blobs(w, "app", m);
    }
    if (r == 0)
        atomic_fetch_or(&w->remote->told, TOLD_ALL);
    return r;
}

/* True: it was killed; false: there are no more steps. */
static bool run_child(struct world *w, enum way way, const struct image *m,
                      int kill_at)
{
    int status = -1;
    pid_t pid = fork();

    if (pid == 0) {
        if (world_open(w) < 0)
            _exit(98);
        w->remote->steps = 0;
        w->remote->kill_at = kill_at;
        counting = w->remote;
        _exit(do_push(w, way, m) == 0 ? 0 : 99);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    w->remote->kill_at = 0;
    if (WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL)
        return true;
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    return false;
}

static bool is_whole(struct world *w, const struct image *m)
{
    struct fake_remote *f = w->remote;

    return remote_has(f, REMOTE_MANIFEST, "app", &m->digest) &&
           remote_has(f, REMOTE_BLOB, "app", &m->config_digest) &&
           remote_has(f, REMOTE_BLOB, "app", &m->layer_digest);
}

static void settle_pending(struct world *w)
{
    int64_t until = ofs_mono_ms() + 30 * 1000;

    world_start(w);
    for (;;) {
        bool again = false;

        {
            OFS_GUARD(&w->p->jobs.queue.mtx);
            for (struct ofs_job *j = w->p->jobs.queue.jobs; j; j = j->next)
                again = again || j->state == OFS_JOB_LEFT ||
                        j->state == OFS_JOB_RETRY ||
                        j->state == OFS_JOB_RUNNING;
        }
        if (!again)
            return;
        assert_true(ofs_mono_ms() < until);
        (void)sched_yield();
    }
}

static void check_after(struct world *w, enum way way, const struct image *m)
{
    unsigned told = w->remote->told;
    bool was_set = has_tag(w, "app", "1", m);

    assert_true(!was_set || is_whole(w, m));
    if (told & TOLD_ALL)
        assert_true(was_set);
    check(w, world_open(w));
    settle_pending(w);
    assert_true(!has_tag(w, "app", "1", m) || is_whole(w, m));
    /* What was promised is finished by whoever brings the parts. */
    if (told & TOLD_PARTS) {
        check(w, push_blobs(w, "app", m));
        assert_true(has_tag(w, "app", "1", m));
    }
    /* And the same again, from the beginning, works in any case. */
    check(w, do_push(w, way, m));
    assert_true(has_tag(w, "app", "1", m));
    until_all_is_done(w);
}

static void kill_at_each_step(enum way way)
{
    struct image m;
    bool killed = true;
    int n = 0;

    image_make(&m, "a");
    for (int kill_at = 1; killed; kill_at++) {
        struct world w;

        world_make(&w);
        if (way == COPY)
            image_put(&w, &m, "base", NULL);
        killed = run_child(&w, way, &m, kill_at);
        n += killed;
        check_after(&w, way, &m);
        world_done(&w);
    }
    assert_true(n > 15);
}

static void killed_like_skopeo(void **state)
{
    (void)state;
    kill_at_each_step(SKOPEO);
}

static void killed_with_the_index_first(void **state)
{
    (void)state;
    kill_at_each_step(BACKWARDS);
}

static void killed_while_a_tag_file_is_closed(void **state)
{
    (void)state;
    kill_at_each_step(TAG_FILE);
}

static void killed_while_copying(void **state)
{
    (void)state;
    kill_at_each_step(COPY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_like_skopeo),
        cmocka_unit_test(killed_with_the_index_first),
        cmocka_unit_test(killed_while_a_tag_file_is_closed),
        cmocka_unit_test(killed_while_copying),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
