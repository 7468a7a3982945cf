/* SPDX-License-Identifier: Apache-2.0 */
#include "comptree.h"

#include "names.h"

/* The list in order of OCIDs; place `n` stands for the tenancy itself. */
struct plan {
    const struct ofs_ora_compartment **at;
    size_t n;
    size_t *parent; /* place of the parent */
    size_t *index;  /* in the tree that is made; OUTSIDE, UNKNOWN */
};

static const size_t OUTSIDE = SIZE_MAX, UNKNOWN = SIZE_MAX - 1;

static void plan_done(struct plan *p)
{
    free(p->at);
    free(p->parent);
    free(p->index);
}

void ofs_comptree_done(struct ofs_comptree *t)
{
    for (size_t i = 0; i < t->n; i++) {
        free(t->at[i].id);
        free(t->at[i].name);
    }
    free(t->at);
    *t = (struct ofs_comptree){ 0 };
}

static int by_id(const void *a, const void *b)
{
    const struct ofs_ora_compartment *const *x = a, *const *y = b;

    return strcmp((*x)->id, (*y)->id);
}

/* The place of an OCID; p->n: it is none of the list. */
static size_t place_of(const struct plan *p, const char *id)
{
    const struct ofs_ora_compartment key = { .id = (char *)(uintptr_t)id };
    const struct ofs_ora_compartment *wanted = &key, **found = NULL;

    if (p->n > 0)
        found = bsearch(&wanted, p->at, p->n, sizeof(p->at[0]), by_id);
    return found ? (size_t)(found - p->at) : p->n;
}

static int plan_init(struct plan *p, const struct ofs_ora_compartments *list)
{
    size_t n = 0;

    p->at = calloc(list->n + 1, sizeof(p->at[0]));
    p->parent = calloc(list->n + 1, sizeof(p->parent[0]));
    p->index = calloc(list->n + 1, sizeof(p->index[0]));
    if (!p->at || !p->parent || !p->index)
        return -ENOMEM;
    for (size_t i = 0; i < list->n; i++)
        p->at[i] = &list->at[i];
    qsort(p->at, list->n, sizeof(p->at[0]), by_id);
    /* A list that changes while it is paged may say one twice. */
    for (size_t i = 0; i < list->n; i++)
        if (n == 0 || strcmp(p->at[n - 1]->id, p->at[i]->id) != 0)
            p->at[n++] = p->at[i];
    p->n = n;
    for (size_t i = 0; i < n; i++)
        p->parent[i] = place_of(p, p->at[i]->parent_id);
    return 0;
}

/*
 * Walk up from every place, marking with the number of the walk.  Who meets
 * its own mark has come round a circle, which is cut there.
 */
static void cut_circles(struct plan *p)
{
    for (size_t i = 0; i < p->n; i++) {
        size_t walk = i + 1, k = i;

        while (k < p->n && p->index[k] == 0) {
            p->index[k] = walk;
            k = p->parent[k];
        }
        if (k < p->n && p->index[k] == walk)
            p->parent[k] = p->n;
    }
}

/* One step of a path of names; p->n: no such child. */
static size_t child_of(const struct plan *p, size_t parent, const char *name,
                       size_t len)
{
    for (size_t i = 0; i < p->n; i++)
        if (p->parent[i] == parent && strlen(p->at[i]->name) == len &&
            strncmp(p->at[i]->name, name, len) == 0)
            return i;
    return p->n;
}

/* The place of what is to be mounted; -ENOENT. */
static int find_top(const struct plan *p, const char *wanted, size_t *ret)
{
    size_t place = p->n;

    while (*wanted) {
        size_t len = strcspn(wanted, "/");

        if (len > 0)
            place = child_of(p, place, wanted, len);
        if (len > 0 && place == p->n)
            return -ENOENT;
        wanted += len + (wanted[len] == '/');
    }
    *ret = place;
    return 0;
}

/* Number all that lie below `top`; how many, with it. */
static size_t number(struct plan *p, size_t top)
{
    size_t n = 1;

    for (size_t i = 0; i <= p->n; i++)
        p->index[i] = UNKNOWN;
    p->index[p->n] = OUTSIDE;
    p->index[top] = 0;
    for (size_t i = 0; i < p->n; i++) {
        size_t end = i;

        while (p->index[end] == UNKNOWN)
            end = p->parent[end];
        for (size_t k = i; p->index[k] == UNKNOWN; k = p->parent[k])
            p->index[k] = p->index[end] == OUTSIDE ? OUTSIDE : n++;
    }
    return n;
}

static int scope_of(const char *id, uint64_t *ret)
{
    struct ofs_digest d;
    uint64_t scope = 0;

    if (ofs_digest_of(OFS_SHA256, id, strlen(id), &d) < 0)
        return -ENOMEM;
    for (int i = 0; i < 8; i++)
        scope = scope << 8 | d.bytes[i];
    *ret = scope > OFS_SCOPE_TOP ? scope : scope + 2;
    return 0;
}

