/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FOUND_H
#define OFS_FOUND_H

/* What was found by a name, and what is said of what was not.  Pure. */

#include "ocirfs/err.h"

#include "nodes.h"

#define OFS_KIND_DIR "dir" /* of a view: part of the number of directories */

/* What a name in a directory stands for; spec.view NULL: nothing. */
struct ofs_found {
    struct ofs_node_spec spec;
    int64_t valid_ms; /* how long the name may be believed, also "nothing" */
};

/* `ret` is at path and name; it has neither a view nor content yet. */
void ofs_spec_set(struct ofs_node_spec *ret, const char *kind, const char *path,
                  const char *name);
/* Likewise, a directory of repositories: enough to know its number. */
void ofs_spec_dir(struct ofs_node_spec *ret, uint64_t scope, const char *path);

/* `ret` stands for `view`, of that kind, at path and name, for ever; it has no
 * content yet. */
void ofs_found_init(struct ofs_found *ret, const struct ofs_view *view,
                    const char *kind, const char *path, const char *name);

/* A sentence for failures that came without one.  Returns `code`. */
int ofs_told(int code, struct ofs_err *err, const char *what);

#endif
