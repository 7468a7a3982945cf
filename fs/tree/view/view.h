/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_H
#define OFS_VIEW_H

/*
 * Views: one struct of operations for each kind of thing in the tree.  Nobody
 * but views asks which one a node has: what is allowed is said here.  A new
 * kind is a new file with such a struct, and a row where its name is looked
 * up; fs/README.md, "Adding a view", says what each member means.
 *
 * Operations block as `call` allows and return -EAGAIN when it may not; no
 * lock is held.  A node they get stays for the whole of the operation.
 */

#include "ocirfs/store.h"
#include "ocirfs/tree.h"

#include "bytes.h"
#include "found.h"
#include "ns.h"
#include "targets.h"
#include "tree_priv.h"

/* An open file: one of bytes, a blob, or what is being written. */
struct ofs_file {
    struct ofs_tree *t;
    struct ofs_node *node; /* in use */
    struct ofs_bytes *bytes;
    struct ofs_blob *blob;
    struct ofs_local *scratch; /* a reference */
    bool writes;               /* counted by ofs_local_open() */
};

/* What is known of a name that is to be changed. */
struct ofs_named {
    const struct ofs_node *dir;
    const char *name; /* in there */
    const struct ofs_node_spec *spec;
};

/* What a file holds, as a registry calls it. */
enum ofs_content {
    OFS_CONTENT_OWN, /* made here; nothing of a registry's */
    OFS_CONTENT_MANIFEST,
    OFS_CONTENT_BLOB, /* or a manifest, where the node says so */
};

struct ofs_view {
    const char *kind; /* short; part of the inode number: never change it */
    mode_t type;      /* S_IFDIR or S_IFREG */
    /* Where it is below the node's path, with %n for the node's name, %d for
     * the digest as it is written, %p for the digest as a path.  What follows
     * the last '/' is what the file is called.  NULL: nothing. */
    const char *path;
    /* The directory it is in, of which only the number is wanted; NULL: the
     * one of the node's path. */
    void (*above)(struct ofs_tree *t, const struct ofs_node *node,
                  struct ofs_node_spec *ret);
    /* What may be written in a directory; where a file lies that may be
     * written.  0, OFS_PLACE_OTHER: nothing, and it may not. */
    enum ofs_place_kind place;
    enum ofs_content content;
    bool local; /* it exists in this mount only: overlay.h */
    /* mtime_s, size, mode and valid_ms of *ret where the node does not say it
     * all; NULL: it does, and for ever.  No network. */
    void (*attr)(struct ofs_tree *t, const struct ofs_node *node,
                 struct ofs_attr *ret);

    /* Directories. */
    int (*lookup)(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_node *dir, const char *name,
                  struct ofs_found *ret, struct ofs_err *err);
    int (*list)(struct ofs_tree *t, struct ofs_call *call, struct ofs_dir *d,
                struct ofs_err *err);

    /* Files: fill f->bytes or f->blob. */
    int (*open)(struct ofs_tree *t, struct ofs_call *call, struct ofs_file *f,
                struct ofs_err *err);
    bool direct; /* its size is not known beforehand */
    bool fixed;  /* nobody can write it, on any mount */

    /* On a mount that writes.  NULL: -EPERM. */
    /* Take it away: rm of a file, rmdir of a directory. */
    int (*remove)(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_named *what, struct ofs_err *err);
    /* Call it `to` in another directory, or in the same.  -EXDEV: by copying
     * only. */
    int (*rename)(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_named *what, const struct ofs_node *to_dir,
                  const char *to, struct ofs_err *err);
    /* The name it is written by, where that is not what `path` says. */
    void (*escape)(struct ofs_tree *t, const struct ofs_node *node,
                   char name[NAME_MAX + 1]);

    /* What getfattr shows; NULL: nothing of its own. */
    int (*xattrs)(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_node *node, struct ofs_xattrs *ret,
                  struct ofs_err *err);
    /* The same, of what the control plane knows; NULL: nothing. */
    int (*service_xattrs)(struct ofs_tree *t, struct ofs_call *call,
                          const struct ofs_node *node, struct ofs_xattrs *ret,
                          struct ofs_err *err);
    /* Set one, or remove it (value NULL).  -ENOTSUP: not one of mine; NULL:
     * none is. */
    int (*set_xattr)(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_node *node, const char *name,
                     const struct ofs_buf *value, struct ofs_err *err);
};

extern const struct ofs_view ofs_view_dir;     /* view_dir.c */
extern const struct ofs_view ofs_view_tag;     /* view_tag.c */
extern const struct ofs_view ofs_view_digest;  /* view_manifest.c */
extern const struct ofs_view ofs_view_index;   /* view_layout.c */
extern const struct ofs_view ofs_view_header;  /* oci-layout; likewise */
extern const struct ofs_view ofs_view_blobs;   /* view_blobs.c */
extern const struct ofs_view ofs_view_alg;     /* likewise */
extern const struct ofs_view ofs_view_blob;    /* likewise */
extern const struct ofs_view ofs_view_control; /* view_control.c */
extern const struct ofs_view ofs_view_control_file;
extern const struct ofs_view ofs_view_local_file; /* view_local.c */
extern const struct ofs_view ofs_view_local_dir;

/* `ret` stands for `view` at path and name; it has no content yet. */
static inline void ofs_found_set(struct ofs_found *ret,
                                 const struct ofs_view *view, const char *path,
                                 const char *name)
{
    ofs_found_init(ret, view, view->kind, path, name);
}

/* Its bytes are those of a manifest, or of a blob that is none. */
static inline bool ofs_node_is_manifest(const struct ofs_node *node)
{
    return node->manifest || node->view->content == OFS_CONTENT_MANIFEST;
}
static inline bool ofs_node_is_blob(const struct ofs_node *node)
{
    return !node->manifest && node->view->content == OFS_CONTENT_BLOB;
}

#endif
