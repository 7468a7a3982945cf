/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERVIEW_H
#define OFS_LAYERVIEW_H

/*
 * The index of one layer as it lies on disk and in memory: a head and
 * sections, mapped and used as they are.  It is of one machine's cache, so
 * numbers are the processor's; a file of another order is not believed.
 *
 * Names and inodes are apart, as in any Unix file system: a hard link is a
 * second name.  The names of one directory lie side by side, sorted by bytes.
 */

#include "paxrec.h"
#include "points.h"

#include "ocirfs/digest.h"

enum ofs_inode_type {
    OFS_INODE_REG,
    OFS_INODE_SYM,
    OFS_INODE_CHR,
    OFS_INODE_BLK,
    OFS_INODE_DIR,
    OFS_INODE_PIPE,
    OFS_INODE_PENDING, /* a hard link to what is not in this layer, or later */
    OFS_N_INODE_TYPES
};

enum ofs_inode_flag {
    OFS_INODE_IMPLIED = 1, /* a directory without an entry of its own */
    OFS_INODE_GHOST = 2,   /* implied, and nothing in it but whiteouts */
    OFS_INODE_OPAQUE = 4,  /* lower layers' names in it are hidden */
    OFS_INODE_SPARSE = 8,
};

enum { OFS_NO_INODE = -1 }; /* as uint32_t: a name that only hides */

struct ofs_inode { /* 64 bytes */
    uint64_t size; /* of a file; length of a text */
    /*
     * REG: where its bytes begin, unpacked; SYM: its target's text, PENDING:
     * a clean path; CHR, BLK: major << 32 | minor; DIR: its own dent.
     */
    uint64_t data;
    int64_t mtime_s;
    uint32_t mtime_ns, uid, gid;
    uint32_t first;  /* DIR: its names; SPARSE: extents; PENDING: inode + 1 */
    uint32_t n;      /* of those */
    uint32_t up;     /* DIR: the one that it is in */
    uint32_t xattrs; /* where its list is, + 1; 0: none */
    uint32_t nlink;  /* names in this layer */
    uint16_t mode;   /* 07777 */
    uint8_t type, flags;
    uint32_t reserved;
};

enum ofs_dent_flag {
    OFS_DENT_WHITEOUT = 1, /* hides what lower layers have of this name */
    OFS_DENT_HIDDEN = 2, /* is seen by nobody, but hard links may lead there */
};

struct ofs_dent {   /* 12 bytes */
    uint32_t name;  /* its text */
    uint32_t inode; /* OFS_NO_INODE: only hides */
    uint16_t name_len;
    uint8_t flags, reserved;
};

enum ofs_layer_section {
    OFS_SECTION_INODES,
    OFS_SECTION_DENTS,
    OFS_SECTION_TEXTS,
    OFS_SECTION_XATTRS, /* uint32_t length and list (xattrlist.h), each */
    OFS_SECTION_EXTENTS,
    OFS_SECTION_POINTS,
    OFS_SECTION_WINDOWS,
    OFS_N_SECTIONS
};

struct ofs_layer_head {
    char magic[8];
    uint32_t order; /* of bytes */
    uint32_t packing;
    struct ofs_digest blob, diff; /* what it was made of */
    uint8_t reserved[6];
    uint64_t packed_size, size; /* bytes of the layer; unpacked */
    struct {
        uint64_t at, len; /* bytes */
    } sections[OFS_N_SECTIONS];
    uint8_t check[32]; /* SHA-256 of the file, these bytes being zero */
};

struct ofs_layer_view { /* borrows from the file's bytes */
    const struct ofs_layer_head *head;
    const struct ofs_inode *inodes;
    const struct ofs_dent *dents;
    const char *texts;
    const uint8_t *xattrs;
    const struct ofs_extent *extents;
    struct ofs_points_view points;
    uint32_t n_inodes, n_dents, n_extents;
    size_t texts_len, xattrs_len;
};

#endif
