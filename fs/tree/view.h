/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_H
#define OFS_VIEW_H

/*
 * Views: one struct of operations for each kind of thing in the tree.  A new
 * kind is a new file with such a struct, and a row where its name is looked
 * up (names.c for what hangs on an `@`, the tables of the view above it).
 *
 * Operations block as `call` allows and return -EAGAIN when it may not; no
 * lock is held.  A node they get stays for the whole of the operation.
 */

#include "ocirfs/store.h"

#include "ask.h"
#include "ns.h"

/* What a name in a directory stands for; spec.view NULL: nothing. */
struct ofs_found {
    struct ofs_node_spec spec;
    int64_t valid_ms; /* how long the name may be believed, also "nothing" */
};

/* An open file: one of bytes, a blob, or what is being written. */
struct ofs_file {
    struct ofs_tree *t;
    struct ofs_node *node; /* in use */
    struct ofs_bytes *bytes;
    struct ofs_blob *blob;
    struct ofs_scratch *scratch; /* a reference */
    bool writes;                 /* counted by ofs_scratch_open() */
};

struct ofs_xattrs {
    struct ofs_strv names, values; /* values without their NUL */
};

struct ofs_view {
    const char *kind; /* short; part of the inode number: never change it */
    mode_t type;      /* S_IFDIR or S_IFREG */
    /* Its path, for people: that of the node, then `below`, then the name, or
     * the digest with `joint` between algorithm and hex.  See nodepath.c. */
    const char *below; /* "blobs"; NULL: nothing */
    char joint;        /* '/', ':'; 0: the digest is not in the path */
    /* mtime_s, size and valid_ms of *ret where the node does not say it all;
     * NULL: it does, and for ever.  No network. */
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

    /* What getfattr shows; NULL: nothing of its own. */
    int (*xattrs)(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_node *node, struct ofs_xattrs *ret,
                  struct ofs_err *err);
    /* Set one, or remove it (value NULL).  -ENOTSUP: not one of mine; NULL:
     * none is. */
    int (*set_xattr)(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_node *node, const char *name,
                     const struct ofs_buf *value, struct ofs_err *err);
};

extern const struct ofs_view ofs_view_dir;     /* view_dir.c */
extern const struct ofs_view ofs_view_tag;     /* view_manifest.c */
extern const struct ofs_view ofs_view_digest;  /* sha256:<hex>; likewise */
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

void ofs_attr_of(struct ofs_tree *t, const struct ofs_node *node,
                 struct ofs_attr *ret);

/* `ret` stands for `view` at path and name; it has no content yet. */
void ofs_found_set(struct ofs_found *ret, const struct ofs_view *view,
                   const char *path, const char *name);
/* `ret` stands for that directory (ns.h says what a scope is). */
void ofs_found_dir(struct ofs_found *ret, uint64_t scope, const char *path);

/* ---- nodepath.c ---- */

/* The path below the mount point, "." for the root, added to `b`. */
void ofs_node_path(const struct ofs_node *node, struct ofs_buf *b);

/* ---- tree.c ---- */

/* A sentence for failures that came without one.  Returns `code`. */
int ofs_told(int code, struct ofs_err *err, const char *what);
/* The node of a number, in use; *ret_code: 0, -ESTALE, -ENOTDIR. */
struct ofs_node *ofs_dir_use(struct ofs_tree *t, uint64_t ino, int *ret_code);
/* Count the kernel's reference to what was found, and describe it. */
int ofs_enter(struct ofs_tree *t, const struct ofs_found *found,
              struct ofs_entry *ret) OFS_MUST_CHECK;
/* What `name` in a directory stands for.  -ENOENT. */
int ofs_dir_find(struct ofs_tree *t, struct ofs_call *call,
                 const struct ofs_node *dir, const char *name,
                 struct ofs_found *ret, struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_node_hold {
    struct ofs_tree *t;
    struct ofs_node *node;
};
static inline void ofs_node_hold_done(struct ofs_node_hold *h)
{
    ofs_nodes_unuse(&h->t->nodes, h->node);
}
/* Have a node that is in use unused at the end of the block; may be NULL. */
#define OFS_NODE_HOLD(name, tree, what)                                        \
    OFS_AUTO(ofs_node_hold_done)                                               \
    struct ofs_node_hold name = { (tree), (what) }

/* ---- handle.c: building a snapshot of names ---- */

/* The number of the directory a node is in; the root is its own. */
uint64_t ofs_ino_above(struct ofs_tree *t, const struct ofs_node *node);

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

void ofs_xattrs_done(struct ofs_xattrs *x);
/* Left out when it cannot be an attribute: too long, odd characters. */
int ofs_xattrs_add(struct ofs_xattrs *x, const char *name,
                   const char *value) OFS_MUST_CHECK;
int ofs_xattrs_add_digest(struct ofs_xattrs *x,
                          const struct ofs_digest *digest) OFS_MUST_CHECK;
/* Digest, type and annotations of the manifest that `node` is. */
int ofs_xattrs_of_manifest(struct ofs_tree *t, struct ofs_call *call,
                           const struct ofs_node *node, struct ofs_xattrs *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

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

/* ---- view_manifest.c ---- */

/* Open the manifest `f` stands for: its bytes, verified. */
int ofs_manifest_open(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err) OFS_MUST_CHECK;

#endif
