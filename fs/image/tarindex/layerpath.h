/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERPATH_H
#define OFS_LAYERPATH_H

/*
 * Names in a layer's archive: what they mean below the image's root, and which
 * of them are instructions.  Pure; names are bytes, whatever the locale.
 *
 * Source: OCI image-spec v1.1, layer.md, "Whiteouts".
 */

#include "ocirfs/buf.h"

enum {
    OFS_LAYER_PATH_MAX = 4096,
    OFS_LAYER_NAME_MAX = 255,
};

/*
 * Append `name` with "/" at its beginning, "//", "." and ".." resolved, never
 * above the root; the root itself is "".  -ENAMETOOLONG: longer than a path, or
 * one of its parts than a name; -EBADMSG: a NUL in it; -ENOMEM.
 */
int ofs_layer_path(const char *name, size_t len,
                   struct ofs_buf *ret) OFS_MUST_CHECK;

enum ofs_layer_mark {
    OFS_MARK_NONE,
    OFS_MARK_WHITEOUT, /* removes what lies below in lower layers */
    OFS_MARK_OPAQUE,   /* hides all that lower layers have in its directory */
    OFS_MARK_HIDDEN,   /* AUFS left it; seen by nobody */
    OFS_MARK_BAD,      /* ".wh.", ".wh..", ".wh...": names nothing */
};

/* What one part of a path is; of a whiteout the name follows ".wh.". */
enum { OFS_WHITEOUT_PREFIX_LEN = 4 };
enum ofs_layer_mark ofs_layer_mark(const char *name, size_t len);

#endif
