/* SPDX-License-Identifier: Apache-2.0 */
#include "found.h"

#include "ocirfs/call.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

void ofs_spec_set(struct ofs_node_spec *ret, const char *kind, const char *path,
                  const char *name)
{
    assert(strlen(path) <= NAME_MAX && strlen(name) <= NAME_MAX);
    memset(ret, 0, sizeof(*ret));
    ret->kind = kind;
    memcpy(ret->path, path, strlen(path) + 1);
    memcpy(ret->name, name, strlen(name) + 1);
}

void ofs_spec_dir(struct ofs_node_spec *ret, uint64_t scope, const char *path)
{
    ofs_spec_set(ret, OFS_KIND_DIR, path, "");
    ret->scope = scope;
}

void ofs_found_init(struct ofs_found *ret, const struct ofs_view *view,
                    const char *kind, const char *path, const char *name)
{
    ofs_spec_set(&ret->spec, kind, path, name);
    ret->spec.view = view;
    ret->valid_ms = OFS_NEVER;
}

int ofs_told(int code, struct ofs_err *err, const char *what)
{
    if (code < 0 && code != -EAGAIN && err && err->code != code)
        (void)ofs_err_errno(err, -code, what);
    return code;
}
