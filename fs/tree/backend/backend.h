/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BACKEND_H
#define OFS_BACKEND_H

/*
 * What says which directories there are and what can be done to them: a plain
 * registry (plain.h), or Oracle's control plane beside it (ocir.h).  ns.h and
 * manage.h add what only this mount knows.  A backend knows neither nodes nor
 * what a repository holds, and keeps what it was told by itself.
 *
 * A directory is a scope and a path, as ns.h says.  Operations that may be
 * NULL say what that means.  No lock is held; thread-safe.
 */

#include "ocirfs/call.h"
#include "ocirfs/str.h"

#include "nodes.h"
#include "sync.h"
#include "xattrset.h"

struct ofs_backend;
struct ofs_store;

/* The beginning of the names of the attributes that backends show. */
#define OFS_BACKEND_XATTR "user.ocir."

/* ---- which directories there are ---- */

enum {
    OFS_NS_REPO = 1 << 0,   /* a repository */
    OFS_NS_PARENT = 1 << 1, /* the beginning of the path of others */
    OFS_NS_OPEN = 1 << 2,   /* nobody knows: there is no catalog */
};

struct ofs_ns {
    unsigned flags;  /* 0: there is no such directory */
    int64_t left_ms; /* how long that is good */
};

/* A directory. */
struct ofs_where {
    uint64_t scope;
    const char *path;
};

/* The directory above one; the root's is itself. */
struct ofs_above {
    uint64_t scope;
    char path[NAME_MAX + 1];
};

/* Where a repository lies, as the last list said. */
struct ofs_repo_location {
    uint64_t scope;
    int64_t mtime_s; /* of the repository */
};

/* The scopes in a scope. */
struct ofs_children {
    struct ofs_strv names; /* as they are listed */
    uint64_t *scopes;      /* owned */
};

/* What a fresh list of images says that a tag names, and when it was asked. */
struct ofs_image_hint {
    struct ofs_digest digest;
    int64_t at_ms;
};

struct ofs_backend_ops {
    uint64_t root; /* the scope of the root */
    /* What is made is listed by itself, though it has no tags. */
    bool lists_empty;
    /* A repository may go to another directory and be made immutable, so the
     * kernel is not told that these last. */
    bool is_mutable;

    void (*free)(struct ofs_backend *b);
    /* Ask before the mount whether it can be; NULL: it can. */
    int (*check)(struct ofs_backend *b, struct ofs_call *call,
                 struct ofs_err *err);

    /* Have the names in a scope, as ofs_listing_want has a listing. */
    int (*want)(struct ofs_backend *b, struct ofs_call *call, uint64_t scope,
                struct ofs_err *err);
    /* Of what is known, without the network: */
    bool (*is_known)(struct ofs_backend *b, uint64_t scope);
    void (*search)(struct ofs_backend *b, const struct ofs_where *at,
                   struct ofs_ns *ret);
    int (*parts)(struct ofs_backend *b, const struct ofs_where *at,
                 struct ofs_strv *ret);
    void (*above)(struct ofs_backend *b, const struct ofs_where *at,
                  struct ofs_above *ret);
    /* When its names were seen to change or it was made; 0: nobody knows. */
    int64_t (*mtime)(struct ofs_backend *b, const struct ofs_where *at);
    /* When the names of all were seen to change; NULL: no such time. */
    int64_t (*changed)(struct ofs_backend *b);
    /* Where the repository lies, if it is listed; NULL: nobody knows. */
    bool (*place_of)(struct ofs_backend *b, const char *path,
                     struct ofs_repo_location *ret);
    /* The path of `part` below a directory.  -ENOENT: none can be called so. */
    int (*join)(struct ofs_backend *b, struct ofs_call *call, const char *path,
                const char *part, char ret[NAME_MAX + 1], struct ofs_err *err);
    /* Scopes within a scope; NULL: there are none. */
    uint64_t (*child)(struct ofs_backend *b, uint64_t scope, const char *name);
    int (*children)(struct ofs_backend *b, uint64_t scope,
                    struct ofs_children *ret);
    /* Why nothing is known of what a scope holds; 0: it is known, NULL: it
     * always is. */
    int (*refusal)(struct ofs_backend *b, uint64_t scope, struct ofs_err *err);

    /* For people.  The path of a directory in the mount (scope 0: whatever
     * shows that repository); NULL: it is its own. */
    void (*shown)(struct ofs_backend *b, const struct ofs_where *at,
                  struct ofs_buf *ret);
    /* Where a policy for a repository has to be, in the words of policies, if
     * that is known; NULL: there are none. */
    void (*policy_place)(struct ofs_backend *b, const char *repo,
                         struct ofs_buf *ret);

    /* Repositories; NULL: the service has no such request. */
    int (*create)(struct ofs_backend *b, struct ofs_call *call,
                  const struct ofs_where *at, struct ofs_err *err);
    /* Only if it holds no image, and nobody pushes one meanwhile. */
    int (*remove)(struct ofs_backend *b, struct ofs_call *call,
                  const char *path, struct ofs_err *err);
    /* All at and below a directory, to another scope. */
    int (*move)(struct ofs_backend *b, struct ofs_call *call,
                const struct ofs_where *from, uint64_t to_scope,
                struct ofs_err *err);
    /* Take a tag away, never a manifest. */
    int (*untag)(struct ofs_backend *b, struct ofs_call *call, const char *repo,
                 const char *tag, struct ofs_err *err);
    /* May a tag that names something be set to something else?  NULL: yes. */
    int (*may_move)(struct ofs_backend *b, struct ofs_call *call,
                    const char *repo, const char *tag, struct ofs_err *err);
    /* Is it known that no tag of it may be moved?  NULL: no. */
    bool (*is_immutable)(struct ofs_backend *b, const char *repo);

    /*
     * One list of images instead of a question for each tag; all NULL: there
     * is none.  It is a hint: the registry is what is right, and whoever opens
     * a tag asks there.  Having it fails for the caller's own reasons only.
     */
    int (*images_want)(struct ofs_backend *b, struct ofs_call *call,
                       const char *repo, struct ofs_err *err);
    bool (*images_hint)(struct ofs_backend *b, const char *repo,
                        const char *tag, struct ofs_image_hint *ret);
    /* When that was pushed, however old the list is; 0: not told. */
    int64_t (*images_time)(struct ofs_backend *b, const char *repo,
                           const struct ofs_digest *digest);

    /* What getfattr shows of a repository or a scope (path ""), of a tag;
     * NULL: nothing. */
    int (*dir_xattrs)(struct ofs_backend *b, struct ofs_call *call,
                      const struct ofs_where *at, struct ofs_xattrs *ret,
                      struct ofs_err *err);
    int (*tag_xattrs)(struct ofs_backend *b, struct ofs_call *call,
                      const char *repo, const char *tag, struct ofs_xattrs *ret,
                      struct ofs_err *err);
    /* `value` NULL removes.  -ENOTSUP: no name of ours. */
    int (*set_xattr)(struct ofs_backend *b, struct ofs_call *call,
                     const char *repo, const char *name,
                     const struct ofs_buf *value, struct ofs_err *err);
};

/* The beginning of every backend. */
struct ofs_backend {
    const struct ofs_backend_ops *ops;
    struct ofs_sync *sync;   /* borrowed, as the store */
    struct ofs_store *store; /* of notes */
    bool writes;             /* somebody may push */
};

static inline void ofs_backend_free(struct ofs_backend *b)
{
    if (b)
        b->ops->free(b);
}

static inline void ofs_children_done(struct ofs_children *c)
{
    ofs_strv_done(&c->names);
    free(c->scopes);
}

#endif
