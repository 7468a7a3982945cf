/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PUSH_WORLD_H
#define OFS_PUSH_WORLD_H

/* What the tests of push share: a staging area and a cache in a directory that
 * goes away, over the registry of fake_remote.h. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_writes.h"

#include <fcntl.h>
#include <ftw.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#define URL "https://registry.test"
#define MIB ((size_t)1024 * 1024)

struct world {
    char dir[64];
    struct ofs_push_cfg cfg; /* dir, registry, store are filled in */
    struct fake_remote *remote;
    struct ofs_store *store;
    struct ofs_push *p;
    struct ofs_call call;
    struct ofs_err err;

    /* what the hooks say and were told */
    const char *where; /* one repository that has everything; or NULL */
    int may_move;      /* its answer */
    atomic_uint n_published, n_arrived, n_asked;
    char last[256]; /* "repo:tag" that was published last */
    const char *known_tag;
    struct ofs_digest known_digest;
};

UNUSED static int world_where(void *arg, const struct ofs_digest *digest,
                              struct ofs_strv *ret)
{
    struct world *w = arg;

    (void)digest;
    return w->where ? ofs_strv_add(ret, w->where) : 0;
}

UNUSED static void world_published(void *arg, const char *repo, const char *tag,
                                   const struct ofs_digest *digest,
                                   uint64_t size, const char *media_type)
{
    struct world *w = arg;

    (void)digest;
    (void)size;
    (void)media_type;
    atomic_fetch_add(&w->n_published, 1);
    OFS_GUARD(&remote_mtx);
    (void)snprintf(w->last, sizeof(w->last), "%s:%s", repo, tag ? tag : "");
}

UNUSED static void world_arrived(void *arg, const char *repo,
                                 const struct ofs_digest *digest, uint64_t size)
{
    struct world *w = arg;

    (void)repo;
    (void)digest;
    (void)size;
    atomic_fetch_add(&w->n_arrived, 1);
}

UNUSED static int world_tag_names(void *arg, const char *repo, const char *tag,
                                  struct ofs_digest *ret)
{
    struct world *w = arg;

    (void)repo;
    if (!w->known_tag || strcmp(w->known_tag, tag) != 0)
        return -ENOENT;
    *ret = w->known_digest;
    return 0;
}

UNUSED static int world_may_move(void *arg, struct ofs_call *call,
                                 const char *repo, const char *tag,
                                 const struct ofs_digest *old,
                                 struct ofs_err *err)
{
    struct world *w = arg;

    (void)call;
    (void)repo;
    (void)tag;
    (void)old;
    atomic_fetch_add(&w->n_asked, 1);
    return w->may_move < 0 ? ofs_err_set(err, w->may_move, "immutable") : 0;
}

/* The lower half is there; without threads. */
UNUSED static int world_open(struct world *w)
{
    char stage[96], cache[96];
    const struct ofs_store_cfg store = { .dir = cache };

    (void)snprintf(stage, sizeof(stage), "%s/stage", w->dir);
    (void)snprintf(cache, sizeof(cache), "%s/cache", w->dir);
    if (ofs_store_open(&store, &w->store, &w->err) < 0 ||
        ofs_store_start(w->store, &w->err) < 0)
        return w->err.code;
    w->cfg.dir = stage;
    w->cfg.url = w->cfg.url ? w->cfg.url : URL;
    w->cfg.store = w->store;
    w->cfg.registry = (struct ofs_registry *)w->remote;
    w->cfg.hooks = (struct ofs_push_hooks){
        .where = world_where,
        .published = world_published,
        .arrived = world_arrived,
        .tag_names = world_tag_names,
        .may_move = world_may_move,
        .arg = w,
    };
    return ofs_push_open(&w->cfg, &w->p, &w->err);
}

UNUSED static void world_close(struct world *w)
{
    ofs_push_free(w->p);
    ofs_store_stop(w->store);
    ofs_store_free(w->store);
    w->p = NULL;
    w->store = NULL;
}

UNUSED static void world_make(struct world *w)
{
    struct statvfs v;
    bool memory = statvfs("/dev/shm", &v) == 0 &&
                  access("/dev/shm", W_OK) == 0 &&
                  (uint64_t)v.f_bavail * v.f_frsize > 1024 * MIB;

    *w = (struct world){ 0 };
    (void)snprintf(w->dir, sizeof(w->dir), "%s/ofs-push-XXXXXX",
                   memory ? "/dev/shm" : "/tmp");
    assert_non_null(mkdtemp(w->dir));
    w->remote = remote_new();
    ofs_call_init(&w->call, 60 * 1000);
}

UNUSED static void world_init(struct world *w)
{
    world_make(w);
    if (world_open(w) < 0)
        fail_msg("%s", w->err.text);
}

UNUSED static void world_reopen(struct world *w)
{
    world_close(w);
    if (world_open(w) < 0)
        fail_msg("%s", w->err.text);
}

UNUSED static void world_start(struct world *w)
{
    if (ofs_push_start(w->p, &w->err) < 0)
        fail_msg("%s", w->err.text);
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
    if (w->p)
        world_close(w);
    (void)nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    ofs_call_done(&w->call);
    remote_free(w->remote);
}

/* ---- drafts and what is in them ---- */

UNUSED static struct ofs_draft *draft_of(struct world *w, const char *repo,
                                         const void *bytes, size_t len)
{
    struct ofs_draft *d = NULL;

    if (ofs_draft_new(w->p, repo, &d, &w->err) < 0 ||
        ofs_draft_write(d, &w->call, bytes, len, 0, &w->err) < 0)
        fail_msg("%s", w->err.text);
    return d;
}

UNUSED static struct ofs_digest digest_of(const void *bytes, size_t len)
{
    struct ofs_digest d;

    if (ofs_digest_of(OFS_SHA256, bytes, len, &d) < 0)
        abort();
    return d;
}

UNUSED static void check(const struct world *w, int r)
{
    if (r < 0)
        fail_msg("%d: %s", r, w->err.text);
}

#endif
