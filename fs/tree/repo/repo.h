/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REPO_H
#define OFS_REPO_H

/*
 * What is known of each repository in use: tags, what they name, which blobs
 * they reach.  It outlives nodes, and comes back from a note on disk when the
 * registry does not answer.  Thread-safe.
 */

#include "ocirfs/lock.h"
#include "ocirfs/manifest.h"
#include "ocirfs/map.h"

#include "blobset.h"
#include "bytes.h"
#include "listing.h"
#include "sync.h"
#include "tagtable.h"

struct ofs_backend;
struct ofs_batch;
struct ofs_mades;
struct ofs_pending;
struct ofs_push;
struct ofs_registry;
struct ofs_store;

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

/* What an index.json named without a tag: nameless.h. */
struct ofs_nameless {
    struct ofs_nameless *next;
    struct ofs_digest digest;
    uint64_t size;    /* bytes */
    char *media_type; /* owned */
};

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
    struct ofs_nameless *nameless;        /* each holds a reference */
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
    bool (*vouches)(void *arg, const char *path);
    /* Know a tag: ofs_tag_get(). */
    int (*get_tag)(const struct ofs_tag_of *of, struct ofs_call *call,
                   struct ofs_tag_seen *ret, struct ofs_err *err);
};

struct ofs_repos {
    /* What they work with; set before anybody uses them. */
    struct ofs_registry *registry;
    struct ofs_store *store;
    struct ofs_sync *sync;
    struct ofs_pending *pending;
    struct ofs_mades *mades;
    struct ofs_backend *backend;
    struct ofs_push *push; /* NULL: nothing is written */
    const char *url;       /* names the notes */
    bool use_mirror;
    const struct ofs_repos_hooks *hooks;
    void *hooks_arg;

    struct ofs_mutex mtx;             /* rank NODE; guards all below */
    struct ofs_map *map;              /* path -> struct ofs_repo */
    struct ofs_repo *newest, *oldest; /* of those without references */
    size_t n_unused, weight_unused;
    int64_t base_s; /* mtime of directories of which nothing else is known */
};

#endif
