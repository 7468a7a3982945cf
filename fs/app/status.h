/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STATUS_H
#define OFS_STATUS_H

/* The files of /.ocirfs: what the mount says of itself.  No network. */

#include "ocirfs/buf.h"
#include "ocirfs/tree.h"

struct ofs_push;
struct ofs_registry;
struct ofs_store;

struct ofs_status {
    const char *source, *mountpoint, *cache_dir; /* borrowed */
    struct ofs_registry *registry;
    struct ofs_store *store;
    struct ofs_push *push;            /* NULL: nothing can be pushed */
    int64_t since_s;                  /* wall clock */
    struct ofs_control_file files[6]; /* for ofs_tree_cfg.control */
};

/* Fill `files` from the rest of the struct, which must stay where it is. */
void ofs_status_init(struct ofs_status *s);

#endif
