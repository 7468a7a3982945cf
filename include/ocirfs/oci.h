/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCI_H
#define OFS_OCI_H

/*
 * Oracle's control plane as ocirfs needs it: compartments (Identity) and
 * container repositories and images (Artifacts).  Lists are paged to their
 * end.  Every call is signed, retried by the rule of the facts (each retry
 * signed anew) and blocks as its ofs_call allows; -EAGAIN when it may not.
 * Thread-safe.
 *
 * Common errors: -ENOENT not there or not permitted (the service does not
 * tell which), -EACCES, -EPERM, -EDQUOT, -EEXIST, -EBUSY, -ESTALE (etag),
 * -EINVAL, -EBADMSG, network errnos as http.h.  err->id is the service's code,
 * err->request_id its opc-request-id.
 *
 * Source: facts "ocir-api" sections 5 to 8 and 12.
 */

#include "ocirfs/call.h"
#include "ocirfs/digest.h"
#include "ocirfs/oci_auth.h"

#include <stdbool.h>

struct ofs_oci;

struct ofs_oci_cfg {
    struct ofs_http *http;
    struct ofs_oci_auth *auth;
    const struct ofs_oci_region *region;
    const char *identity_url, *artifacts_url, *objectstorage_url; /* override */
    const struct ofs_clock *clock;
    int max_attempts; /* 0: 4, for somebody who waits */
};

struct ofs_oci *ofs_oci_new(const struct ofs_oci_cfg *cfg, struct ofs_err *err);
void ofs_oci_free(struct ofs_oci *o);
OFS_DEFINE_AUTO(struct ofs_oci, ofs_oci_free)

struct ofs_oci_compartment {
    char *id, *parent_id, *name; /* owned */
    int64_t created_s;
};

struct ofs_oci_compartments {
    struct ofs_oci_compartment *at; /* owned */
    size_t n;
};
void ofs_oci_compartments_done(struct ofs_oci_compartments *c);

/* The whole tree below the tenancy, ACTIVE ones only, without the root. */
int ofs_oci_list_compartments(struct ofs_oci *o, struct ofs_call *call,
                              struct ofs_oci_compartments *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;

/* The tenancy's namespace: first part of every repository name (owned). */
int ofs_oci_namespace(struct ofs_oci *o, struct ofs_call *call, char **ret,
                      struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_oci_repository {
    char *id, *compartment_id, *name, *namespace_name; /* owned */
    char *readme, *readme_format, *created_by, *etag;  /* NULL: not told */
    bool is_public;
    int is_immutable; /* -1: not told by a list */
    uint64_t n_images, n_layers, layers_bytes;
    int64_t created_s, pushed_s; /* 0: not told */
};
void ofs_oci_repository_done(struct ofs_oci_repository *r);

struct ofs_oci_repositories {
    struct ofs_oci_repository *at; /* owned */
    size_t n;
};
void ofs_oci_repositories_done(struct ofs_oci_repositories *r);

/*
 * Repositories of a compartment; `subtree` with the tenancy's OCID: of all
 * compartments in one list.
 */
int ofs_oci_list_repositories(struct ofs_oci *o, struct ofs_call *call,
                              const char *compartment_id, bool subtree,
                              struct ofs_oci_repositories *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;
int ofs_oci_get_repository(struct ofs_oci *o, struct ofs_call *call,
                           const char *id, struct ofs_oci_repository *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;
/* -EEXIST: the name is taken in this tenancy and region. */
int ofs_oci_create_repository(struct ofs_oci *o, struct ofs_call *call,
                              const char *compartment_id, const char *name,
                              struct ofs_oci_repository *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;
/* With all its images.  `etag`: only as it was then, else -ESTALE; or NULL. */
int ofs_oci_delete_repository(struct ofs_oci *o, struct ofs_call *call,
                              const char *id, const char *etag,
                              struct ofs_err *err) OFS_MUST_CHECK;
int ofs_oci_move_repository(struct ofs_oci *o, struct ofs_call *call,
                            const char *id, const char *compartment_id,
                            struct ofs_err *err) OFS_MUST_CHECK;

/* What to change; NULL and -1 leave as it is. */
struct ofs_oci_repository_change {
    int is_public, is_immutable;
    const char *readme, *readme_format; /* format: TEXT_MARKDOWN, TEXT_PLAIN */
};
int ofs_oci_update_repository(struct ofs_oci *o, struct ofs_call *call,
                              const char *id,
                              const struct ofs_oci_repository_change *change,
                              struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_oci_version {
    char *tag; /* owned */
    int64_t created_s;
};

struct ofs_oci_image {
    char *id, *repository_id, *etag; /* owned; etag NULL in lists */
    struct ofs_digest digest;
    int64_t created_s, pulled_s;
    uint64_t manifest_bytes, layers_bytes, n_pulls; /* 0 in lists */
    struct ofs_oci_version *versions; /* owned; in lists at most the latest */
    size_t n_versions;
};
void ofs_oci_image_done(struct ofs_oci_image *i);

struct ofs_oci_images {
    struct ofs_oci_image *at; /* owned */
    size_t n;
};
void ofs_oci_images_done(struct ofs_oci_images *i);

/* Tagged images of a repository that lies in `compartment_id`. */
int ofs_oci_list_images(struct ofs_oci *o, struct ofs_call *call,
                        const char *compartment_id, const char *repository_id,
                        struct ofs_oci_images *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;
int ofs_oci_get_image(struct ofs_oci *o, struct ofs_call *call, const char *id,
                      struct ofs_oci_image *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* By "<namespace>/<repository>:<tag>" or "…@<digest>". */
int ofs_oci_lookup_image(struct ofs_oci *o, struct ofs_call *call,
                         const char *uri, struct ofs_oci_image *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* Untag: other tags and the manifest stay. */
int ofs_oci_remove_version(struct ofs_oci *o, struct ofs_call *call,
                           const struct ofs_oci_image *image, const char *tag,
                           struct ofs_err *err) OFS_MUST_CHECK;
/* Undo a deletion within 48 hours; `tag` NULL: as it was. */
int ofs_oci_restore_image(struct ofs_oci *o, struct ofs_call *call,
                          const char *id, const char *tag,
                          struct ofs_err *err) OFS_MUST_CHECK;

/* Does a push make missing repositories, in the root compartment? */
int ofs_oci_creates_on_push(struct ofs_oci *o, struct ofs_call *call, bool *ret,
                            struct ofs_err *err) OFS_MUST_CHECK;

#endif
