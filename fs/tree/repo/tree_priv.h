/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREE_PRIV_H
#define OFS_TREE_PRIV_H

/*
 * Inside fs/tree.  The tree looks at the registry through two kinds of state,
 * both of which outlive nodes: the catalog (which repositories there are) and
 * a struct ofs_repo for each repository in use (tags, what they name, which
 * blobs they reach).  Nodes are immutable; views translate between them.
 *
 * Locks: nodes.mtx (TREE) < catalog.mtx, repos.mtx, pending.mtx, mades.mtx,
 * scratches.mtx, failures.mtx, each repo.mtx (NODE, never two of them at once)
 * < batches (INFLIGHT).  None is held across the network, the store or push.
 */

#include "ocirfs/flight.h"
#include "ocirfs/manifest.h"
#include "ocirfs/map.h"

#include "backend.h"
#include "batch.h"
#include "blobset.h"
#include "failures.h"
#include "listing.h"
#include "made.h"
#include "nodes.h"
#include "notelines.h"
#include "pending.h"
#include "scratch.h"
#include "sync.h"
#include "tagtable.h"

#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>

struct ofs_control_file;
struct ofs_push;
struct ofs_registry;
struct ofs_store;
struct ofs_tree;

/*
 * mtime of what has no time of its own: blobs, and images that do not say when
 * they were created.  The same at every mount, so that backup tools see no
 * change; not 0, which many programs take for "not set".
 */
enum { OFS_NO_TIME_S = 1 };

/* ---- bytes that several may hold ---- */

struct ofs_bytes {
    atomic_uint refs;
    size_t len;
    char data[];
};

struct ofs_bytes *ofs_bytes_new(const void *data, size_t len); /* or NULL */
struct ofs_bytes *ofs_bytes_ref(struct ofs_bytes *b);
void ofs_bytes_unref(struct ofs_bytes *b);
OFS_DEFINE_AUTO(struct ofs_bytes, ofs_bytes_unref)

/* ---- repositories: repo_state.c ---- */

/* index.json as it is made from the tags. */
struct ofs_index {
    struct ofs_bytes *bytes;
    struct ofs_digest digest;
    int64_t mtime_s;
    uint64_t version; /* of the tags it was made from */
};

/* A blob that the registry did not have when it was asked. */
struct ofs_absent {
    struct ofs_digest digest;
    int64_t asked_ms;
};
enum { OFS_ABSENT = 16 };

struct ofs_repo {
    struct ofs_repo *newer, *older; /* unused ones; guarded by repos.mtx */
    unsigned refs;                  /* guarded by repos.mtx */
    size_t weight;  /* when it was last released; guarded by repos.mtx */
    char *path;     /* immutable */
    char *list_key; /* of the flight; immutable */

    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_listing list;
    struct ofs_tags tags;
    uint64_t version; /* grows when a name, or what one names, changes */
    int64_t changed_s;
    struct ofs_blobset blobs;
    struct ofs_absent absent[OFS_ABSENT]; /* digest.alg 0: free */
    unsigned next_absent;                 /* is overwritten next */
    struct ofs_index index;               /* bytes NULL: not made yet */
    struct ofs_digest *reach; /* sorted: what the tags reach; NULL: unknown */
    size_t n_reach;
    uint64_t reach_version;
    int64_t listed_ms;          /* the last opendir */
    unsigned n_misses;          /* tags asked for since then */
    int64_t wanted_ms;          /* the last tag asked for, on ofs_mono_ms */
    struct ofs_batch *prefetch; /* under way; or NULL */
    uint64_t n_written;         /* tags that we set or took away */
    bool fed;                   /* we have put something there */
    bool dirty;                 /* the note on disk is older than this */
    int64_t noted_ms;           /* when the note was written */
};

struct ofs_tag_of;
struct ofs_tag_seen;

/* What the state of repositories asks of those above it. */
struct ofs_repos_hooks {
    /* Is there a repository, even if its registry knows none of its tags? */
    bool (*vouches)(struct ofs_tree *t, const char *path);
    /* Know a tag: ofs_tag_get(). */
    int (*get_tag)(const struct ofs_tag_of *of, struct ofs_call *call,
                   struct ofs_tag_seen *ret, struct ofs_err *err);
};

