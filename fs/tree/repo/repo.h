/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REPO_H
#define OFS_REPO_H

/*
 * What is known of each repository in use: tags, what they name, which blobs
 * they reach.  It outlives nodes, and comes back from a note on disk when the
 * registry does not answer.
 *
 * Whoever asks for what is not known remembers the answer here or in the store,
 * and threads that want the same share one request.  -EAGAIN: `call` may not
 * wait and the registry would have to be asked.
 */

#include "ocirfs/lock.h"
#include "ocirfs/manifest.h"
#include "ocirfs/map.h"

#include "blobset.h"
#include "bytes.h"
#include "listing.h"
#include "sync.h"
#include "tagtable.h"
#include "unread.h"

struct ofs_backend;
struct ofs_batch;
struct ofs_new_repos;
struct ofs_pending_save;
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

/* What somebody has read as index.json: readings.h. */
struct ofs_reading {
    int thread, process; /* 0: free */
    struct ofs_bytes *bytes;
};
enum { OFS_READINGS = 16 };

enum { OFS_OLD_INDEXES = 4 }; /* that can still be opened */

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
    struct ofs_unread unread;
    struct ofs_nameless *nameless;               /* each holds a reference */
    struct ofs_index index;                      /* bytes NULL: not made yet */
    struct ofs_index old_index[OFS_OLD_INDEXES]; /* bytes NULL: free */
    unsigned next_old_index;                     /* is overwritten next */
    struct ofs_reading readings[OFS_READINGS];
    unsigned next_reading;    /* is overwritten next */
    struct ofs_digest *reach; /* sorted: what the tags reach; NULL: unknown */
    size_t n_reach;
    uint64_t reach_version;
    int64_t reach_until_ms;     /* when one that is not complete is made anew */
    int64_t listed_ms;          /* the last opendir */
    unsigned n_misses;          /* tags asked for since then */
    int64_t wanted_ms;          /* the last tag asked for, on ofs_mono_ms */
    struct ofs_batch *prefetch; /* under way; or NULL */
    uint64_t n_written;         /* tags that we set or took away */
    bool fed;                   /* we have put something there */
    bool dirty;                 /* the note on disk is older than this */
    int64_t noted_ms;           /* when the note was written */
    char *note_key;             /* owned; NULL: not known whose it is */
};

struct ofs_repos;

enum ofs_tag_how {
    OFS_TAG_STAT,  /* may be as old as the ttl, or more while all wait */
    OFS_TAG_OPEN,  /* asks when it is older than the ttl */
    OFS_TAG_BATCH, /* one of many: what is not fresh is an error */
};

/* A question for a tag, and its answer: tag_ask.h. */
struct ofs_tag_of {
    struct ofs_repos *repos;
    struct ofs_repo *repo;
    const char *tag;
    enum ofs_tag_how how;
};

struct ofs_tag_seen {
    struct ofs_tag_info info; /* owned */
    int64_t left_ms;          /* how long it is good */
};

static inline void ofs_tag_seen_done(struct ofs_tag_seen *seen)
{
    ofs_tag_info_done(&seen->info);
}

/* What the state of repositories asks of those above it. */
struct ofs_repos_hooks {
    /* Is there a repository, even if its registry knows none of its tags? */
    bool (*vouches)(void *arg, const char *path);
    /* Know a tag: ofs_tag_get(). */
    int (*get_tag)(const struct ofs_tag_of *of, struct ofs_call *call,
                   struct ofs_tag_seen *ret, struct ofs_err *err);
    /* Of what a repository holds, `name` is not shown, or not all of it. */
    void (*left_out)(void *arg, const char *path, const char *name,
                     const struct ofs_err *why);
};

struct ofs_repos {
    /* What they work with; set before anybody uses them. */
    struct ofs_registry *registry;
    struct ofs_store *store;
    struct ofs_sync *sync;
    struct ofs_pending_save *pending;
    struct ofs_new_repos *new_repos;
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
