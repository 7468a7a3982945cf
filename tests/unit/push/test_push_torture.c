/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

/*
 * The n-th allocation fails, or the n-th change of the disk, for every n.
 * What was said is true all the same, and the same push works afterwards.
 * (tests/CMakeLists.txt has the linker send these calls here.)
 */

enum fault { NO_FAULT, MEMORY, DISK };

/* Threads of the store allocate, too. */
static _Atomic enum fault armed;
static _Atomic int left; /* until it fails; 0: it has */

static bool fails(enum fault kind)
{
    int n = left;

    while (armed == kind && n > 0)
        if (atomic_compare_exchange_weak(&left, &n, n - 1))
            return n == 1;
    return false;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);
ssize_t __real_pwrite64(int fd, const void *buf, size_t len, off_t off);
int __real_renameat(int from, const char *a, int to, const char *b);
int __real_fsync(int fd);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off);
int __wrap_renameat(int from, const char *a, int to, const char *b);
int __wrap_fsync(int fd);

void *__wrap_malloc(size_t size)
{
    return fails(MEMORY) ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails(MEMORY) ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s)
{
    return fails(MEMORY) ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails(MEMORY) ? NULL : __real_strndup(s, n);
}

static int full(void)
{
    errno = ENOSPC;
    return -1;
}

/* Half of it is written before the disk is full. */
ssize_t __wrap_pwrite64(int fd, const void *buf, size_t len, off_t off)
{
    if (!fails(DISK))
        return __real_pwrite64(fd, buf, len, off);
    (void)!__real_pwrite64(fd, buf, len / 2, off);
    return full();
}

int __wrap_renameat(int from, const char *a, int to, const char *b)
{
    return fails(DISK) ? full() : __real_renameat(from, a, to, b);
}

int __wrap_fsync(int fd)
{
    return fails(DISK) ? full() : __real_fsync(fd);
}

/* ---- what is pushed ---- */

typedef int flow(struct world *w, const struct image *m);

static int as_skopeo(struct world *w, const struct image *m)
{
    const struct image *const all[] = { m, NULL };
    const char *const tags[] = { "1", NULL };
    int r = push_blobs(w, "app", m);

    if (r == 0)
        r = push_bytes(w, "app", m->manifest);
    return r < 0 ? r : push_index(w, "app", all, tags);
}

static int backwards(struct world *w, const struct image *m)
{
    const struct image *const all[] = { m, NULL };
    const char *const tags[] = { "1", NULL };
    int r = push_index(w, "app", all, tags);

    if (r == 0)
        r = push_bytes(w, "app", m->manifest);
    return r < 0 ? r : push_blobs(w, "app", m);
}

static int as_tag(struct world *w, const struct image *m)
{
    w->where = "base";
    return push_tag(w, "app", "1", m->manifest);
}

static int as_copy(struct world *w, const struct image *m)
{
    w->remote->no_mount = true;
    return ofs_push_copy(w->p, &w->call, "base", &m->digest, "app", "1",
                         &w->err);
}

/* False: there is no n-th. */
static bool fail_nth(flow *push, enum fault fault, int n)
{
    struct world w;
    struct image m;
    bool was_hit;
    int r;

    world_init(&w);
    image_make(&m, "a");
    image_put(&w, &m, "base", NULL);
    armed = fault;
    left = n;
    r = push(&w, &m);
    was_hit = left == 0;
    armed = NO_FAULT;
    assert_true(r == 0 || r == -ENOMEM || r == -ENOSPC);
    assert_true(r < 0 || has_tag(&w, "app", "1", &m));
    world_reopen(&w);
    check(&w, push(&w, &m));
    assert_true(has_tag(&w, "app", "1", &m));
    world_start(&w); /* for what the failed one left */
    until_all_is_done(&w);
    world_done(&w);
    return was_hit;
}

static void fail_each(enum fault fault)
{
    static flow *const flows[] = { as_skopeo, backwards, as_tag, as_copy };

    for (size_t i = 0; i < OFS_COUNT_OF(flows); i++) {
        int n = 1;

        while (fail_nth(flows[i], fault, n))
            n++;
        assert_true(n > 3);
    }
}

static void any_allocation_may_fail(void **state)
{
    (void)state;
    fail_each(MEMORY);
}

static void the_disk_may_be_full_at_any_moment(void **state)
{
    (void)state;
    fail_each(DISK);
}

/* A hole behind a failed write is zeros, not what the disk had taken. */
static void a_failed_write_leaves_nothing(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct world w;
    char got[16];
    size_t n = 0;

    (void)state;
    world_init(&w);
    d = draft_of(&w, "app", "ab", 2);
    armed = DISK;
    left = 1;
    assert_int_equal(ofs_draft_write(d, &w.call, "XXXXXX", 6, 2, &w.err),
                     -ENOSPC);
    armed = NO_FAULT;
    assert_int_equal(ofs_draft_size(d), 2);
    check(&w, ofs_draft_write(d, &w.call, "z", 1, 5, &w.err));
    check(&w, ofs_draft_read(d, &w.call, got, sizeof(got), 0, &n, &w.err));
    assert_int_equal(n, 6);
    assert_memory_equal(got, "ab\0\0\0z", 6);
    ofs_draft_unref(ofs_take(&d));
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_allocation_may_fail),
        cmocka_unit_test(the_disk_may_be_full_at_any_moment),
        cmocka_unit_test(a_failed_write_leaves_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
