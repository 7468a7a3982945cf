/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which repositories there are.  Three cases: the user named them, the
 * registry has a catalog, or nobody knows.  In the last one a directory is
 * found by asking for the tags of its path; a path that is no repository may
 * still be the beginning of one (`library` of `library/alpine`), so one may
 * walk through it.
 */
#include "ocirfs/clock.h"
#include "ocirfs/ref.h"
#include "ocirfs/registry.h"

#include "names.h"
#include "refresh.h"
#include "tree_priv.h"

int ofs_catalog_init(struct ofs_tree *t, const struct ofs_strv *named)
{
    struct ofs_catalog *c = &t->catalog;

    ofs_mutex_init(&c->mtx, OFS_RANK_NODE);
    c->list.ttl_ms = t->ttl_ms;
    for (size_t i = 0; named && i < named->n; i++)
        if (ofs_strv_add(&c->names, named->at[i]) < 0)
            return -ENOMEM;
    if (!c->names.n)
        return 0;
    ofs_strv_sort(&c->names);
    ofs_strv_unique(&c->names);
    ofs_listing_said(&c->list, ofs_tree_now(t), 0);
    c->list.ttl_ms = OFS_NEVER;
    return 0;
}

void ofs_catalog_done(struct ofs_tree *t)
{
    ofs_strv_done(&t->catalog.names);
    ofs_mutex_done(&t->catalog.mtx);
}

static bool same_names(const struct ofs_strv *a, const struct ofs_strv *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->at[i], b->at[i]) != 0)
            return false;
    return true;
}

/* Was there another answer, or none, before? */
static bool take_answer(struct ofs_tree *t, int64_t asked_ms, bool none,
                        struct ofs_strv *names)
{
    struct ofs_catalog *c = &t->catalog;
    bool changed;

    OFS_GUARD(&c->mtx);
    changed = c->list.state != OFS_LIST_KNOWN || c->none != none ||
              !same_names(&c->names, names);
    if (changed && c->list.state == OFS_LIST_KNOWN &&
        c->list.at_ms != OFS_LONG_AGO)
        c->changed_s = ofs_wall_s();
    ofs_strv_done(&c->names);
    c->names = *names;
    memset(names, 0, sizeof(*names));
    c->none = none;
    c->list.ttl_ms =
        none && t->ttl_ms < OFS_NO_CATALOG_MS ? OFS_NO_CATALOG_MS : t->ttl_ms;
    ofs_listing_said(&c->list, asked_ms, 0);
    return changed;
}

/*
 * Whoever showed us names and now refuses has changed its mind about us, as
 * after a login that has ended; it has not lost its catalog.  The names stay,
 * and asking for one of them tells the refusal.
 */
static bool keep_names(struct ofs_tree *t, int64_t asked_ms)
{
    struct ofs_catalog *c = &t->catalog;

    OFS_GUARD(&c->mtx);
    if (c->list.state != OFS_LIST_KNOWN || c->none || !c->names.n)
        return false;
    ofs_listing_said(&c->list, asked_ms, 0);
    return true;
}

static int fetch_catalog(struct ofs_tree *t, void *owner, struct ofs_call *call,
                         struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    int64_t asked_ms = ofs_tree_now(t);
    int r = ofs_registry_catalog(t->registry, call, &names, err);

    (void)owner;
    if (r < 0 && r != -ENOTSUP)
        return r;
    if (r == -ENOTSUP && keep_names(t, asked_ms))
        return 0;
    if (take_answer(t, asked_ms, r == -ENOTSUP, &names))
        ofs_note_catalog(t);
    return 0;
}

static void nothing(struct ofs_tree *t, void *owner)
{
    (void)t;
    (void)owner;
}

static const struct ofs_listing_ops catalog_ops = {
    .fetch = fetch_catalog,
    .hold = nothing,
    .release = nothing,
};

static int want_catalog(struct ofs_tree *t, struct ofs_call *call,
                        struct ofs_err *err)
{
    const struct ofs_listing_of of = {
        .t = t,
        .ops = &catalog_ops,
        .owner = &t->catalog,
        .mtx = &t->catalog.mtx,
        .listing = &t->catalog.list,
        .key = "catalog",
    };

    return ofs_listing_want(&of, call, err);
}

static bool is_catalog_known(struct ofs_tree *t)
{
    OFS_GUARD(&t->catalog.mtx);
    return t->catalog.list.state == OFS_LIST_KNOWN;
}

