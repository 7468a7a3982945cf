/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ASK_H
#define OFS_ASK_H

/*
 * What the tree asks the registry about one repository: tags, manifests,
 * blobs.  Everything is remembered in the repository's state or in the store,
 * and threads that want the same share one request.  -EAGAIN: `call` may not
 * wait and the registry would have to be asked.
 */

#include "repo_state.h"

/* ---- content.c: manifests and configurations, by digest ---- */

/* Would a load of this small object ask nobody? */
bool ofs_content_is_here(struct ofs_repos *repos,
                         const struct ofs_digest *digest);

/* The exact bytes, verified; from the store, else from the registry. */
int ofs_manifest_load(struct ofs_repos *repos, struct ofs_call *call,
                      struct ofs_repo *repo, const struct ofs_digest *digest,
                      struct ofs_buf *ret, struct ofs_err *err) OFS_MUST_CHECK;
/* As ofs_manifest_load, of an image configuration. */
int ofs_config_load(struct ofs_repos *repos, struct ofs_call *call,
                    struct ofs_repo *repo, const struct ofs_descriptor *config,
                    struct ofs_buf *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* Load and decode; what the manifest refers to becomes known. */
int ofs_manifest_read(struct ofs_repos *repos, struct ofs_call *call,
                      struct ofs_repo *repo, const struct ofs_digest *digest,
                      struct ofs_manifest *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;

/* A manifest of `size` bytes is in the repository, and what it refers to;
 * `m` may be NULL.  Without memory less is known, nothing else. */
void ofs_repo_learn(struct ofs_repo *repo, const struct ofs_digest *digest,
                    uint64_t size, const struct ofs_manifest *m);

/* May not be in the registry: a layer that its owner gives out himself. */
bool ofs_is_elsewhere(const struct ofs_descriptor *d);

/* ---- created.c ---- */

/*
 * When the image was created, seconds; 0 when nobody says.  Depends on nothing
 * but the manifest's content, so it is the same whoever asks and when.
 */
int ofs_created_of(struct ofs_repos *repos, struct ofs_call *call,
                   struct ofs_repo *repo, const struct ofs_manifest *m,
                   int64_t *ret_s, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- tag_ask.c ---- */

enum ofs_tag_how {
    OFS_TAG_STAT,  /* may be as old as the ttl, or more while all wait */
    OFS_TAG_OPEN,  /* asks when it is older than the ttl */
    OFS_TAG_BATCH, /* one of many: what is not fresh is an error */
};

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

/* *ret (owned by the caller).  -ENOENT: no such tag. */
int ofs_tag_get(const struct ofs_tag_of *of, struct ofs_call *call,
                struct ofs_tag_seen *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- prefetch.c ---- */

/* A directory was listed: tags that are asked for now are asked because of
 * it. */
void ofs_prefetch_listed(struct ofs_repos *repos, struct ofs_repo *repo);
/* A tag is asked for that is not known: perhaps all will be. */
void ofs_prefetch_missed(struct ofs_repos *repos, struct ofs_repo *repo);

/* Ask for this one behind everybody's back, unless something is asked. */
void ofs_prefetch_one(struct ofs_repos *repos, struct ofs_repo *repo,
                      const char *tag);

/*
 * Have all tags known and fresh, or as fresh as can be had.  0 also when the
 * registry does not answer but what was seen last is there.
 */
int ofs_tags_want(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_err *err) OFS_MUST_CHECK;

/* ---- layout_files.c ---- */

/* index.json of all tags: a reference to its bytes in ret->bytes, and how
 * long it is good. */
int ofs_index_get(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_index *ret,
                  int64_t *ret_left_ms, struct ofs_err *err) OFS_MUST_CHECK;

extern const char ofs_layout_header[]; /* the bytes of oci-layout */

/* ---- reach.c ---- */

/* Every blob and manifest the tags reach: *ret (owned, sorted) and how many. */
int ofs_reach_get(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_digest **ret, size_t *ret_n,
                  struct ofs_err *err) OFS_MUST_CHECK;

/* ---- blob_ask.c ---- */

struct ofs_blob_seen {
    uint64_t size;
    bool manifest;    /* to be had from the manifests endpoint */
    int64_t valid_ms; /* OFS_NEVER, unless nobody could be asked */
};

/* Is it in the repository?  -ENOENT: no. */
int ofs_blob_find(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, const struct ofs_digest *digest,
                  struct ofs_blob_seen *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;

/* The same of a manifest, that is, at the manifests endpoint only. */
int ofs_blob_find_manifest(struct ofs_repos *repos, struct ofs_call *call,
                           struct ofs_repo *repo,
                           const struct ofs_digest *digest,
                           struct ofs_blob_seen *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

/* ---- awaiting.c: manifests that were accepted and wait for their parts ---- */

/* Its bytes are found by ofs_manifest_load from then on.  -ENOENT. */
int ofs_waiting_find(struct ofs_repos *repos, struct ofs_call *call,
                     const char *path, const struct ofs_digest *digest,
                     struct ofs_blob_seen *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* Is there any?  On a mount that writes. */
bool ofs_waiting_any(struct ofs_repos *repos, const char *path);
/* Add them to a sorted list, which is the caller's; sorted again. */
int ofs_waiting_add(struct ofs_repos *repos, const char *path,
                    struct ofs_digest **at, size_t *n) OFS_MUST_CHECK;

#endif
