/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the control plane, and what is made of a refusal. */
#include "tenancy_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/errclass.h"
#include "ocirfs/metrics.h"

#include "refresh.h"

static struct ofs_metric listings =
    OFS_COUNTER("ocirfs_tree_oci_listings_total",
                "Times the control plane was asked for compartments and "
                "repositories, or for one compartment's repositories.");

/* Followed by the service's words, which name the policy. */
static const char *const sentences[OFS_TENANCY_TROUBLE_N] = {
    [OFS_NO_COMPARTMENTS] = "compartments cannot be listed, so at most one of "
                            "them is shown",
    [OFS_NO_REPOSITORIES] = "repositories cannot be listed; name those to show "
                            "with repos=",
    [OFS_FREE_TIER] = "a free-tier tenancy may not list repositories; name "
                      "those to show with repos=",
};

static void tell(struct ofs_tenancy *n, enum ofs_tenancy_trouble what)
{
    OFS_AUTOFREE char *text = NULL;

    {
        OFS_GUARD(&n->mtx);
        if (n->checking || (n->warned & 1u << what) || !n->words[what][0])
            return;
        n->warned |= 1u << what;
        text = ofs_strf("%s: %s", sentences[what], n->words[what]);
    }
    if (text && n->warn)
        n->warn(n->warn_arg, text);
}

static void warn(struct ofs_tenancy *n, enum ofs_tenancy_trouble what,
                 const struct ofs_err *err)
{
    {
        OFS_GUARD(&n->mtx);
        (void)ofs_err_line(err, n->words[what]);
    }
    tell(n, what);
}

/*
 * Did the service say that this is not for us?  A request that it could not
 * make out whose it was (401) is not that: the credential has ended.
 */
static bool is_refusal(int code, const struct ofs_err *err)
{
    return err->http_status != 401 && ofs_err_is(code, OFS_ERR_REFUSAL);
}

static bool is_free_tier(const struct ofs_err *err)
{
    return strcmp(err->id, "FREE_TIER_NOT_SUPPORTED") == 0;
}

/* ---- the whole tenancy ---- */

static int ask_compartments(struct ofs_tenancy *n, struct ofs_call *call,
                            struct ofs_tenancy_answer *a, struct ofs_err *err)
{
    int r = ofs_ora_list_compartments(n->ora, call, &a->compartments, err);

    if (r == 0 || !is_refusal(r, err))
        return r;
    warn(n, OFS_NO_COMPARTMENTS, err);
    a->no_compartments = true;
    return 0;
}

static bool is_refused_lately(struct ofs_tenancy *n)
{
    OFS_GUARD(&n->mtx);
    return n->each && ofs_fresh_left(n->each_at_ms, ofs_sync_now(n->base.sync),
                                     OFS_NO_CATALOG_MS) > 0;
}

static int ask_repos(struct ofs_tenancy *n, struct ofs_call *call,
                     struct ofs_tenancy_answer *a, struct ofs_err *err)
{
    int r;

    if (is_refused_lately(n)) {
        a->no_repos = a->not_asked = true;
        return 0;
    }
    r = ofs_ora_list_repositories(n->ora, call, n->id, /* subtree= */ true,
                                  &a->repos, err);
    if (r == 0 || !is_refusal(r, err))
        return r;
    a->no_repos = true;
    if (is_free_tier(err)) {
        warn(n, OFS_FREE_TIER, err);
        (void)snprintf(a->why, sizeof(a->why), "%s", sentences[OFS_FREE_TIER]);
    }
    return 0;
}

static uint64_t changes_of(struct ofs_tenancy *n)
{
    OFS_GUARD(&n->mtx);
    return n->changes;
}

enum { AGAIN = 1 }; /* beside 0 and negative errnos */

static int ask_all(struct ofs_tenancy *n, struct ofs_call *call,
                   struct ofs_err *err)
{
    OFS_AUTO(ofs_tenancy_answer_done) struct ofs_tenancy_answer a = { 0 };
    int64_t asked_ms = ofs_sync_now(n->base.sync);
    uint64_t changes = changes_of(n);
    int r = ask_compartments(n, call, &a, err);

    if (r == 0)
        r = ask_repos(n, call, &a, err);
    if (r < 0)
        return r;
    /* It may be older than a repository that we made or deleted meanwhile. */
    if (changes != changes_of(n))
        return AGAIN;
    r = ofs_tenancy_take(n, &a, asked_ms);
    if (r == -ENOENT)
        return ofs_err_set(err, a.no_compartments ? -EACCES : -ENOENT,
                           "there is no compartment '%s' that we may see",
                           n->wanted);
    return r < 0 ? ofs_err_nomem(err, "the compartments") : 0;
}

