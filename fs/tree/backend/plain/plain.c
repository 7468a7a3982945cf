/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The distribution specification knows no empty repository: the first manifest
 * makes one, and nothing unmakes it.  So there is a catalog, and tags can be
 * taken away; the rest is remembered by this mount.
 */
#include "plain.h"

#include "ocirfs/reg_publish.h"

#include "catalog.h"
#include "names.h"

struct plain {
    struct ofs_backend base;
    struct ofs_catalog catalog;
};

static struct ofs_catalog *catalog_of(struct ofs_backend *b)
{
    return &((struct plain *)b)->catalog;
}

static void plain_free(struct ofs_backend *b)
{
    ofs_catalog_done(catalog_of(b));
    free(b);
}

static int plain_want(struct ofs_backend *b, struct ofs_call *call,
                      uint64_t scope, struct ofs_err *err)
{
    (void)scope;
    return ofs_catalog_want(catalog_of(b), call, err);
}

static bool plain_is_known(struct ofs_backend *b, uint64_t scope)
{
    (void)scope;
    return ofs_catalog_is_known(catalog_of(b));
}

static void plain_search(struct ofs_backend *b, const struct ofs_where *at,
                         struct ofs_ns *ret)
{
    ofs_catalog_search(catalog_of(b), at->path, ret);
}

static int plain_parts(struct ofs_backend *b, const struct ofs_where *at,
                       struct ofs_strv *ret)
{
    return ofs_catalog_parts(catalog_of(b), at->path, ret);
}

static void plain_above(struct ofs_backend *b, const struct ofs_where *at,
                        struct ofs_above *ret)
{
    (void)b;
    ret->scope = at->scope;
    ofs_path_parent(at->path, ret->path);
}

static int64_t plain_mtime(struct ofs_backend *b, const struct ofs_where *at)
{
    (void)b;
    (void)at;
    return 0;
}

static int64_t plain_changed(struct ofs_backend *b)
{
    return ofs_catalog_changed_s(catalog_of(b));
}

static int plain_join(struct ofs_backend *b, struct ofs_call *call,
                      const char *path, const char *part,
                      char ret[NAME_MAX + 1], struct ofs_err *err)
{
    (void)b;
    (void)call;
    (void)err;
    return ofs_path_join(path, part, ret);
}

static int plain_untag(struct ofs_backend *b, struct ofs_call *call,
                       const char *repo, const char *tag, struct ofs_err *err)
{
    return ofs_registry_tag_delete(catalog_of(b)->registry, call, repo, tag,
                                   err);
}

static const struct ofs_backend_ops plain_ops = {
    .root = OFS_SCOPE_NONE,
    .free = plain_free,
    .want = plain_want,
    .is_known = plain_is_known,
    .search = plain_search,
    .parts = plain_parts,
    .above = plain_above,
    .mtime = plain_mtime,
    .changed = plain_changed,
    .join = plain_join,
    .untag = plain_untag,
};

struct ofs_backend *ofs_plain_new(const struct ofs_plain_cfg *cfg)
{
    struct plain *p = calloc(1, sizeof(*p));
    struct ofs_catalog *c;

    if (!p)
        return NULL;
    p->base = (struct ofs_backend){ .ops = &plain_ops,
                                    .sync = cfg->sync,
                                    .store = cfg->store };
    c = &p->catalog;
    c->sync = cfg->sync;
    c->store = cfg->store;
    c->registry = cfg->registry;
    c->url = strdup(cfg->url);
    if (ofs_catalog_init(c, cfg->named) < 0 || !c->url) {
        plain_free(&p->base);
        return NULL;
    }
    if (c->list.state == OFS_LIST_UNKNOWN)
        ofs_note_load_catalog(c);
    return &p->base;
}