struct ofs_repos {
    const struct ofs_repos_hooks *hooks; /* immutable */
    struct ofs_mutex mtx;                /* rank NODE; guards all below */
    struct ofs_map *map;                 /* path -> struct ofs_repo */
    struct ofs_repo *newest, *oldest;    /* of those without references */
    size_t n_unused, weight_unused;
    int64_t base_s; /* mtime of directories of which nothing else is known */
};

struct ofs_tree {
    struct ofs_registry *registry;
    struct ofs_store *store;
    struct ofs_push *push; /* NULL: the tree is read-only */
    bool allow_delete;
    struct ofs_sync sync;
    bool use_mirror;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    const struct ofs_control_file *control;
    char *url; /* names the notes */
    int64_t start_s;
    struct ofs_nodes nodes;
    struct ofs_backend *backend; /* which directories there are */
    struct ofs_repos repos;
    struct ofs_pending pending;
    struct ofs_mades mades;
    struct ofs_scratches scratches;
    struct ofs_failures failures;
};

static inline int64_t ofs_tree_now(const struct ofs_tree *t)
{
    return ofs_sync_now(&t->sync);
}

/* What the kernel may rely on for an answer that is good for `left` more. */
static inline int64_t ofs_tree_valid(const struct ofs_tree *t, int64_t left)
{
    return ofs_sync_valid(&t->sync, left);
}

int ofs_repos_init(struct ofs_tree *t);
void ofs_repos_done(struct ofs_tree *t);
void ofs_repos_flush(struct ofs_tree *t); /* notes of all; at the end */

/*
 * The state of a repository, made when there is none (from its note, if there
 * is one).  NULL: no memory.  May read the local disk.
 */
struct ofs_repo *ofs_repo_get(struct ofs_tree *t, const char *path);
struct ofs_repo *ofs_repo_ref(struct ofs_tree *t, struct ofs_repo *repo);
void ofs_repo_put(struct ofs_tree *t, struct ofs_repo *repo);

struct ofs_repo_hold {
    struct ofs_tree *t;
    struct ofs_repo *repo;
};
static inline void ofs_repo_hold_done(struct ofs_repo_hold *h)
{
    ofs_repo_put(h->t, h->repo);
}
/* Hold the repository of `path` until the end of the block; may be NULL. */
#define OFS_REPO_HOLD(name, tree, path)                                        \
    OFS_AUTO(ofs_repo_hold_done)                                               \
    struct ofs_repo_hold name = { (tree), ofs_repo_get((tree), (path)) }

/* What a path was last heard of: was its listing refused lately, and how? */
int ofs_repo_refusal(struct ofs_tree *t, const char *path);

/* Is a list of its tags in memory, however old? */
bool ofs_repo_is_listed(struct ofs_tree *t, const char *path);

/* Names of the tags: fresh, or as last seen; as ofs_listing_want. */
int ofs_repo_list(struct ofs_tree *t, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_err *err) OFS_MUST_CHECK;

/* When its names were last seen to change; 0: never. */
int64_t ofs_repo_changed(struct ofs_tree *t, const char *path);
/* How often we set or took away a tag of it. */
uint64_t ofs_repo_written(struct ofs_repo *repo);

/* Paths of repositories that are known to have that blob or manifest. */
int ofs_repos_with(struct ofs_tree *t, const struct ofs_digest *digest,
                   struct ofs_strv *ret) OFS_MUST_CHECK;

/* We have set that tag, taken it away: repo_pushed.c. */
void ofs_repo_tagged(struct ofs_repo *repo, const char *name);
void ofs_repo_untagged(struct ofs_tree *t, const char *path, const char *tag);

/* mtime of what nothing else is known of. */
int64_t ofs_repos_base_s(struct ofs_tree *t);

/* ---- notes.c ---- */

/* With repo.mtx held. */
int ofs_note_format_tags(const struct ofs_repo *repo, struct ofs_buf *b);
int ofs_note_parse_tags(const char *text, size_t len, struct ofs_repo *repo);

/* Write the repository's note when it has changed and is not too young. */
void ofs_note_tags(struct ofs_tree *t, struct ofs_repo *repo, bool now);
void ofs_note_load_tags(struct ofs_tree *t, struct ofs_repo *repo);

#endif
