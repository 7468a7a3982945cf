/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_H
#define OFS_ORA_H

/*
 * Oracle's control plane as ocirfs needs it: compartments (Identity) and
 * container repositories and images (Artifacts).  Lists are paged to their
 * end.  Every call is signed, retried as Oracle's SDKs do (each retry
 * signed anew) and blocks as its ofs_call allows; -EAGAIN when it may not.
 * Thread-safe.
 *
 * Common errors: -ENOENT not there or not permitted (the service does not
 * tell which; to who wants to change something it is -EACCES), -EPERM, -EDQUOT, -EEXIST, -EBUSY, -ESTALE (etag),
 * -EINVAL, -EBADMSG, network errnos as http.h.  err->id is the service's code,
 * err->request_id its opc-request-id.
 *
 * Source: OCI API reference: Identity, Artifacts and Container Images, Object
 * Storage (20160918); the retry rules of Oracle's SDKs.
 */

#include "ocirfs/call.h"
#include "ocirfs/digest.h"
#include "ocirfs/ora_auth.h"

#include <stdbool.h>

struct ofs_ora;

struct ofs_ora_cfg {
    struct ofs_http *http;
    struct ofs_ora_auth *auth;
    const struct ofs_ora_region *region;
    const char *identity_url, *artifacts_url, *objectstorage_url; /* override */
    const struct ofs_clock *clock;
    int max_attempts; /* 0: 4, for somebody who waits */
};

struct ofs_ora *ofs_ora_new(const struct ofs_ora_cfg *cfg, struct ofs_err *err);
void ofs_ora_free(struct ofs_ora *o);

/*
 * Where a policy has to be for what has this OCID, in the words of policies:
 * "compartment prod:eu"; nothing when that is not known.
 */
typedef void ofs_ora_place_fn(void *arg, const char *ocid, struct ofs_buf *ret);
/* Before anything is asked; NULL when `arg` ends. */
void ofs_ora_use_places(struct ofs_ora *o, ofs_ora_place_fn *place, void *arg);
OFS_DEFINE_AUTO(struct ofs_ora, ofs_ora_free)

struct ofs_ora_compartment {
    char *id, *parent_id, *name; /* owned */
    int64_t created_s;
};

struct ofs_ora_compartments {
    struct ofs_ora_compartment *at; /* owned */
    size_t n, room;
};
void ofs_ora_compartments_done(struct ofs_ora_compartments *c);

/* The whole tree below the tenancy, ACTIVE ones only, without the root. */
int ofs_ora_list_compartments(struct ofs_ora *o, struct ofs_call *call,
                              struct ofs_ora_compartments *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;

/* As ofs_ora_auth_who. */
bool ofs_ora_who(struct ofs_ora *o, struct ofs_digest *ret);

/* The tenancy's namespace: first part of every repository name (owned). */
int ofs_ora_namespace(struct ofs_ora *o, struct ofs_call *call, char **ret,
                      struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_ora_repository {
    char *id, *compartment_id, *name, *namespace_name; /* owned */
    char *readme, *readme_format, *created_by, *etag;  /* NULL: not told */
    bool is_public;
    int is_immutable; /* -1: not told by a list */
    uint64_t n_images, n_layers, layers_bytes;
    int64_t created_s, pushed_s; /* 0: not told */
};
void ofs_ora_repository_done(struct ofs_ora_repository *r);

struct ofs_ora_repositories {
    struct ofs_ora_repository *at; /* owned */
    size_t n, room;
};
void ofs_ora_repositories_done(struct ofs_ora_repositories *r);

/*
 * Repositories of a compartment; `subtree` with the tenancy's OCID: of all
 * compartments in one list.
 */
int ofs_ora_list_repositories(struct ofs_ora *o, struct ofs_call *call,
                              const char *compartment_id, bool subtree,
                              struct ofs_ora_repositories *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ora_get_repository(struct ofs_ora *o, struct ofs_call *call,
                           const char *id, struct ofs_ora_repository *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;
/* -EEXIST: the name is taken in this tenancy and region. */
int ofs_ora_create_repository(struct ofs_ora *o, struct ofs_call *call,
                              const char *compartment_id, const char *name,
                              struct ofs_ora_repository *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;
/* With all its images.  `etag`: only as it was then, else -ESTALE; or NULL. */
int ofs_ora_delete_repository(struct ofs_ora *o, struct ofs_call *call,
                              const char *id, const char *etag,
                              struct ofs_err *err) OFS_MUST_CHECK;
int ofs_ora_move_repository(struct ofs_ora *o, struct ofs_call *call,
                            const char *id, const char *compartment_id,
                            struct ofs_err *err) OFS_MUST_CHECK;

/* What to change; NULL and -1 leave as it is. */
struct ofs_ora_repository_change {
    int is_public, is_immutable;
    const char *readme, *readme_format; /* format: TEXT_MARKDOWN, TEXT_PLAIN */
};
int ofs_ora_update_repository(struct ofs_ora *o, struct ofs_call *call,
                              const char *id,
                              const struct ofs_ora_repository_change *change,
                              struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_ora_version {
    char *tag; /* owned */
    int64_t created_s;
};

struct ofs_ora_image {
    char *id, *repository_id, *etag; /* owned; etag NULL in lists */
    struct ofs_digest digest;
    int64_t created_s, pulled_s;
    uint64_t manifest_bytes, layers_bytes, n_pulls; /* 0 in lists */
    struct ofs_ora_version *versions; /* owned; in lists at most the latest */
    size_t n_versions;
};
void ofs_ora_image_done(struct ofs_ora_image *i);

struct ofs_ora_images {
    struct ofs_ora_image *at; /* owned */
    size_t n, room;
};
void ofs_ora_images_done(struct ofs_ora_images *i);

/* Tagged images of a repository that lies in `compartment_id`. */
int ofs_ora_list_images(struct ofs_ora *o, struct ofs_call *call,
                        const char *compartment_id, const char *repository_id,
                        struct ofs_ora_images *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;
/* By "<namespace>/<repository>:<tag>" or "…@<digest>". */
int ofs_ora_lookup_image(struct ofs_ora *o, struct ofs_call *call,
                         const char *uri, struct ofs_ora_image *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* Untag: other tags and the manifest stay. */
int ofs_ora_remove_version(struct ofs_ora *o, struct ofs_call *call,
                           const struct ofs_ora_image *image, const char *tag,
                           struct ofs_err *err) OFS_MUST_CHECK;

#endif
