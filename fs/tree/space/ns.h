/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NS_H
#define OFS_NS_H

/*
 * Which directories there are.  A directory is a scope and a path: the path is
 * what the registry calls a repository or the beginning of that, the scope is
 * the compartment of OCIR that shows it.  A plain registry has one, SCOPE_NONE.
 * A compartment itself is the path "" of its scope, as the root is; Oracle's
 * namespace, the first part of every path in a compartment, is not shown.
 */

#include "backend.h"
#include "repo_state.h"

struct ofs_overlay;

/* What ns.c and manage.c work with; immutable. */
struct ofs_space {
    struct ofs_backend *backend; /* which directories there are */
    struct ofs_sync *sync;
    struct ofs_repos *repos;
    struct ofs_new_repos *new_repos;
    struct ofs_overlay *overlay;
    bool allow_delete;
};

/* What is at `path` ("" is the root), by what is known however old it is. */
int ofs_ns_known(struct ofs_space *space, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_ns *ret,
                 struct ofs_err *err) OFS_MUST_CHECK;
/* The same, asking the registry when that is older than the ttl. */
int ofs_ns_fresh(struct ofs_space *space, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_ns *ret,
                 struct ofs_err *err) OFS_MUST_CHECK;
/* By what is known in memory alone, even if that is nothing. */
void ofs_ns_guess(struct ofs_space *space, uint64_t scope, const char *path,
                  struct ofs_ns *ret);
/* The parts below `path`, sorted, without duplicates, as they are known. */
int ofs_ns_parts(struct ofs_space *space, struct ofs_call *call, uint64_t scope,
                 const char *path, struct ofs_strv *ret,
                 struct ofs_err *err) OFS_MUST_CHECK;

/*
 * The path of repository part `part` below directory `path`.  -ENOENT: no
 * repository can be called or begin so.
 */
int ofs_ns_join(struct ofs_space *space, struct ofs_call *call,
                const char *path, const char *part, char ret[NAME_MAX + 1],
                struct ofs_err *err) OFS_MUST_CHECK;

/* Is there a repository below it, as far as is known?  What was taken away here
 * does not count, whatever a catalog goes on listing. */
bool ofs_ns_has_below(struct ofs_space *space, uint64_t scope,
                      const char *path);

/* The directory above one; the root's is itself. */
void ofs_ns_above(struct ofs_space *space, uint64_t scope, const char *path,
                  struct ofs_above *ret);
/* The scope of the directory that is the repository `path`. */
uint64_t ofs_ns_scope_of(struct ofs_space *space, const char *path);

/* mtime of a directory. */
int64_t ofs_ns_mtime(struct ofs_space *space, uint64_t scope, const char *path);
/* The same of what lies in a repository: when names were seen to change. */
int64_t ofs_ns_repo_mtime(struct ofs_space *space, const char *path);

/*
 * Does the control plane list the repository, or do manifests wait here for the
 * rest of their parts?  Then it is there, even if the registry, which knows
 * nothing of one without tags, says that it is not.
 */
bool ofs_ns_vouches(struct ofs_space *space, const char *path);

/* A compartment in the compartment `scope`.  -ENOENT: there is none. */
struct ofs_compartment_found {
    uint64_t scope;
    int64_t left_ms; /* how long that is good */
};
int ofs_ns_find_compartment(struct ofs_space *space, struct ofs_call *call,
                            uint64_t scope, const char *name,
                            struct ofs_compartment_found *ret,
                            struct ofs_err *err) OFS_MUST_CHECK;

/* All that are in there; none where there are no compartments. */
int ofs_ns_children(struct ofs_space *space, uint64_t scope,
                    struct ofs_children *ret) OFS_MUST_CHECK;
/* Why nothing is known of what is there: -EACCES and the service's words. */
int ofs_ns_refusal(struct ofs_space *space, uint64_t scope,
                   struct ofs_err *err);

#endif
