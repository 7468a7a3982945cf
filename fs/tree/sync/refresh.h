/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REFRESH_H
#define OFS_REFRESH_H

/* Keeping a listing as good as it can be had.  Thread-safe. */

#include "ocirfs/call.h"

#include "listing.h"
#include "sync.h"

/* Who owns a listing.  The functions get `arg` and `owner`. */
struct ofs_listing_ops {
    /*
     * Ask the registry and store what it said, with ofs_listing_said(); its
     * errno when it said nothing that could be stored.
     */
    int (*fetch)(void *arg, void *owner, struct ofs_call *call,
                 struct ofs_err *err);
    /* A reference more, or less; NULL: it lives as long as `arg`. */
    void (*hold)(void *arg, void *owner);
    void (*release)(void *arg, void *owner);
};

struct ofs_listing_of {
    struct ofs_sync *sync;
    const struct ofs_listing_ops *ops;
    void *arg, *owner;
    struct ofs_mutex *mtx;
    struct ofs_listing *listing;
    const char *key; /* of its flight */
};

/*
 * Make it as good as it can be had: not older than its ttl, or what was last
 * seen when the registry does not answer (soon).  0 it is KNOWN; -ENOENT,
 * -EACCES the registry refused; -EAGAIN `call` may not wait and the registry
 * must be asked; else the error.
 */
int ofs_listing_want(const struct ofs_listing_of *of, struct ofs_call *call,
                     struct ofs_err *err) OFS_MUST_CHECK;

#endif
