/* SPDX-License-Identifier: Apache-2.0 */
#include "index_plan.h"

#include "ocirfs/entry_tags.h"
#include "ocirfs/mediatype.h"

static int add_row(struct ofs_index_plan *p, const char *tag,
                   const struct ofs_descriptor *d)
{
    struct ofs_index_wish row = { .d = d };

    if (p->n == p->room) {
        size_t room = p->room ? p->room * 2 : 16;
        struct ofs_index_wish *at = calloc(room, sizeof(*at));

        if (!at)
            return -ENOMEM;
        if (p->n)
            memcpy(at, p->at, p->n * sizeof(*at));
        free(p->at);
        p->at = at;
        p->room = room;
    }
    row.tag = tag ? strdup(tag) : NULL;
    if (tag && !row.tag)
        return -ENOMEM;
    p->at[p->n++] = row;
    return 0;
}

static int add_tag_rows(struct ofs_index_plan *p, const struct ofs_strv *tags,
                        const struct ofs_descriptor *d)
{
    int r = tags->n == 0 ? add_row(p, NULL, d) : 0;

    for (size_t i = 0; i < tags->n && r == 0; i++)
        r = add_row(p, tags->at[i], d);
    return r;
}

/* Is it certainly nothing that /manifests/ could give out? */
static int check_type(const struct ofs_descriptor *d, struct ofs_err *err)
{
    char digest[OFS_DIGEST_TEXT_MAX];

    switch (ofs_media_of(d->media_type)) {
    case OFS_MEDIA_SCHEMA1:
    case OFS_MEDIA_CONFIG:
    case OFS_MEDIA_LAYER:
    case OFS_MEDIA_FOREIGN:
        return ofs_err_set(err, -EINVAL, "%.19s is no manifest but '%.100s'",
                           ofs_digest_format(&d->digest, digest),
                           d->media_type);
    default:
        return 0;
    }
}

/* A row for each tag of an entry, or one without a tag. */
static int add_entry(struct ofs_index_plan *p, const struct ofs_descriptor *d,
                     struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv tags = { 0 };
    int r = check_type(d, err), r_add = 0;

    if (r == 0)
        r = ofs_entry_tags(&d->annotations, &tags, err);
    if (r == 0 || tags.n > 0)
        r_add = add_tag_rows(p, &tags, d);
    return r_add < 0 ? ofs_err_nomem(err, "index.json") : r;
}

/* The first thing that cannot be is told; the rest is added all the same. */
static int add_all(struct ofs_index_plan *p, const struct ofs_manifest *index,
                   struct ofs_err *err)
{
    int first = 0;

    for (size_t i = 0; i < index->n_layers; i++) {
        int r = add_entry(p, &index->layers[i], first < 0 ? NULL : err);

        if (r == -ENOMEM)
            return ofs_err_nomem(err, "index.json");
        if (first == 0)
            first = r;
    }
    return first;
}

void ofs_index_plan_done(struct ofs_index_plan *p)
{
    for (size_t i = 0; i < p->n; i++)
        free(p->at[i].tag);
    free(p->at);
    free(p->left_out);
    *p = (struct ofs_index_plan){ 0 };
}

/* ---- what is nothing new ---- */

static bool is_same_row(const struct ofs_index_wish *a,
                        const struct ofs_index_wish *b)
{
    if (!ofs_digest_eq(&a->d->digest, &b->d->digest) || !a->tag != !b->tag)
        return false;
    return !a->tag || strcmp(a->tag, b->tag) == 0;
}

static bool was_read(const struct ofs_index_plan *read,
                     const struct ofs_index_wish *row)
{
    for (size_t i = 0; i < read->n; i++)
        if (is_same_row(&read->at[i], row))
            return true;
    return false;
}

static bool is_old(const struct ofs_index_ask *ask,
                   const struct ofs_index_plan *read,
                   const struct ofs_index_wish *row)
{
    struct ofs_digest is;
    int r = row->tag ? ask->now(ask->arg, row->tag, &is) : -ENOENT;

    if (r == 0 && ofs_digest_eq(&is, &row->d->digest))
        return true;
    return r != -ENOENT && was_read(read, row);
}

/* ---- what another row says better ---- */

/* Of several for a tag the last one counts that is no old one; what has a tag
 * needs no row without. */
static bool is_better(const struct ofs_index_wish *a,
                      const struct ofs_index_wish *row)
{
    if (row->tag)
        return a > row && !a->is_old && a->tag && strcmp(a->tag, row->tag) == 0;
    return ofs_digest_eq(&a->d->digest, &row->d->digest) && (a->tag || a > row);
}

static bool is_wanted(const struct ofs_index_plan *p,
                      const struct ofs_index_wish *row)
{
    if (row->is_old)
        return false;
    for (size_t i = 0; i < p->n; i++)
        if (is_better(&p->at[i], row))
            return false;
    return true;
}

/* Those that are wanted, in their order. */
static int pick_wanted(const struct ofs_index_plan *all,
                       struct ofs_index_plan *ret)
{
    int r = 0;

    for (size_t i = 0; i < all->n && r == 0; i++)
        if (is_wanted(all, &all->at[i]))
            r = add_row(ret, all->at[i].tag, all->at[i].d);
    return r;
}

/* ---- what is there no more ---- */

static bool is_in(const struct ofs_manifest *index,
                  const struct ofs_digest *digest)
{
    for (size_t i = 0; i < index->n_layers; i++)
        if (ofs_digest_eq(&index->layers[i].digest, digest))
            return true;
    return false;
}

static int find_left_out(const struct ofs_manifest *written,
                         const struct ofs_index_plan *read,
                         struct ofs_index_plan *ret)
{
    ret->left_out = calloc(read->n + 1, sizeof(*ret->left_out));
    if (!ret->left_out)
        return -ENOMEM;
    for (size_t i = 0; i < read->n; i++)
        if (!read->at[i].tag && !is_in(written, &read->at[i].d->digest))
            ret->left_out[ret->n_left_out++] = read->at[i].d;
    return 0;
}

/* ---- */

int ofs_index_plan(const struct ofs_index_ask *ask, struct ofs_index_plan *ret,
                   struct ofs_err *err)
{
    OFS_AUTO(ofs_index_plan_done) struct ofs_index_plan all = { 0 };
    OFS_AUTO(ofs_index_plan_done) struct ofs_index_plan read = { 0 };
    OFS_AUTO(ofs_index_plan_done) struct ofs_index_plan plan = { 0 };
    int r = add_all(&all, ask->written, err);

    /* We have made what he has read. */
    if (r != -ENOMEM && ask->read && add_all(&read, ask->read, NULL) == -ENOMEM)
        r = -ENOMEM;
    if (r == -ENOMEM)
        return ofs_err_nomem(err, "index.json");
    for (size_t i = 0; i < all.n; i++)
        all.at[i].is_old = is_old(ask, &read, &all.at[i]);
    if (pick_wanted(&all, &plan) < 0 ||
        find_left_out(ask->written, &read, &plan) < 0)
        return ofs_err_nomem(err, "index.json");
    *ret = plan;
    plan = (struct ofs_index_plan){ 0 };
    return r;
}