static int fetch_all(void *arg, void *owner, struct ofs_call *call,
                     struct ofs_err *err)
{
    struct ofs_tenancy *n = arg;
    struct ofs_err mine = { 0 };
    int r;

    (void)owner;
    ofs_metric_add(&listings, 1);
    do {
        r = ask_all(n, call, &mine);
    } while (r == AGAIN);
    if (r == 0)
        ofs_note_tenancy(n);
    else if (err)
        *err = mine;
    return r;
}

static const struct ofs_listing_ops all_ops = {
    .fetch = fetch_all,
};

static int want_all(struct ofs_tenancy *n, struct ofs_call *call,
                    struct ofs_err *err)
{
    const struct ofs_listing_of of = {
        .sync = n->base.sync,
        .arg = n,
        .ops = &all_ops,
        .owner = n,
        .mtx = &n->mtx,
        .listing = &n->list,
        .key = "tenancy",
    };

    return ofs_listing_want(&of, call, err);
}

/* ---- one compartment ---- */

static int ask_scope(struct ofs_tenancy *n, struct ofs_scope *s,
                     struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_repositories repos = { 0 };
    int64_t asked_ms = ofs_sync_now(n->base.sync);
    uint64_t changes = changes_of(n);
    char line[OFS_ERR_LINE_MAX];
    const char *why = NULL;
    int r = ofs_ora_list_repositories(n->ora, call, s->id, /* subtree= */ false,
                                      &repos, err);

    if (r < 0 && is_refusal(r, err)) {
        why = ofs_err_line(err, line);
        r = 0;
    }
    if (r == 0 && changes != changes_of(n))
        r = AGAIN;
    if (r == 0)
        r = ofs_tenancy_take_scope(n, s, &repos, why, asked_ms);
    ofs_ora_repositories_done(&repos);
    return r;
}

static int fetch_scope(void *arg, void *owner, struct ofs_call *call,
                       struct ofs_err *err)
{
    struct ofs_tenancy *n = arg;
    struct ofs_err mine = { 0 };
    int r;

    ofs_metric_add(&listings, 1);
    do {
        r = ask_scope(n, owner, call, &mine);
    } while (r == AGAIN);
    if (r == 0)
        ofs_note_tenancy(n);
    else if (err)
        *err = mine;
    return r;
}

static const struct ofs_listing_ops scope_ops = {
    .fetch = fetch_scope,
};

/* The compartment to be asked by itself; NULL: the list of all has it. */
static struct ofs_scope *scope_to_ask(struct ofs_tenancy *n, uint64_t scope)
{
    const struct ofs_compartment *c;

    OFS_GUARD(&n->mtx);
    c = n->each ? ofs_comptree_of_scope(&n->tree, scope) : NULL;
    return c ? ofs_map_get(n->scopes, c->id) : NULL;
}

/* Nothing at all is shown to us: worth a word, once. */
static void check_sight(struct ofs_tenancy *n)
{
    struct ofs_err why = { 0 };
    struct ofs_ns ns;

    ofs_tenancy_search(n, OFS_SCOPE_TOP, "", &ns);
    if ((ns.flags & OFS_NS_OPEN) &&
        ofs_tenancy_refusal(n, OFS_SCOPE_TOP, &why) < 0)
        warn(n, OFS_NO_REPOSITORIES, &why);
}

static int want_scope(struct ofs_tenancy *n, struct ofs_call *call,
                      uint64_t scope, struct ofs_err *err)
{
    struct ofs_scope *s = scope_to_ask(n, scope);
    const struct ofs_listing_of of = {
        .sync = n->base.sync,
        .arg = n,
        .ops = &scope_ops,
        .owner = s,
        .mtx = &n->mtx,
        .listing = s ? &s->list : NULL,
        .key = s ? s->key : NULL,
    };
    int r = s ? ofs_listing_want(&of, call, err) : 0;

    if (r == 0 && s)
        check_sight(n);
    return r;
}

int ofs_tenancy_want(struct ofs_tenancy *n, struct ofs_call *call,
                     uint64_t scope, struct ofs_err *err)
{
    int r;

    /* What the user named is shown whatever the service says. */
    if (n->is_named)
        return 0;
    r = want_all(n, call, err);
    return r < 0 ? r : want_scope(n, call, scope, err);
}