static int fill(struct ofs_compartment *c, const char *id, const char *name,
                bool top)
{
    c->id = strdup(id);
    c->name = strdup(ofs_name_is_compartment(name) ? name : id);
    if (!c->id || !c->name || scope_of(id, &c->scope) < 0)
        return -ENOMEM;
    if (top)
        c->scope = OFS_SCOPE_TOP;
    return 0;
}

static int make(const struct plan *p, const char *top_id, size_t n,
                struct ofs_comptree *t)
{
    t->at = calloc(n, sizeof(t->at[0]));
    if (!t->at || fill(&t->at[0], top_id, "", /* top= */ true) < 0)
        return -ENOMEM;
    t->n = n;
    for (size_t i = 0; i < p->n; i++) {
        struct ofs_compartment *c;

        if (p->index[i] == OUTSIDE)
            continue;
        c = &t->at[p->index[i]];
        c->created_s = p->at[i]->created_s;
        if (p->index[i] == 0)
            continue;
        c->parent = p->index[p->parent[i]];
        if (fill(c, p->at[i]->id, p->at[i]->name, /* top= */ false) < 0)
            return -ENOMEM;
    }
    return 0;
}

static int by_place(const void *a, const void *b)
{
    const struct ofs_compartment *const *x = a, *const *y = b;
    int r;

    if ((*x)->parent != (*y)->parent)
        return (*x)->parent < (*y)->parent ? -1 : 1;
    r = strcmp((*x)->name, (*y)->name);
    return r ? r : strcmp((*x)->id, (*y)->id);
}

/* Of siblings with one name all but the first are called by their OCID. */
static int part_namesakes(struct ofs_comptree *t)
{
    OFS_AUTOFREE struct ofs_compartment **at = calloc(t->n, sizeof(at[0]));
    const struct ofs_compartment *first = NULL;

    if (!at)
        return -ENOMEM;
    for (size_t i = 0; i < t->n; i++)
        at[i] = &t->at[i];
    qsort(at, t->n, sizeof(at[0]), by_place);
    for (size_t i = 0; i < t->n; i++) {
        if (at[i] == &t->at[0])
            continue;
        if (first && first->parent == at[i]->parent &&
            strcmp(first->name, at[i]->name) == 0) {
            free(at[i]->name);
            at[i]->name = strdup(at[i]->id);
            if (!at[i]->name)
                return -ENOMEM;
        } else {
            first = at[i];
        }
    }
    return 0;
}

int ofs_comptree_build(const struct ofs_ora_compartments *list,
                       const char *tenancy, const char *wanted,
                       struct ofs_comptree *ret)
{
    OFS_AUTO(ofs_comptree_done) struct ofs_comptree t = { 0 };
    OFS_AUTO(plan_done) struct plan p = { 0 };
    bool by_ocid = wanted && ofs_str_starts(wanted, "ocid1.");
    const char *top_id = by_ocid ? wanted : tenancy;
    size_t top;
    int r = plan_init(&p, list);

    if (r < 0)
        return r;
    cut_circles(&p);
    if (by_ocid)
        top = place_of(&p, wanted);
    else if (find_top(&p, wanted ? wanted : "", &top) < 0)
        return -ENOENT;
    if (top < p.n)
        top_id = p.at[top]->id;
    /* An OCID of which nothing is known has nothing below it. */
    if (by_ocid && top == p.n && strcmp(wanted, tenancy) != 0)
        p.n = top = 0;
    r = make(&p, top_id, number(&p, top), &t);
    if (r == 0)
        r = part_namesakes(&t);
    if (r < 0)
        return r;
    *ret = t;
    t = (struct ofs_comptree){ 0 };
    return 0;
}

const struct ofs_compartment *
ofs_comptree_of_scope(const struct ofs_comptree *t, uint64_t scope)
{
    for (size_t i = 0; i < t->n; i++)
        if (t->at[i].scope == scope)
            return &t->at[i];
    return NULL;
}

const struct ofs_compartment *ofs_comptree_of_id(const struct ofs_comptree *t,
                                                 const char *id)
{
    for (size_t i = 0; i < t->n; i++)
        if (strcmp(t->at[i].id, id) == 0)
            return &t->at[i];
    return NULL;
}

const struct ofs_compartment *
ofs_comptree_child(const struct ofs_comptree *t,
                   const struct ofs_compartment *parent, const char *name)
{
    const struct ofs_compartment *same_id = NULL;
    size_t above = (size_t)(parent - t->at);

    for (size_t i = 1; i < t->n; i++) {
        const struct ofs_compartment *c = &t->at[i];

        if (c->parent != above)
            continue;
        if (strcmp(c->name, name) == 0)
            return c;
        if (strcmp(c->id, name) == 0)
            same_id = c;
    }
    return same_id;
}
