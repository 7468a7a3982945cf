/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NAMES_H
#define OFS_NAMES_H

/*
 * File names of the mount <-> names of the registry: what a name in a
 * directory may stand for, and how what collides is shown.  Pure.
 *
 * `@` occurs in no repository, tag or compartment, so it is the escape:
 * NAME@tag, NAME@repository and NAME@compartment are always accepted, and are
 * what the loser of a collision is listed as.
 */

#include "ocirfs/digest.h"
#include "ocirfs/str.h"

#include <limits.h>

#define OFS_CONTROL_NAME ".ocirfs" /* in the root; wins over all */

enum ofs_name_kind {
    OFS_NAME_NOBODY,      /* at most a compartment's; else not there */
    OFS_NAME_PLAIN,       /* a layout's own name, a directory or a tag */
    OFS_NAME_TAG,         /* NAME@tag */
    OFS_NAME_REPOSITORY,  /* NAME@repository */
    OFS_NAME_COMPARTMENT, /* NAME@compartment */
    OFS_NAME_DIGEST,      /* sha256:<hex> */
};

struct ofs_name {
    enum ofs_name_kind kind;
    char base[NAME_MAX + 1];  /* without the suffix */
    struct ofs_digest digest; /* of OFS_NAME_DIGEST */
};

/* What `name` may stand for.  -ENAMETOOLONG; else 0. */
int ofs_name_parse(const char *name, struct ofs_name *ret) OFS_MUST_CHECK;

/*
 * Can a compartment be listed so?  The service allows letters, digits and
 * `.-_`, but as its names are not ours to refuse, whatever is a file name and
 * holds nothing that means something else here (`@`, `:`).
 */
bool ofs_name_is_compartment(const char *name);

/* blobs, index.json, oci-layout */
bool ofs_name_is_layout(const char *name);

/*
 * How a directory part `part` of repositories is listed in a directory that
 * is a repository or not; `text` is used when it is not `part` itself.
 */
const char *ofs_name_of_part(const char *part, bool in_repo,
                             char text[NAME_MAX + 1]);
/* Likewise a tag, beside the sorted directory parts. */
const char *ofs_name_of_tag(const char *tag, const struct ofs_strv *parts,
                            char text[NAME_MAX + 1]);

/* Likewise a compartment, beside the sorted directory parts. */
const char *ofs_name_of_compartment(const char *name,
                                    const struct ofs_strv *parts,
                                    char text[NAME_MAX + 1]);

/*
 * The path of repository part `part` below directory `dir` ("" is the root).
 * -ENOENT: no repository can be called or begin so.
 */
int ofs_path_join(const char *dir, const char *part,
                  char ret[NAME_MAX + 1]) OFS_MUST_CHECK;

/* The path above; "" for a top-level one. */
void ofs_path_parent(const char *path, char ret[NAME_MAX + 1]);

#endif
