/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DEPS_H
#define OFS_DEPS_H

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

struct ofs_deps {
    struct ofs_need *at; /* owned; manifests before blobs, in their order */
    size_t n, n_missing;
    const struct ofs_need *absent; /* one that is known not to be there; NULL:
                                      none.  One is enough to wait for. */
};

/* All missing as yet; each once.  -ENOMEM. */
int ofs_deps_of(const struct ofs_manifest *m,
                struct ofs_deps *ret) OFS_MUST_CHECK;
/* Just this manifest. */
int ofs_deps_one(const struct ofs_digest *manifest,
                 struct ofs_deps *ret) OFS_MUST_CHECK;
void ofs_deps_done(struct ofs_deps *n);
#define OFS_AUTONEEDS OFS_AUTO(ofs_deps_done)

/* It is there now. */
void ofs_deps_arrived(struct ofs_deps *n, const struct ofs_digest *digest,
                      bool is_manifest);
/* It was asked for and is not there.  False: it has arrived meanwhile. */
bool ofs_deps_wait(struct ofs_deps *n, const struct ofs_need *need);
void ofs_deps_forget(struct ofs_deps *n); /* nothing is known */
/* The first one missing; NULL: none. */
const struct ofs_need *ofs_deps_missing(const struct ofs_deps *n);

/*
 * Is this blob a manifest?  By content: it parses as an image manifest or an
 * index.  A configuration does not, whatever its media type.  -ENOENT: no;
 * -ENOMEM.
 */
int ofs_deps_decode(const char *bytes, size_t len,
                    struct ofs_manifest *ret) OFS_MUST_CHECK;

/* May a file that begins so be a JSON document? */
bool ofs_deps_json(const void *head, size_t len);

#endif
