/* SPDX-License-Identifier: Apache-2.0 */
/* What places are called: by the mount ("prod/eu"), by policies
 * ("compartment prod:eu"). */
#include "tenancy_priv.h"

enum {
    DEPTH_MAX = 16,  /* the service allows 6 */
    PLACE_MAX = 256, /* bytes; a longer one is told by its OCID */
};

/* ---- with mtx held, up to the next line of this kind ---- */

static const struct ofs_ora_compartment *
find_raw(const struct ofs_ora_compartments *raw, const char *id)
{
    for (size_t i = 0; i < raw->n; i++)
        if (strcmp(raw->at[i].id, id) == 0)
            return &raw->at[i];
    return NULL;
}

/* "prod:eu"; false: not all names on the way are known. */
static bool add_chain(const struct ofs_tenancy *n, const char *id,
                      struct ofs_buf *b)
{
    const char *names[DEPTH_MAX];
    size_t depth = 0;

    while (strcmp(id, n->id) != 0) {
        const struct ofs_ora_compartment *c = find_raw(&n->raw, id);

        if (!c || depth == DEPTH_MAX)
            return false;
        names[depth++] = c->name;
        id = c->parent_id;
    }
    while (depth-- > 0)
        (void)ofs_buf_addf(b, "%s%s", names[depth], depth > 0 ? ":" : "");
    return !b->failed;
}

static void add_place(const struct ofs_tenancy *n, const char *id,
                      struct ofs_buf *ret)
{
    OFS_AUTOBUF struct ofs_buf names = OFS_BUF_INIT(PLACE_MAX);

    if (strcmp(id, n->id) == 0)
        (void)ofs_buf_adds(ret, "tenancy");
    else if (add_chain(n, id, &names))
        (void)ofs_buf_addf(ret, "compartment %s", ofs_buf_str(&names));
    else
        (void)ofs_buf_addf(ret, "compartment id %s", id);
}

struct search {
    const char *id;
    const struct ofs_ora_repository *found;
};

static int is_it(const char *name, void *value, void *arg)
{
    const struct ofs_ora_repository *repo = value;
    struct search *s = arg;

    (void)name;
    if (strcmp(repo->id, s->id) == 0)
        s->found = repo;
    return 0;
}

/* Of a compartment, or of the one that a repository lies in; NULL: unknown. */
static const char *compartment_of(const struct ofs_tenancy *n, const char *id)
{
    struct search s = { .id = id };

    if (strcmp(id, n->id) == 0 || find_raw(&n->raw, id) ||
        ofs_comptree_of_id(&n->tree, id))
        return id;
    if (ofs_map_each(n->repos, is_it, &s) < 0 || !s.found)
        return NULL;
    return s.found->compartment_id;
}

/* ---- the interface ---- */

void ofs_tenancy_policy_place(void *arg, const char *ocid, struct ofs_buf *ret)
{
    struct ofs_tenancy *n = arg;
    const char *compartment;

    OFS_GUARD(&n->mtx);
    compartment = compartment_of(n, ocid);
    if (compartment)
        add_place(n, compartment, ret);
}

void ofs_tenancy_policy_of(struct ofs_tenancy *n, const char *path,
                           struct ofs_buf *ret)
{
    const struct ofs_ora_repository *repo;

    OFS_GUARD(&n->mtx);
    repo = ofs_tenancy_repo(n, path);
    if (repo)
        add_place(n, repo->compartment_id, ret);
}

/* "prod/eu" of a compartment; nothing of what is mounted. */
static void add_shown(const struct ofs_tenancy *n,
                      const struct ofs_compartment *c, struct ofs_buf *b)
{
    const char *names[DEPTH_MAX];
    size_t depth = 0;

    for (; c != &n->tree.at[0] && depth < DEPTH_MAX; depth++) {
        names[depth] = c->name;
        c = &n->tree.at[c->parent];
    }
    while (depth-- > 0)
        (void)ofs_buf_addf(b, "%s%s", names[depth], depth > 0 ? "/" : "");
}

void ofs_tenancy_shown(struct ofs_tenancy *n, uint64_t scope, const char *path,
                       struct ofs_buf *ret)
{
    size_t start = ret->len;
    const struct ofs_compartment *c;
    const struct ofs_ora_repository *repo;
    const char *name;

    OFS_GUARD(&n->mtx);
    name = ofs_tenancy_display(n, path);
    repo = scope == 0 ? ofs_tenancy_repo(n, path) : NULL;
    c = repo ? ofs_tenancy_home(n, repo)
             : ofs_comptree_of_scope(&n->tree, scope);
    if (c && !n->is_named)
        add_shown(n, c, ret);
    if (*path)
        (void)ofs_buf_addf(ret, "%s%s", ret->len > start ? "/" : "",
                           name ? name : path);
}
