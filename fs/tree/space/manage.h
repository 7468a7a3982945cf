/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MANAGE_H
#define OFS_MANAGE_H

/*
 * Making and unmaking repositories and tags: what mkdir, rmdir, mv of a
 * directory and rm of a tag do.  A plain registry remembers a new repository
 * until its first push; Oracle's control plane makes it at once, in the
 * compartment that the directory belongs to.  No lock is held.
 *
 * -EPERM: a guard (allow_delete) or the service forbids it; the sentence says
 * which option or policy would allow it.
 */

#include "found.h"
#include "ns.h"

/* `name` below directory `dir` is a repository from now on.  -EEXIST. */
int ofs_manage_mkdir(struct ofs_space *space, struct ofs_call *call,
                     const struct ofs_node *dir, const char *name,
                     struct ofs_node_spec *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* -ENOTEMPTY: it holds an image, or is the way to others. */
int ofs_manage_rmdir(struct ofs_space *space, struct ofs_call *call,
                     const struct ofs_node *dir, const char *name,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* A repository to another directory.  -EXDEV: not possible here. */
int ofs_manage_move(struct ofs_space *space, struct ofs_call *call,
                    const struct ofs_node *dir, const char *name,
                    const struct ofs_node *to_dir, const char *to_name,
                    struct ofs_err *err) OFS_MUST_CHECK;
/* Take a tag away, never a manifest.  `repo` as the registry calls it.  The
 * caller has asked for allow_delete, where something is lost by it. */
int ofs_manage_untag(struct ofs_space *space, struct ofs_call *call,
                     const char *repo, const char *tag,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* May `tag` be set?  `old` is what it names now; NULL: nothing.  -EPERM. */
int ofs_manage_may_move(struct ofs_space *space, struct ofs_call *call,
                        const char *repo, const char *tag,
                        const struct ofs_digest *old,
                        struct ofs_err *err) OFS_MUST_CHECK;
/* Is it known that tags of `repo` cannot be moved?  No network. */
bool ofs_manage_is_immutable(struct ofs_space *space, const char *repo);

/* What the backend tells of a directory, of a tag: nothing, often.  As the
 * operations of views. */
int ofs_manage_dir_xattrs(struct ofs_space *space, struct ofs_call *call,
                          const struct ofs_node *dir, struct ofs_xattrs *ret,
                          struct ofs_err *err) OFS_MUST_CHECK;
int ofs_manage_tag_xattrs(struct ofs_space *space, struct ofs_call *call,
                          const struct ofs_node *tag, struct ofs_xattrs *ret,
                          struct ofs_err *err) OFS_MUST_CHECK;
int ofs_manage_set_xattr(struct ofs_space *space, struct ofs_call *call,
                         const struct ofs_node *dir, const char *name,
                         const struct ofs_buf *value,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
