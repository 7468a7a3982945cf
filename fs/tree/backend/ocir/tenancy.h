/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TENANCY_H
#define OFS_TENANCY_H

/*
 * What the control plane says of a tenancy: its compartments and which
 * repositories lie in them.  Thread-safe.
 *
 * One list of all compartments and one of all repositories make the whole
 * tree.  A service that gives no list of all repositories is asked for those
 * of one compartment when somebody looks there.
 *
 * A path is `<namespace>/<displayName>`, which is unique in a tenancy.
 */

#include "ocir.h"

struct ofs_tenancy;

/* NULL: no memory. */
struct ofs_tenancy *ofs_tenancy_new(const struct ofs_ocir_backend_cfg *cfg);
void ofs_tenancy_free(struct ofs_tenancy *n);

/* What an earlier mount saw, for when nobody answers. */
void ofs_note_load_tenancy(struct ofs_tenancy *n);

/* ---- which directories there are ---- */

/* Have the names in a compartment.  A refusal is 0: search tells it. */
int ofs_tenancy_want(struct ofs_tenancy *n, struct ofs_call *call,
                     uint64_t scope, struct ofs_err *err) OFS_MUST_CHECK;
/*
 * Ask now, before the mount: -ENOENT no such compartment, -EACCES nothing at
 * all is shown to us.  Other refusals are 0 and told by cfg.warn.
 */
int ofs_tenancy_check(struct ofs_tenancy *n, struct ofs_call *call,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* Have the lists, also where only what is named is shown. */
int ofs_tenancy_learn(struct ofs_tenancy *n, struct ofs_call *call,
                      struct ofs_err *err) OFS_MUST_CHECK;
bool ofs_tenancy_is_known(struct ofs_tenancy *n, uint64_t scope);
void ofs_tenancy_search(struct ofs_tenancy *n, uint64_t scope, const char *path,
                        struct ofs_ns *ret);
int ofs_tenancy_parts(struct ofs_tenancy *n, uint64_t scope, const char *path,
                      struct ofs_strv *ret) OFS_MUST_CHECK;

/* First part of every path; asks when nobody has said it yet. */
int ofs_tenancy_namespace(struct ofs_tenancy *n, struct ofs_call *call,
                          char ret[NAME_MAX + 1],
                          struct ofs_err *err) OFS_MUST_CHECK;

/* What the last list said; false: nothing. */
bool ofs_tenancy_place_of(struct ofs_tenancy *n, const char *path,
                          struct ofs_repo_location *ret);

/* The compartment above, and when this one was made or seen to change. */
uint64_t ofs_tenancy_above(struct ofs_tenancy *n, uint64_t scope);
int64_t ofs_tenancy_mtime(struct ofs_tenancy *n, uint64_t scope);

/* ---- compartments ---- */

int ofs_tenancy_children(struct ofs_tenancy *n, uint64_t scope,
                         struct ofs_children *ret) OFS_MUST_CHECK;
/* By the name it is listed as, or its OCID; 0: there is none. */
uint64_t ofs_tenancy_child(struct ofs_tenancy *n, uint64_t scope,
                           const char *name);
/* Its OCID, new memory; NULL: unknown, or no memory. */
char *ofs_tenancy_ocid(struct ofs_tenancy *n, uint64_t scope);

/* ---- what places are called ---- */

/* As ofs_ora_place_fn; `arg` is the tenancy. */
void ofs_tenancy_policy_place(void *arg, const char *ocid, struct ofs_buf *ret);
/* The same of a repository; nothing: it is not listed. */
void ofs_tenancy_policy_of(struct ofs_tenancy *n, const char *path,
                           struct ofs_buf *ret);
/* Where the mount has it: "prod/eu/project01/web"; scope 0: of the compartment
 * that the repository lies in. */
void ofs_tenancy_shown(struct ofs_tenancy *n, uint64_t scope, const char *path,
                       struct ofs_buf *ret);

/*
 * Why nothing is known of the repositories in a compartment: -EACCES and the
 * service's words; 0: it is known.
 */
int ofs_tenancy_refusal(struct ofs_tenancy *n, uint64_t scope,
                        struct ofs_err *err);

/* ---- repositories ---- */

/* OCIDs of a repository and of the compartment that it lies in. */
struct ofs_repo_ocids {
    char *id, *compartment; /* owned */
};
void ofs_repo_ocids_done(struct ofs_repo_ocids *o);
/* -ENOENT: the control plane does not list it. */
int ofs_tenancy_find(struct ofs_tenancy *n, struct ofs_call *call,
                     const char *path, struct ofs_repo_ocids *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;

/* Paths of the repositories at and below `path` that a compartment shows. */
int ofs_tenancy_names(struct ofs_tenancy *n, uint64_t scope, const char *path,
                      struct ofs_strv *ret) OFS_MUST_CHECK;

/*
 * Changes, by the service's leave.  What was changed is known at once, and the
 * answer to a question that was asked before does not undo it.
 */
int ofs_tenancy_create(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *compartment, const char *display,
                       struct ofs_err *err) OFS_MUST_CHECK;
/* `etag`: only if it is as it was then, else -ESTALE. */
int ofs_tenancy_delete(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *path, const char *id, const char *etag,
                       struct ofs_err *err) OFS_MUST_CHECK;
int ofs_tenancy_move(struct ofs_tenancy *n, struct ofs_call *call,
                     const char *path, const char *compartment,
                     struct ofs_err *err) OFS_MUST_CHECK;
int ofs_tenancy_update(struct ofs_tenancy *n, struct ofs_call *call,
                       const char *path,
                       const struct ofs_ora_repository_change *change,
                       struct ofs_err *err) OFS_MUST_CHECK;
/* The manifest and its other tags stay. */
int ofs_tenancy_untag(struct ofs_tenancy *n, struct ofs_call *call,
                      const char *path, const char *tag,
                      struct ofs_err *err) OFS_MUST_CHECK;

#endif