/* The first name that is not before `text`.  With catalog.mtx held. */
static size_t place_of(const struct ofs_strv *names, const char *text)
{
    size_t low = 0, high = names->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(names->at[mid], text) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* What the names say of `path`, and for how long. */
static struct ofs_ns search(struct ofs_tree *t, const char *path)
{
    struct ofs_catalog *c = &t->catalog;
    struct ofs_ns ns = { 0 };
    char below[NAME_MAX + 2];
    size_t i;

    (void)snprintf(below, sizeof(below), "%s/", path);
    OFS_GUARD(&c->mtx);
    ns.left_ms = ofs_fresh_left(c->list.at_ms, ofs_tree_now(t), c->list.ttl_ms);
    if (ns.left_ms > t->ttl_ms)
        ns.left_ms = t->ttl_ms;
    if (c->none)
        ns.flags = OFS_NS_OPEN;
    if (!*path)
        ns.flags |= OFS_NS_PARENT;
    if (!*path || c->none)
        return ns;
    if (ofs_strv_has(&c->names, path))
        ns.flags |= OFS_NS_REPO;
    i = place_of(&c->names, below);
    if (i < c->names.n && ofs_str_starts(c->names.at[i], below))
        ns.flags |= OFS_NS_PARENT;
    return ns;
}

/* Nobody knows: is there a list of tags at `path`? */
static int probe(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_ns *ns, struct ofs_err *err)
{
    OFS_REPO_HOLD(held, t, path);
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a repository");
    r = ofs_repo_list(t, call, held.repo, err);
    if (r < 0 && r != -ENOENT && r != -EACCES)
        return r;
    ns->flags = OFS_NS_OPEN | (r == 0 ? OFS_NS_REPO : 0);
    ns->left_ms = r == 0 ? t->ttl_ms : t->negative_ttl_ms;
    return 0;
}

/* Is it known, from however long ago, whether `path` has a list of tags? */
static bool probed_before(struct ofs_tree *t, const char *path,
                          struct ofs_ns *ns)
{
    OFS_REPO_HOLD(held, t, path);

    if (!held.repo)
        return false;
    OFS_GUARD(&held.repo->mtx);
    if (held.repo->list.state == OFS_LIST_UNKNOWN)
        return false;
    ns->flags = OFS_NS_OPEN;
    if (held.repo->list.state == OFS_LIST_KNOWN)
        ns->flags |= OFS_NS_REPO;
    return true;
}

/* With no catalog: what asking at `path` says, or said. */
static int ask_path(struct ofs_tree *t, struct ofs_call *call, const char *path,
                    bool fresh, struct ofs_ns *ns, struct ofs_err *err)
{
    if (!*path || (!fresh && probed_before(t, path, ns)))
        return 0;
    return probe(t, call, path, ns, err);
}

static int ns_find(struct ofs_tree *t, struct ofs_call *call, const char *path,
                   bool fresh, struct ofs_ns *ret, struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = 0;

    if (fresh || !is_catalog_known(t))
        r = want_catalog(t, call, err);
    if (r < 0)
        return r;
    ns = search(t, path);
    if (ns.flags & OFS_NS_OPEN)
        r = ask_path(t, call, path, fresh, &ns, err);
    if (r < 0)
        return r;
    if ((ns.flags & OFS_NS_REPO) && ofs_repo_refusal(t, path) == -ENOENT)
        ns.flags &= ~(unsigned)OFS_NS_REPO;
    ns.left_ms = ofs_tree_valid(t, ns.left_ms);
    *ret = ns;
    return 0;
}

int ofs_ns_known(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_ns *ret, struct ofs_err *err)
{
    return ns_find(t, call, path, /* fresh= */ false, ret, err);
}

int ofs_ns_fresh(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_ns *ret, struct ofs_err *err)
{
    return ns_find(t, call, path, /* fresh= */ true, ret, err);
}

void ofs_ns_guess(struct ofs_tree *t, const char *path, struct ofs_ns *ret)
{
    int refusal = ofs_repo_refusal(t, path);

    *ret = search(t, path);
    if ((ret->flags & OFS_NS_OPEN) && !ofs_repo_is_listed(t, path))
        ret->flags = OFS_NS_OPEN;
    else if (ret->flags & OFS_NS_OPEN)
        ret->flags |= OFS_NS_REPO;
    if (refusal == -ENOENT)
        ret->flags &= ~(unsigned)OFS_NS_REPO;
}

/* The part of `name` that follows `below`, into `part`. */
static void part_of(const char *name, size_t skip, char part[NAME_MAX + 1])
{
    size_t len = strcspn(name + skip, "/");

    if (len > NAME_MAX)
        len = NAME_MAX;
    memcpy(part, name + skip, len);
    part[len] = '\0';
}

static int collect_parts(struct ofs_tree *t, const char *below,
                         struct ofs_strv *parts)
{
    struct ofs_strv *names = &t->catalog.names;
    size_t skip = strlen(below);
    char part[NAME_MAX + 1], last[NAME_MAX + 1] = "";

    OFS_GUARD(&t->catalog.mtx);
    for (size_t i = place_of(names, below);
         i < names->n && ofs_str_starts(names->at[i], below); i++) {
        part_of(names->at[i], skip, part);
        if (strcmp(part, last) == 0)
            continue;
        if (ofs_strv_add(parts, part) < 0)
            return -ENOMEM;
        memcpy(last, part, sizeof(last));
    }
    return 0;
}

/* A directory that is nothing but a repository, and that is gone. */
static bool is_gone(struct ofs_tree *t, const char *path)
{
    struct ofs_ns ns;

    if (ofs_repo_refusal(t, path) != -ENOENT)
        return false;
    ns = search(t, path);
    return !(ns.flags & OFS_NS_PARENT);
}

int ofs_ns_parts(struct ofs_tree *t, const char *path, struct ofs_strv *ret)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    char below[NAME_MAX + 2];
    int r;

    (void)snprintf(below, sizeof(below), "%s%s", path, *path ? "/" : "");
    r = collect_parts(t, below, &parts);
    if (r < 0)
        return r;
    /* a, a-b, a/c: the parts of a sorted list are not in order. */
    ofs_strv_sort(&parts);
    ofs_strv_unique(&parts);
    for (size_t i = 0; i < parts.n; i++) {
        char child[NAME_MAX + 1];

        if (ofs_path_join(path, parts.at[i], child) < 0 || is_gone(t, child))
            continue;
        if (ofs_strv_add(ret, parts.at[i]) < 0)
            return -ENOMEM;
    }
    return 0;
}
