/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LOCK_H
#define OFS_LOCK_H

/*
 * Ranked mutexes with scope guards.  A thread takes ranks in rising order
 * only; the enum below IS the lock order of the program.  The order is
 * asserted at each lock, in release builds too.
 */

#include "ocirfs/cleanup.h"

#include <assert.h>
#include <pthread.h>

enum ofs_rank {
    OFS_RANK_TREE = 10,     /* inode table and lookup counts */
    OFS_RANK_NODE = 20,     /* what the tree knows of repositories and tags */
    OFS_RANK_PUSH = 26,     /* what is to be pushed, and where it stands */
    OFS_RANK_DRAFT = 28,    /* one file that is being written, or its stream */
    OFS_RANK_IMAGE = 29,    /* unpacked blocks of layers */
    OFS_RANK_STORE = 30,    /* digest -> blob table */
    OFS_RANK_BLOB = 40,     /* one blob's chunk map */
    OFS_RANK_INFLIGHT = 50, /* single flights under way */
    OFS_RANK_REGISTRY = 55, /* health, redirect targets */
    OFS_RANK_TOKEN = 60,    /* bearer tokens */
    OFS_RANK_HTTP = 70,     /* the engine's submit queue */
    OFS_RANK_WORKERS = 75,  /* a work queue */
    OFS_RANK_CALL = 80,     /* a sleeping call (call.h) */
    OFS_RANK_LOG = 90,      /* log sink, error ring, metrics registry */
};

struct ofs_mutex {
    pthread_mutex_t m;
    enum ofs_rank rank;
};

#define OFS_MUTEX_INIT(r)                                                      \
    {                                                                          \
        .m = PTHREAD_MUTEX_INITIALIZER, .rank = (r)                            \
    }

extern _Thread_local int ofs_rank_held; /* highest rank this thread holds */

static inline void ofs_mutex_init(struct ofs_mutex *mtx, enum ofs_rank rank)
{
    (void)pthread_mutex_init(&mtx->m, NULL);
    mtx->rank = rank;
}

static inline void ofs_mutex_done(struct ofs_mutex *mtx)
{
    (void)pthread_mutex_destroy(&mtx->m);
}

struct ofs_guard {
    struct ofs_mutex *mtx;
    int below;
};

static inline struct ofs_guard ofs_guard_enter(struct ofs_mutex *mtx)
{
    struct ofs_guard g = { .mtx = mtx, .below = ofs_rank_held };
    int rc;

    assert((int)mtx->rank > g.below);
    rc = pthread_mutex_lock(&mtx->m);
    assert(rc == 0);
    (void)rc;
    ofs_rank_held = (int)mtx->rank;
    return g;
}

static inline void ofs_guard_leave(struct ofs_guard *g)
{
    ofs_rank_held = g->below;
    (void)pthread_mutex_unlock(&g->mtx->m);
}

#define OFS_GUARD_NAME_(line) ofs_guard_##line
#define OFS_GUARD_NAME(line)  OFS_GUARD_NAME_(line)

/* Hold `mtx` until the end of the enclosing block. */
#define OFS_GUARD(mtx)                                                         \
    OFS_AUTO(ofs_guard_leave)                                                  \
    __attribute__((unused)) struct ofs_guard OFS_GUARD_NAME(__LINE__) =        \
        ofs_guard_enter(mtx)

/* Call where a thread may block for long: network, a child process. */
static inline void ofs_assert_unlocked(void)
{
    assert(ofs_rank_held == 0);
}

#endif
