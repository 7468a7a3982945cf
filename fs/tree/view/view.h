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
    struct ofs_scratch *scratch; /* a reference */
    bool writes;                 /* counted by ofs_scratch_open() */
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
    bool local; /* it exists in this mount only: scratch.h */
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
extern const struct ofs_view ofs_view_draft; /* view_draft.c */
extern const struct ofs_view ofs_view_scratch_dir;

/* ---- attrs.c ---- */

enum { OFS_OWNER_WRITES = 0200 }; /* modes tell the truth, as far as they can */

void ofs_attr_of(struct ofs_tree *t, const struct ofs_node *node,
                 struct ofs_attr *ret);

/* `ret` stands for `view` at path and name; it has no content yet. */
static inline void ofs_found_set(struct ofs_found *ret,
                                 const struct ofs_view *view, const char *path,
                                 const char *name)
{
    ofs_found_init(ret, view, view->kind, path, name);
}

/* ---- nodepath.c ---- */

/* The path below the mount point, "." for the root, added to `b`. */
void ofs_node_path(const struct ofs_node *node, struct ofs_buf *b);
/* What it is called in its directory, as its view's path says. */
void ofs_node_name(const struct ofs_node *node, char ret[NAME_MAX + 1]);

/* ---- handle.c: building a snapshot of names ---- */

/* The directory that is listed. */
const struct ofs_node *ofs_dir_node(const struct ofs_dir *d);
size_t ofs_dir_count(const struct ofs_dir *d); /* entries so far */
/* Add what `spec` stands for under `name`. */
int ofs_dir_add(struct ofs_dir *d, const char *name,
                const struct ofs_node_spec *spec) OFS_MUST_CHECK;
/* Add what exists here only, but for what is to be pushed: that appears when
 * it is true. */
int ofs_dir_add_scratch(struct ofs_dir *d) OFS_MUST_CHECK;
int ofs_dir_new(struct ofs_tree *t, struct ofs_node *node, struct ofs_dir **ret,
                struct ofs_err *err) OFS_MUST_CHECK;

/* Takes over the use of `node`, also when it fails.  NULL: no memory. */
struct ofs_file *ofs_file_new(struct ofs_tree *t, struct ofs_node *node);

/* ---- xattrs.c ---- */

int ofs_xattrs_add_digest(struct ofs_xattrs *x,
                          const struct ofs_digest *digest) OFS_MUST_CHECK;
/* Digest, type and annotations of the manifest that `node` is. */
int ofs_xattrs_of_manifest(struct ofs_tree *t, struct ofs_call *call,
                           const struct ofs_node *node, struct ofs_xattrs *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

/* ---- view_dir.c ---- */

/* `ret` stands for that directory (ns.h says what a scope is). */
void ofs_found_dir(struct ofs_found *ret, uint64_t scope, const char *path);

/* ---- view_draft.c ---- */

/* What exists here only and `node` stands for, with a reference; or NULL. */
struct ofs_scratch *ofs_scratch_of(struct ofs_tree *t,
                                   const struct ofs_node *node);
/* The node that stands for it. */
void ofs_scratch_found(const struct ofs_scratch *s, struct ofs_found *ret);

/* ---- view_repo.c: what a directory holds because it is a repository ---- */

/* A layout's own name (names.h knows which those are). */
int ofs_repo_find_layout(struct ofs_tree *t, struct ofs_call *call,
                         const char *path, const char *name,
                         struct ofs_found *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* -ENOENT: no such tag, manifest. */
int ofs_repo_find_tag(struct ofs_tree *t, struct ofs_call *call,
                      const char *path, const char *tag, struct ofs_found *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
int ofs_repo_find_digest(struct ofs_tree *t, struct ofs_call *call,
                         const char *path, const struct ofs_digest *digest,
                         struct ofs_found *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* Layout and tags, beside the directory parts, as `who` sees them. */
int ofs_repo_list_into(struct ofs_tree *t, int who, struct ofs_repo *repo,
                       const struct ofs_strv *parts,
                       struct ofs_dir *d) OFS_MUST_CHECK;

/* Its bytes are those of a manifest, or of a blob that is none. */
static inline bool ofs_node_is_manifest(const struct ofs_node *node)
{
    return node->manifest || node->view->content == OFS_CONTENT_MANIFEST;
}
static inline bool ofs_node_is_blob(const struct ofs_node *node)
{
    return !node->manifest && node->view->content == OFS_CONTENT_BLOB;
}

/* ---- view_layout.c ---- */

/* How long a name of the layout may be believed that is good for `ms`: its
 * maker may not see it yet. */
int64_t ofs_layout_valid(struct ofs_tree *t, const char *path, int64_t ms);

/*
 * Somebody takes away what is there because the tags are.  With allow_delete
 * that is as good as done, so that `rm -r` of a repository comes to its end: it
 * is gone when they are.  Else -EPERM.
 */
int ofs_layout_leave(const struct ofs_tree *t, const char *name,
                     struct ofs_err *err) OFS_MUST_CHECK;

/* ---- view_manifest.c ---- */

/* Open the manifest `f` stands for: its bytes, verified. */
int ofs_manifest_open(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err) OFS_MUST_CHECK;
/* Take away a manifest, or a blob: possible while it waits to be pushed. */
int ofs_content_remove(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_named *what,
                       struct ofs_err *err) OFS_MUST_CHECK;

#endif