int ofs_tenancy_learn(struct ofs_tenancy *n, struct ofs_call *call,
                      struct ofs_err *err)
{
    int r = want_all(n, call, err);

    return r < 0 ? r : want_scope(n, call, OFS_SCOPE_TOP, err);
}

/* Nothing at all is shown to us: why?  0: something is. */
static int check_top(struct ofs_tenancy *n, struct ofs_err *err)
{
    struct ofs_ns ns;
    int r;

    ofs_tenancy_search(n, OFS_SCOPE_TOP, "", &ns);
    if (!(ns.flags & OFS_NS_OPEN))
        return 0;
    r = ofs_tenancy_refusal(n, OFS_SCOPE_TOP, err);
    OFS_GUARD(&n->mtx);
    if (n->why[0] || !n->words[OFS_NO_COMPARTMENTS][0])
        return r;
    return ofs_err_set(err, r, "%s", n->words[OFS_NO_COMPARTMENTS]);
}

static void set_checking(struct ofs_tenancy *n, bool checking)
{
    OFS_GUARD(&n->mtx);
    n->checking = checking;
}

int ofs_tenancy_check(struct ofs_tenancy *n, struct ofs_call *call,
                      struct ofs_err *err)
{
    int r;

    /* A failure is one sentence, not one among warnings. */
    set_checking(n, true);
    r = ofs_tenancy_learn(n, call, err);
    if (r == 0 && !n->is_named)
        r = check_top(n, err);
    set_checking(n, false);
    for (int i = 0; r == 0 && i < OFS_TENANCY_TROUBLE_N; i++)
        tell(n, (enum ofs_tenancy_trouble)i);
    /* Whoever names what to show may do without the lists. */
    return n->is_named ? 0 : r;
}

/* ---- the namespace ---- */

static bool known_namespace(struct ofs_tenancy *n, char ret[NAME_MAX + 1])
{
    OFS_GUARD(&n->mtx);
    if (!n->ns)
        return false;
    (void)snprintf(ret, NAME_MAX + 1, "%s", n->ns);
    return true;
}

static int fetch_namespace(struct ofs_call *call, void *arg,
                           struct ofs_err *err)
{
    struct ofs_tenancy *n = arg;
    OFS_AUTOFREE char *ns = NULL;
    int r = ofs_ora_namespace(n->ora, call, &ns, err);

    if (r < 0)
        return r;
    {
        OFS_GUARD(&n->mtx);
        if (!n->ns)
            n->ns = ofs_take(&ns);
    }
    ofs_note_tenancy(n);
    return 0;
}

int ofs_tenancy_namespace(struct ofs_tenancy *n, struct ofs_call *call,
                          char ret[NAME_MAX + 1], struct ofs_err *err)
{
    int r;

    if (known_namespace(n, ret))
        return 0;
    if (!call->may_wait)
        return -EAGAIN;
    r = ofs_flights_run(n->base.sync->flights, "namespace", call,
                        fetch_namespace, n, err);
    if (r < 0)
        return ofs_err_wrap(err, r, "the tenancy's namespace");
    return known_namespace(n, ret) ? 0 : ofs_err_nomem(err, "a namespace");
}

/* ---- a repository's OCIDs ---- */

static int known_ocids(struct ofs_tenancy *n, const char *path,
                       struct ofs_repo_ocids *ret)
{
    const struct ofs_ora_repository *repo;
    const char *name;

    OFS_GUARD(&n->mtx);
    name = ofs_tenancy_display(n, path);
    repo = name ? ofs_map_get(n->repos, name) : NULL;
    if (!repo)
        return -ENOENT;
    ret->id = strdup(repo->id);
    ret->compartment = strdup(repo->compartment_id);
    return ret->id && ret->compartment ? 0 : -ENOMEM;
}

int ofs_tenancy_find(struct ofs_tenancy *n, struct ofs_call *call,
                     const char *path, struct ofs_repo_ocids *ret,
                     struct ofs_err *err)
{
    int r = known_ocids(n, path, ret);

    if (r != -ENOENT)
        return r;
    /* Named by the user, so nobody has asked yet. */
    r = ofs_tenancy_learn(n, call, err);
    if (r == 0)
        r = known_ocids(n, path, ret);
    if (r == -ENOENT)
        return ofs_err_set(err, r, "the control plane lists no repository '%s'",
                           path);
    return r;
}
