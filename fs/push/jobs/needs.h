/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NEEDS_H
#define OFS_NEEDS_H

/*
 * What must be in a repository before a manifest may be put there, and what
 * of it is known to be.  Pure.
 *
 * An image needs its configuration and its layers, an index the manifests it
 * names.  Not needed are layers that are not distributable, which a registry
 * may lack for ever, and the subject, which may come later (distribution-spec
 * v1.1.1, "Pushing manifests").
 */

#include "ocirfs/manifest.h"

struct ofs_need {
    struct ofs_digest digest;
    uint64_t size;    /* bytes */
    bool is_manifest; /* else a blob */
    bool there;
};

struct ofs_needs {
    struct ofs_need *at; /* owned; manifests before blobs, in their order */
    size_t n, n_missing;
    const struct ofs_need *absent; /* one that is known not to be there; NULL:
                                      none.  One is enough to wait for. */
};

/* All missing as yet; each once.  -ENOMEM. */
int ofs_needs_of(const struct ofs_manifest *m,
                 struct ofs_needs *ret) OFS_MUST_CHECK;
/* Just this manifest. */
int ofs_needs_one(const struct ofs_digest *manifest,
                  struct ofs_needs *ret) OFS_MUST_CHECK;
void ofs_needs_done(struct ofs_needs *n);
#define OFS_AUTONEEDS OFS_AUTO(ofs_needs_done)

/* It is there now. */
void ofs_needs_arrived(struct ofs_needs *n, const struct ofs_digest *digest,
                       bool is_manifest);
/* It was asked for and is not there.  False: it has arrived meanwhile. */
bool ofs_needs_wait(struct ofs_needs *n, const struct ofs_need *need);
void ofs_needs_forget(struct ofs_needs *n); /* nothing is known */
/* The first one missing; NULL: none. */
const struct ofs_need *ofs_needs_missing(const struct ofs_needs *n);

/*
 * Is this blob a manifest?  By content: it parses as an image manifest or an
 * index.  A configuration does not, whatever its media type.  -ENOENT: no;
 * -ENOMEM.
 */
int ofs_needs_decode(const char *bytes, size_t len,
                     struct ofs_manifest *ret) OFS_MUST_CHECK;

/* May a file that begins so be a JSON document? */
bool ofs_needs_json(const void *head, size_t len);

#endif
