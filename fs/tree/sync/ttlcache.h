/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TTLCACHE_H
#define OFS_TTLCACHE_H

/*
 * Answers by key: asked for when somebody wants one, once for all who want it
 * at the same time, kept for the ttl, and longer for when nobody answers.
 * Thread-safe.
 */

#include "ocirfs/call.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofs_sync;
struct ofs_ttlcache;

struct ofs_ttlcache_ops {
    const char *name; /* of its flights */
    size_t max;       /* keys; then the one that came first goes */
    bool exact;       /* wait for a newer one, however long it takes */
    /* Blocks; *ret NULL: there is none, so what was known stays, and nobody
     * asks again for a while. */
    int (*fetch)(void *arg, const char *key, struct ofs_call *call, void **ret,
                 struct ofs_err *err);
    void (*free)(void *value);
};

/* NULL: no memory. */
struct ofs_ttlcache *ofs_ttlcache_new(struct ofs_sync *sync,
                                      const struct ofs_ttlcache_ops *ops,
                                      void *arg);
void ofs_ttlcache_free(struct ofs_ttlcache *c);

/* Have the answer, as ofs_listing_want has a listing. */
int ofs_ttlcache_want(struct ofs_ttlcache *c, struct ofs_call *call,
                      const char *key, struct ofs_err *err) OFS_MUST_CHECK;
/* Ask now, however new the last answer is. */
int ofs_ttlcache_ask(struct ofs_ttlcache *c, struct ofs_call *call,
                     const char *key, struct ofs_err *err) OFS_MUST_CHECK;
/* It has changed: the next one who wants it asks. */
void ofs_ttlcache_forget(struct ofs_ttlcache *c, const char *key);

/* What is known, however old. */
struct ofs_ttlvalue {
    const void *value; /* NULL: nothing */
    int64_t asked_ms;
    struct ofs_ttlanswer *ref; /* keeps it */
};
struct ofs_ttlvalue ofs_ttlcache_look(struct ofs_ttlcache *c, const char *key);
void ofs_ttlvalue_done(struct ofs_ttlvalue *v);

#endif
