/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREENODES_H
#define OFS_TREENODES_H

/*
 * The nodes of a tree that grows: inodes, and names that lead to them.  The
 * names of a directory are found by hash; those of a directory that was
 * replaced are simply found no more.
 */

#include "childtable.h"
#include "layerview.h"

struct ofs_grown_dent {
    struct ofs_dent d;
    uint32_t dir; /* inode of the directory */
};

struct ofs_grown_inode {
    struct ofs_inode i;
    uint32_t depth; /* DIR */
};

enum {
    OFS_ROOT_INODE = 0,
    OFS_RECENT_LISTS = 64,
};

struct ofs_treenodes {
    struct ofs_buf dents, inodes, texts, xattrs, extents;
    struct ofs_childtable children;
    uint32_t lists[OFS_RECENT_LISTS]; /* the last lists of attributes */
    size_t n_lists;                   /* how many there ever were */
};

int ofs_treenodes_init(struct ofs_treenodes *t) OFS_MUST_CHECK; /* -ENOMEM */
void ofs_treenodes_done(struct ofs_treenodes *t);

/* Good until the next one is made. */
struct ofs_grown_dent *ofs_dent_at(const struct ofs_treenodes *t, uint32_t no);
struct ofs_inode *ofs_inode_at(const struct ofs_treenodes *t, uint32_t no);
uint32_t ofs_n_grown_dents(const struct ofs_treenodes *t);
uint32_t ofs_n_grown_inodes(const struct ofs_treenodes *t);

/* UINT32_MAX: no such name. */
uint32_t ofs_dent_find(const struct ofs_treenodes *t, uint32_t dir,
                       const char *name, size_t len);
/* The name, made without an inode if it is not there.  -ENOMEM, -EFBIG. */
int ofs_dent_need(struct ofs_treenodes *t, uint32_t dir, const char *name,
                  size_t len, uint32_t *ret) OFS_MUST_CHECK;
int ofs_inode_add(struct ofs_treenodes *t, const struct ofs_inode *inode,
                  uint32_t *ret) OFS_MUST_CHECK;
/* An implied directory behind a name; -ELOOP: too deep. */
int ofs_dir_imply(struct ofs_treenodes *t, uint32_t dent,
                  uint32_t *ret) OFS_MUST_CHECK;
int ofs_text_add(struct ofs_treenodes *t, const char *text, size_t len,
                 uint64_t *ret) OFS_MUST_CHECK;
/* Lists that are the same lie there once, mostly. */
int ofs_xattrs_intern(struct ofs_treenodes *t, const uint8_t *list, size_t len,
                      uint32_t *ret) OFS_MUST_CHECK;

#endif
