/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include "reg_pages.h"
#include "taglist.h"

enum {
    PAGE_NAMES = 1000, /* what registries commonly allow at most */
    NAMES_MAX = 1000000,
    LIST_MIB_MAX = 256, /* of all pages */
};

/* One of the two lists of names. */
struct names_ask {
    const struct reg_list *kind;
    const char *path; /* behind "/v2/" */
    const char *scope, *what;

    struct ofs_strv names; /* the result; owned */
    uint64_t entries;      /* on all pages, also those that were dropped */
    uint64_t bytes;        /* of all pages */
};

static int take_page(void *arg, const struct ofs_http_resp *resp,
                     struct reg_page *ret, struct ofs_err *err)
{
    struct names_ask *a = arg;
    int r = ofs_reg_page_decode(resp->body ? resp->body : "", resp->len,
                                a->kind, &a->names, ret, err);

    if (r < 0)
        return ofs_err_wrap(err, r, a->what);
    a->entries += ret->count;
    a->bytes += resp->len;
    if (a->entries > NAMES_MAX || a->bytes >> 20 >= LIST_MIB_MAX)
        return ofs_err_set(err, -EFBIG, "%s: more than %d names or %d MiB",
                           a->what, NAMES_MAX, LIST_MIB_MAX);
    return 0;
}

static int list_op(struct reg_end *end, struct ofs_call *call, void *arg,
                   struct ofs_err *err)
{
    struct names_ask *a = arg;
    OFS_AUTOFREE char *list = ofs_strf("%s%s", end->base, a->path);
    struct reg_walk walk = {
        .end = end,
        .call = call,
        .scope = a->scope,
        .what = a->what,
        .list = list,
        .n = PAGE_NAMES,
        .ends_with_404 = true,
        .take = take_page,
        .arg = a,
    };

    /* A mirror may have failed half-way. */
    ofs_strv_done(&a->names);
    a->entries = 0;
    a->bytes = 0;
    return list ? ofs_reg_walk(&walk, err) : ofs_err_nomem(err, "a URL");
}

/* Move the result out, in the order and form that is promised. */
static void give(struct names_ask *a, struct ofs_strv *ret)
{
    ofs_strv_sort(&a->names);
    ofs_strv_unique(&a->names);
    *ret = a->names;
    a->names = (struct ofs_strv){ 0 };
}

int ofs_registry_tags(struct ofs_registry *r, struct ofs_call *call,
                      const char *repo, struct ofs_strv *ret,
                      struct ofs_err *err)
{
    OFS_AUTOFREE char *path = ofs_strf("%s/tags/list", repo);
    OFS_AUTOFREE char *what = ofs_strf("tags of '%s'", repo);
    OFS_AUTOFREE char *scope = ofs_reg_scope(repo);
    struct names_ask a = {
        .kind = &ofs_list_tags, .path = path, .scope = scope, .what = what
    };
    struct reg_task task = { .op = list_op, .arg = &a };
    int e = ofs_reg_check_repo(repo, err);

    if (e == 0 && (!path || !what || !scope))
        e = ofs_err_nomem(err, "a list of tags");
    if (e == 0)
        e = ofs_reg_route(r, call, &task, err);
    if (e == 0)
        give(&a, ret);
    ofs_strv_done(&a.names);
    return e;
}

/*
 * The catalog is not in the OCI specification and often switched off, in as
 * many ways as there are registries; some refuse the token already.
 */
static bool means_no_catalog(int e)
{
    return e == -EACCES || e == -ENOENT || e == -EOPNOTSUPP || e == -ENOSYS;
}

int ofs_registry_catalog(struct ofs_registry *r, struct ofs_call *call,
                         struct ofs_strv *ret, struct ofs_err *err)
{
    struct names_ask a = {
        .kind = &ofs_list_repos,
        .path = "_catalog",
        .scope = "registry:catalog:*",
        .what = "catalog",
    };
    int e = list_op(&r->source, call, &a, err);

    if (e == 0)
        give(&a, ret);
    ofs_strv_done(&a.names);
    return means_no_catalog(e) ? ofs_err_wrap(err, -ENOTSUP, "no catalog") : e;
}
