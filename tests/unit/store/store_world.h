/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STORE_WORLD_H
#define OFS_STORE_WORLD_H

/*
 * What the tests of the store share: a store in a directory that goes away,
 * and readers of a fake source.
 */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "store_fake.h"
#include "store_priv.h"

#include <fcntl.h>
#include <ftw.h>
#include <pthread.h>
#include <sched.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* ---- a store in a directory of its own ---- */

struct world {
    char dir[64];
    struct ofs_store_cfg cfg;
    struct ofs_store_tweaks tweaks;
    struct ofs_store *s;
};

UNUSED static void world_open(struct world *w)
{
    struct ofs_err err = { 0 };

    w->cfg.dir = w->dir;
    if (ofs_store_open_tweaked(&w->cfg, &w->tweaks, &w->s, &err) < 0 ||
        ofs_store_start(w->s, &err) < 0)
        fail_msg("%s", err.text);
}

UNUSED static void world_close(struct world *w)
{
    ofs_store_stop(w->s);
    ofs_store_free(w->s);
    w->s = NULL;
}

UNUSED static void world_reopen(struct world *w)
{
    world_close(w);
    world_open(w);
}

/* Memory is quicker; containers often have little of it there. */
UNUSED static const char *place_for_worlds(void)
{
    struct statvfs v;

    if (statvfs("/dev/shm", &v) == 0 && access("/dev/shm", W_OK) == 0 &&
        (uint64_t)v.f_bavail * v.f_frsize > 1024 * MIB)
        return "/dev/shm";
    return "/tmp";
}

UNUSED static void world_make_dir(struct world *w)
{
    const char *tmp = place_for_worlds();

    (void)snprintf(w->dir, sizeof(w->dir), "%s/ofs-store-XXXXXX", tmp);
    assert_non_null(mkdtemp(w->dir));
}

UNUSED static void world_init(struct world *w)
{
    world_make_dir(w);
    world_open(w);
}

UNUSED static int remove_one(const char *path, const struct stat *st, int type,
                             struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

UNUSED static void world_done(struct world *w)
{
    if (w->s)
        world_close(w);
    (void)nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

/* For cfg.clock: time passes when the test says so. */
struct clock {
    struct ofs_clock base;
    _Atomic int64_t ms;
};

UNUSED static int64_t clock_ms(const struct ofs_clock *c)
{
    return atomic_load(&((const struct clock *)c)->ms);
}

/* ---- readers ---- */

UNUSED static struct ofs_blob *blob_open(struct world *w, struct fake *f)
{
    struct ofs_blob *b = NULL;
    struct ofs_err err = { 0 };

    if (ofs_store_open_blob(w->s, &f->digest, f->size, &f->base, &b, &err) < 0)
        fail_msg("%s", err.text);
    return b;
}

/* Read and compare: 0, a negative errno, or 1 when the bytes are wrong. */
UNUSED static int try_read(struct ofs_blob *b, const struct fake *f,
                           uint64_t off, size_t len, int64_t timeout_ms)
{
    OFS_AUTOFREE char *buf = malloc(len + 1);
    struct ofs_err err = { 0 };
    struct ofs_call call;
    size_t n = 0, want;
    int r;

    ofs_call_init(&call, timeout_ms);
    r = ofs_blob_read(b, &call, buf, len, off, &n, &err);
    ofs_call_done(&call);
    if (r < 0)
        return r;
    want = off >= f->size        ? 0
           : len > f->size - off ? (size_t)(f->size - off)
                                 : len;
    return n != want || memcmp(buf, f->data + off, n) != 0;
}

UNUSED static int read_at(struct ofs_blob *b, const struct fake *f,
                          uint64_t off, size_t len)
{
    return try_read(b, f, off, len, 60 * 1000);
}

/* From `off` up to `end` in steps; the first result that is not 0. */
UNUSED static int read_through(struct ofs_blob *b, const struct fake *f,
                               uint64_t off, uint64_t end, size_t step)
{
    int r = 0;

    for (; r == 0 && off < end; off += step)
        r = read_at(b, f, off, end - off < step ? (size_t)(end - off) : step);
    return r;
}

UNUSED static int read_all(struct ofs_blob *b, const struct fake *f)
{
    return read_through(b, f, 0, f->size, 128 * KIB);
}

/* One read on a thread of its own. */
struct other_read {
    pthread_t thread;
    struct ofs_blob *blob;
    const struct fake *fake;
    uint64_t off;
    size_t len;
    struct ofs_call call;
    struct ofs_err err;
    int result;
};

UNUSED static void *other_run(void *arg)
{
    struct other_read *r = arg;
    OFS_AUTOFREE char *buf = malloc(r->len);
    size_t n = 0;

    r->result =
        ofs_blob_read(r->blob, &r->call, buf, r->len, r->off, &n, &r->err);
    if (r->result == 0)
        r->result = n != r->len || memcmp(buf, r->fake->data + r->off, n) != 0;
    return NULL;
}

UNUSED static void other_start(struct other_read *r, struct ofs_blob *b,
                               const struct fake *f, uint64_t off, size_t len)
{
    *r = (struct other_read){ .blob = b, .fake = f, .off = off, .len = len };
    ofs_call_init(&r->call, OFS_NEVER);
    assert_int_equal(pthread_create(&r->thread, NULL, other_run, r), 0);
}

UNUSED static int other_end(struct other_read *r)
{
    assert_int_equal(pthread_join(r->thread, NULL), 0);
    ofs_call_done(&r->call);
    return r->result;
}

/* Wait for bytes that do not come, until `n` requests stand still; then give
 * up.  What was begun for this read goes on without it. */
UNUSED static void read_and_leave(struct ofs_blob *b, struct fake *f,
                                  uint64_t off, size_t len, unsigned n)
{
    struct other_read r;

    other_start(&r, b, f, off, len);
    fake_wait_stalled(f, n);
    ofs_call_cancel(&r.call);
    assert_int_equal(other_end(&r), -EINTR);
}

/* Open, read all, close. */
UNUSED static int fetch_all(struct world *w, struct fake *f)
{
    struct ofs_blob *b = blob_open(w, f);
    int r = read_all(b, f);

    ofs_blob_close(b);
    return r;
}

/* The same of what nobody has in memory any more: a thread that fetched or
 * hashed lets go of an object a moment after its reader has. */
UNUSED static int fetch_all_anew(struct world *w, struct fake *f)
{
    struct ofs_store_stat st = { .n_open = 1 };

    for (; st.n_open > 0; (void)sched_yield())
        ofs_store_stat(w->s, &st);
    return fetch_all(w, f);
}

#endif
