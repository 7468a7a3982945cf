/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where writes are staged: below the cache, in a directory that belongs to this
 * registry, so that the next mount finds what this one left, wherever it is
 * mounted.  Each mount has one of its own: whoever comes second takes the next
 * number.
 */
#include "app_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/digest.h"
#include "ocirfs/file.h"
#include "ocirfs/push.h"
#include "ocirfs/tree_write.h"
#include "ocirfs/url.h"

enum {
    NAME_CHARS = 32,  /* of the digest that names the directory */
    MAX_MOUNTS = 256, /* of one registry at a time */
};

/* The registry's address, however it was spelled. */
static int registry_name(const struct ofs_app *a, struct ofs_buf *ret,
                         struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url url = { 0 };
    int r = ofs_url_parse(a->ora.registry_url, &url, err);
    size_t len;

    if (r < 0)
        return r;
    (void)ofs_url_origin(&url, ret);
    len = strlen(url.target);
    while (len > 0 && url.target[len - 1] == '/')
        len--;
    (void)ofs_buf_add(ret, url.target, len);
    return ret->failed ? ofs_err_nomem(err, "the staging area") : 0;
}

/* The n-th one (from 1) of that registry; NULL: no memory. */
static char *staging_dir(const char *folder, const struct ofs_buf *name,
                         unsigned n)
{
    char text[OFS_DIGEST_TEXT_MAX], number[16] = "";
    struct ofs_digest d;

    if (ofs_digest_of(OFS_SHA256, name->data, name->len, &d) < 0)
        return NULL;
    if (n > 1)
        (void)snprintf(number, sizeof(number), "-%u", n);
    return ofs_strf("%s/%.*s%s", folder, NAME_CHARS,
                    strchr(ofs_digest_format(&d, text), ':') + 1, number);
}

/* The first that no other mount has. */
static int open_free(struct ofs_app *a, struct ofs_push_cfg *cfg,
                     const struct ofs_buf *name, struct ofs_err *err)
{
    int r = -EBUSY;

    for (unsigned n = 1; n <= MAX_MOUNTS && r == -EBUSY; n++) {
        OFS_AUTOFREE char *dir = staging_dir(cfg->others, name, n);

        if (!dir)
            return ofs_err_nomem(err, "the staging area");
        cfg->dir = dir;
        r = ofs_push_open(cfg, &a->push, err);
    }
    return r;
}

int ofs_app_build_push(struct ofs_app *a, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf name = OFS_BUF_INIT(4096);
    OFS_AUTOFREE char *folder = NULL;
    struct ofs_push_cfg cfg = {
        .registry = a->registry,
        .store = a->store,
        .max_bytes = a->o->staging_bytes,
        .no_overwrite = a->o->no_overwrite,
        .clock = &ofs_system_clock,
    };
    int r;

    if (a->o->read_only)
        return 0;
    r = registry_name(a, &name, err);
    if (r < 0)
        return r;
    folder = ofs_strf("%s/staging", a->o->cache_dir);
    if (!folder)
        return ofs_err_nomem(err, "the staging area");
    cfg.others = folder;
    cfg.url = ofs_buf_str(&name);
    ofs_tree_push_hooks(a->tree, &cfg.hooks);
    r = open_free(a, &cfg, &name, err);
    if (r < 0)
        return r;
    a->status.push = a->push;
    ofs_tree_use_push(a->tree, a->push);
    return 0;
}
