/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TARGETS_H
#define OFS_TARGETS_H

/*
 * What a name means to somebody who writes it: a file that will be pushed, or
 * one that lives here only until it is renamed.  Pure.
 */

#include "ocirfs/digest.h"

#include <limits.h>
#include <sys/types.h>

/* Kinds of directories, by what may be written in them. */
enum ofs_place_kind {
    OFS_PLACE_OTHER,   /* nothing can be written here */
    OFS_PLACE_TOP,     /* the root, or a compartment: directories only */
    OFS_PLACE_REPO,    /* a repository, or what may become one */
    OFS_PLACE_BLOBS,   /* blobs/ */
    OFS_PLACE_ALG,     /* blobs/sha256/ */
    OFS_PLACE_SCRATCH, /* a directory that exists here only */
};

enum ofs_target_kind {
    OFS_TARGET_NONE,    /* not allowed: code and why */
    OFS_TARGET_SCRATCH, /* never pushed under this name */
    OFS_TARGET_TAG,
    OFS_TARGET_INDEX,  /* index.json */
    OFS_TARGET_HEADER, /* oci-layout */
    OFS_TARGET_BLOB,   /* a blob, or a manifest by its digest */
    /* Directories: */
    OFS_TARGET_SCRATCH_DIR,
    OFS_TARGET_LAYOUT_DIR, /* blobs, and the algorithms in it */
    OFS_TARGET_REPO,       /* or the beginning of the name of some */
};

struct ofs_target {
    enum ofs_target_kind kind;
    bool blob_likely;         /* SCRATCH: it will be renamed to a blob */
    char name[NAME_MAX + 1];  /* TAG, REPO: without an `@` suffix */
    struct ofs_digest digest; /* BLOB */
    int code;                 /* NONE: negative errno */
    const char *why;
};

/* `alg` is the algorithm's name of OFS_PLACE_ALG. */
void ofs_target_file(enum ofs_place_kind place, const char *alg,
                     const char *name, struct ofs_target *ret);
/* Is a new file of a repository, with that mode, one that `sed -i` will rename?
 * Then it is scratch, although a tag may have such a name. */
bool ofs_target_is_temporary(const char *name, mode_t mode);
void ofs_target_dir(enum ofs_place_kind place, const char *name,
                    struct ofs_target *ret);

/* Does closing a file of this kind push it? */
static inline bool ofs_target_is_final(enum ofs_target_kind kind)
{
    return kind >= OFS_TARGET_TAG && kind <= OFS_TARGET_BLOB;
}

#endif
