/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LISTING_H
#define OFS_LISTING_H

/*
 * A list of names that the registry gives: when it was asked last, and how to
 * ask again.  The names themselves are the owner's.
 */

#include "ocirfs/call.h"

#include "freshness.h"

struct ofs_batch;
struct ofs_tree;

/* Guarded by the owner's mutex. */
struct ofs_listing {
    enum ofs_listing_state state;
    int code;      /* of REFUSED: -ENOENT or -EACCES */
    int64_t at_ms; /* when asked; OFS_LONG_AGO: known from a note */
    int64_t ttl_ms;
    struct ofs_batch *refresh; /* under way in the background; or NULL */
};

/* Who owns a listing.  `owner` is what the functions get. */
struct ofs_listing_ops {
    /*
     * Ask the registry and store what it said, with ofs_listing_said(); its
     * errno when it said nothing that could be stored.
     */
    int (*fetch)(struct ofs_tree *t, void *owner, struct ofs_call *call,
                 struct ofs_err *err);
    void (*hold)(struct ofs_tree *t, void *owner); /* a reference more */
    void (*release)(struct ofs_tree *t, void *owner);
};

struct ofs_listing_of {
    struct ofs_tree *t;
    const struct ofs_listing_ops *ops;
    void *owner;
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

/*
 * With the owner's mutex held, by fetch: the answer to a question asked at
 * `asked_ms`: 0, -ENOENT or -EACCES.
 */
void ofs_listing_said(struct ofs_listing *l, int64_t asked_ms, int code);

#endif
