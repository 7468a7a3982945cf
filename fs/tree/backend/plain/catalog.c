/* SPDX-License-Identifier: Apache-2.0 */
#include "catalog.h"

#include "ocirfs/clock.h"
#include "ocirfs/registry.h"

#include "pathset.h"
#include "refresh.h"

int ofs_catalog_init(struct ofs_catalog *c, const struct ofs_strv *named)
{
    ofs_mutex_init(&c->mtx, OFS_RANK_NODE);
    c->list.ttl_ms = c->sync->ttl_ms;
    for (size_t i = 0; named && i < named->n; i++)
        if (ofs_strv_add(&c->names, named->at[i]) < 0)
            return -ENOMEM;
    if (!c->names.n)
        return 0;
    ofs_strv_sort(&c->names);
    ofs_strv_unique(&c->names);
    ofs_listing_said(&c->list, ofs_sync_now(c->sync), 0);
    c->list.ttl_ms = OFS_NEVER;
    return 0;
}

void ofs_catalog_done(struct ofs_catalog *c)
{
    ofs_strv_done(&c->names);
    free(c->url);
    free(c->note_key);
    ofs_mutex_done(&c->mtx);
}

/* Was there another answer, or none, before? */
static bool take_answer(struct ofs_catalog *c, int64_t asked_ms, bool none,
                        struct ofs_strv *names)
{
    bool changed;

    OFS_GUARD(&c->mtx);
    changed = c->list.state != OFS_LIST_KNOWN || c->none != none ||
              !ofs_paths_equal(&c->names, names);
    if (changed && c->list.state == OFS_LIST_KNOWN &&
        c->list.at_ms != OFS_LONG_AGO)
        c->changed_s = ofs_wall_s();
    ofs_strv_done(&c->names);
    c->names = *names;
    memset(names, 0, sizeof(*names));
    c->none = none;
    c->list.ttl_ms = none && c->sync->ttl_ms < OFS_NO_CATALOG_MS
                         ? OFS_NO_CATALOG_MS
                         : c->sync->ttl_ms;
    ofs_listing_said(&c->list, asked_ms, 0);
    return changed;
}

/*
 * Whoever showed us names and now refuses has changed its mind about us, as
 * after a login that has ended; it has not lost its catalog.  The names stay,
 * and asking for one of them tells the refusal.
 */
static bool keep_names(struct ofs_catalog *c, int64_t asked_ms)
{
    OFS_GUARD(&c->mtx);
    if (c->list.state != OFS_LIST_KNOWN || c->none || !c->names.n)
        return false;
    ofs_listing_said(&c->list, asked_ms, 0);
    return true;
}

static int fetch_catalog(void *arg, void *owner, struct ofs_call *call,
                         struct ofs_err *err)
{
    struct ofs_catalog *c = owner;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    int64_t asked_ms = ofs_sync_now(c->sync);
    int r = ofs_registry_catalog(c->registry, call, &names, err);

    (void)arg;
    if (r < 0 && r != -ENOTSUP)
        return r;
    if (r == -ENOTSUP && keep_names(c, asked_ms))
        return 0;
    if (take_answer(c, asked_ms, r == -ENOTSUP, &names))
        ofs_note_catalog(c);
    return 0;
}

static const struct ofs_listing_ops catalog_ops = {
    .fetch = fetch_catalog,
};

int ofs_catalog_want(struct ofs_catalog *c, struct ofs_call *call,
                     struct ofs_err *err)
{
    const struct ofs_listing_of of = {
        .sync = c->sync,
        .ops = &catalog_ops,
        .owner = c,
        .mtx = &c->mtx,
        .listing = &c->list,
        .key = "catalog",
    };

    return ofs_listing_want(&of, call, err);
}

bool ofs_catalog_is_known(struct ofs_catalog *c)
{
    OFS_GUARD(&c->mtx);
    return c->list.state == OFS_LIST_KNOWN;
}

void ofs_catalog_search(struct ofs_catalog *c, const char *path,
                        struct ofs_ns *ret)
{
    OFS_GUARD(&c->mtx);
    ret->flags = c->none ? OFS_NS_OPEN : 0;
    ret->left_ms =
        ofs_fresh_left(c->list.at_ms, ofs_sync_now(c->sync), c->list.ttl_ms);
    if (ret->left_ms > c->sync->ttl_ms)
        ret->left_ms = c->sync->ttl_ms;
    if (!*path)
        ret->flags |= OFS_NS_PARENT;
    if (!*path || c->none)
        return;
    if (ofs_strv_has(&c->names, path))
        ret->flags |= OFS_NS_REPO;
    if (ofs_paths_below(&c->names, path))
        ret->flags |= OFS_NS_PARENT;
}

int ofs_catalog_parts(struct ofs_catalog *c, const char *path,
                      struct ofs_strv *ret)
{
    OFS_GUARD(&c->mtx);
    return ofs_paths_parts(&c->names, path, ret);
}

int64_t ofs_catalog_changed_s(struct ofs_catalog *c)
{
    OFS_GUARD(&c->mtx);
    return c->changed_s;
}
