/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NODES_H
#define OFS_NODES_H

/*
 * The inode table: numbers the kernel knows -> what they stand for.
 * Thread-safe.
 *
 * A number is a hash of what the node stands for, so it is the same after a
 * remount, and everything that a number stands for is immutable: a tag that
 * moves, or an index.json that changes, is another node.
 */

#include "ocirfs/digest.h"
#include "ocirfs/lock.h"

#include <limits.h>
#include <sys/types.h>

struct ofs_view;

enum { OFS_NODES_ROOT = 1 }; /* the number FUSE gives the root */

/* Which compartment a directory belongs to; others are hashes of OCIDs. */
enum {
    OFS_SCOPE_NONE = 0, /* a plain registry's, and all that is no directory */
    OFS_SCOPE_TOP = 1,  /* what is mounted of OCIR */
};

/* What a node stands for. */
struct ofs_node_spec {
    const struct ofs_view *view; /* the kind of thing */
    const char *kind;            /* its name, part of the key */
    char path[NAME_MAX + 1];     /* repository or directory; "": none, root */
    char name[NAME_MAX + 1];     /* within path: tag, algorithm, control file */
    uint64_t scope;              /* of a directory */
    struct ofs_digest digest;    /* content, of files that have one */
    /* Not part of the key: */
    uint64_t size; /* bytes */
    int64_t mtime_s;
    bool manifest; /* a blob that is served by the manifests endpoint */
};

struct ofs_node {
    struct ofs_node *next; /* in its bucket; guarded by nodes.mtx */
    uint64_t nlookup;      /* the kernel's references; guarded by nodes.mtx */
    unsigned uses;         /* threads and handles; guarded by nodes.mtx */
    char *error;  /* why the last operation failed, or NULL; likewise */
    uint64_t ino; /* immutable, as is all that follows */
    const struct ofs_view *view;
    struct ofs_digest digest;
    uint64_t size;
    int64_t mtime_s;
    bool manifest;
    uint64_t scope;
    const char *path, *name; /* within key */
    size_t key_len;
    char key[]; /* kind, path, name with their NULs, digest bytes, scope */
};

struct ofs_nodes {
    struct ofs_mutex mtx;      /* rank TREE */
    struct ofs_node **buckets; /* by ino; guarded by mtx, as is the rest */
    size_t n_buckets;          /* a power of two */
    size_t count;
    uint64_t ino_mask; /* all ones; tests make numbers collide with it */
};

int ofs_nodes_init(struct ofs_nodes *t);
void ofs_nodes_done(struct ofs_nodes *t); /* whatever the counts say */

/*
 * The number `spec` gets unless it collides: of what it stands for, and the
 * n-th choice.  0: no memory.
 */
uint64_t ofs_ino_of(const struct ofs_node_spec *spec, unsigned salt);

/*
 * Find or make the node for `spec`, count `n_lookup` kernel references and
 * one use, which the caller ends with ofs_nodes_unuse().  -ENOMEM.
 */
int ofs_nodes_make(struct ofs_nodes *t, const struct ofs_node_spec *spec,
                   unsigned n_lookup, struct ofs_node **ret) OFS_MUST_CHECK;

/* The root, whose number is given and which is never forgotten. */
int ofs_nodes_make_root(struct ofs_nodes *t,
                        const struct ofs_node_spec *spec) OFS_MUST_CHECK;
/* Does `spec` stand for the root? */
bool ofs_nodes_is_root(struct ofs_nodes *t, const struct ofs_node_spec *spec);

/* The node of a number, with a use counted; NULL: unknown. */
struct ofs_node *ofs_nodes_use(struct ofs_nodes *t, uint64_t ino);
void ofs_nodes_unuse(struct ofs_nodes *t, struct ofs_node *node);

/* Drop `n` kernel references. */
void ofs_nodes_forget(struct ofs_nodes *t, uint64_t ino, uint64_t n);

size_t ofs_nodes_count(struct ofs_nodes *t);
/* Numbers of the nodes with that content; how many were written. */
size_t ofs_nodes_of_digest(struct ofs_nodes *t, const struct ofs_digest *digest,
                           uint64_t *ret, size_t max);

/* Remember a sentence (copied) for the node; NULL forgets it. */
void ofs_nodes_set_error(struct ofs_nodes *t, uint64_t ino, const char *text);
/* A copy, or NULL when there is none (or no memory). */
char *ofs_nodes_error(struct ofs_nodes *t, struct ofs_node *node);

#endif
