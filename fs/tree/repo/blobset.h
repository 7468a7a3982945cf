/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BLOBSET_H
#define OFS_BLOBSET_H

/*
 * Digests that are known to be in a repository, with their sizes: an open
 * hash table.  A repository with 10,000 tags has some 100,000 of them, so an
 * element is no larger than it must be.  Not thread-safe.
 */

#include "ocirfs/digest.h"

enum ofs_known_kind {
    OFS_KNOWN_MENTIONED, /* a manifest that an index names; perhaps absent */
    OFS_KNOWN_BLOB,      /* layers and configurations */
    OFS_KNOWN_MANIFEST,  /* lives at the manifests endpoint */
};

struct ofs_known_blob {
    struct ofs_digest digest;
    uint8_t kind;  /* enum ofs_known_kind */
    bool learnt;   /* of a manifest: what it refers to is in the set, too */
    uint64_t size; /* bytes */
};

struct ofs_blobset {
    struct ofs_known_blob *at; /* digest.alg 0: free */
    size_t n;
    size_t room; /* 0 or a power of two */
    uint64_t seed[OFS_DIGEST_MAX / 4];
};

void ofs_blobset_done(struct ofs_blobset *s);

/* Borrowed until the next put; NULL: not in. */
struct ofs_known_blob *ofs_blobset_find(const struct ofs_blobset *s,
                                        const struct ofs_digest *digest);

/*
 * Adds it, unless as much is known already: of two words of one kind about a
 * digest the first counts, else the higher kind.  -ENOMEM.
 */
int ofs_blobset_put(struct ofs_blobset *s, const struct ofs_digest *digest,
                    uint64_t size, enum ofs_known_kind kind) OFS_MUST_CHECK;

#endif
