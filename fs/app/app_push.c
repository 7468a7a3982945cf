/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where writes are staged: below the cache, in a directory that belongs to this
 * source on this mount point, so that the next mount finds what this one left.
 */
#include "app_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/digest.h"
#include "ocirfs/file.h"
#include "ocirfs/push.h"
#include "ocirfs/tree_write.h"

enum { NAME_CHARS = 32 }; /* of the digest that names the directory */

/* <cache>/staging/<digest of source and mount point>; NULL: no memory. */
static char *staging_dir(const struct ofs_app *a)
{
    OFS_AUTOFREE char *key = ofs_strf("%s\n%s", a->o->source, a->mountpoint);
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d;

    if (!key || ofs_digest_of(OFS_SHA256, key, strlen(key), &d) < 0)
        return NULL;
    return ofs_strf("%s/staging/%.*s", a->o->cache_dir, NAME_CHARS,
                    strchr(ofs_digest_format(&d, text), ':') + 1);
}

int ofs_app_build_push(struct ofs_app *a, struct ofs_err *err)
{
    OFS_AUTOFREE char *dir = NULL;
    struct ofs_push_cfg cfg = {
        .registry = a->registry,
        .store = a->store,
        .url = a->o->source,
        .max_bytes = a->o->staging_bytes,
        .no_overwrite = a->o->no_overwrite,
        .clock = &ofs_system_clock,
    };
    int r;

    if (a->o->read_only)
        return 0;
    dir = staging_dir(a);
    if (!dir)
        return ofs_err_nomem(err, "the staging area");
    r = ofs_mkdirs(dir);
    if (r < 0)
        return ofs_err_errno(err, -r, dir);
    cfg.dir = dir;
    ofs_tree_push_hooks(a->tree, &cfg.hooks);
    r = ofs_push_open(&cfg, &a->push, err);
    if (r < 0)
        return r;
    a->status.push = a->push;
    ofs_tree_use_push(a->tree, a->push);
    return 0;
}
