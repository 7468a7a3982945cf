/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ARCHIVE_PLAN_H
#define OFS_ARCHIVE_PLAN_H

/*
 * What the two kinds of archives share.  A plan is made of what the archive
 * describes: parts (blobs to send) and manifests (to publish afterwards).
 */

#include "archive_manifest.h"
#include "archive_members.h"

/* A member that becomes a blob. */
struct ofs_archive_part {
    struct ofs_digest digest; /* what the member must have; plain, if `pack` */
    bool pack;                /* a docker archive's layer: see layerpack.h */
    bool done;
    struct ofs_digest blob; /* what it was sent as, when done */
    uint64_t blob_size;
};

struct ofs_archive {
    int fd; /* the caller's */
    uint64_t size;
    struct ofs_members members;
    struct ofs_archive_part *parts; /* owned, with room for max_parts */
    size_t n_parts, max_parts;
    struct ofs_archive_manifest *manifests; /* owned, with room for max_ */
    size_t n_manifests, max_manifests;
    /* Of a docker archive: the parts that its manifest will name. */
    const struct ofs_archive_part *config, **layers; /* the list is owned */
    size_t n_layers;
};

/* Make room, once, since members point at parts.  -EFBIG, -ENOMEM. */
int ofs_archive_reserve(struct ofs_archive *a, size_t max_parts,
                        size_t max_manifests,
                        struct ofs_err *err) OFS_MUST_CHECK;
/*
 * The file `f` has this digest (`pack`: that of its plain bytes) and is to be
 * sent, once, however often that is said.  *ret is the part, borrowed.
 * -EBADMSG: another digest was said before.
 */
int ofs_archive_want(struct ofs_archive *a, struct ofs_member *f,
                     const struct ofs_digest *digest, bool pack,
                     const struct ofs_archive_part **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* To be published after those before it.  Copies the bytes. */
int ofs_archive_publish(struct ofs_archive *a, const char *media_type,
                        const void *bytes, size_t len,
                        struct ofs_err *err) OFS_MUST_CHECK;

#endif
