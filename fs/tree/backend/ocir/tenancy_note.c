/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The note of a tenancy, as those of tags_note.c:
 *
 *     ocirfs tenancy 1 all ansh81vru1zp
 *     c ocid1.compartment.oc1..build ocid1.tenancy.oc1..ten 1709280000 build
 *     r ocid1.containerrepo.oc1..base ocid1.compartment... 1714644672 a/base
 *
 * `each` instead of `all`: compartments are asked one by one, and
 *
 *     a ocid1.compartment.oc1..build - 0 -
 *
 * says that this one was.  `-` also for a namespace that is not known.
 */
#include "tenancy_priv.h"

#include "ocirfs/store.h"
#include "ocirfs/vec.h"

#include <inttypes.h>

static const char first_words[] = "ocirfs tenancy 1";

/* Three words and the rest of the line. */
struct row {
    char kind;
    const char *id, *parent, *name;
    int64_t created_s;
};

static void format_row(const struct row *row, struct ofs_buf *b)
{
    if (ofs_note_is_word(row->id) && ofs_note_is_word(row->parent) &&
        !strchr(row->name, '\n'))
        (void)ofs_buf_addf(b, "%c %s %s %" PRId64 " %s\n", row->kind, row->id,
                           row->parent, row->created_s, row->name);
}

static void format_repos(const struct ofs_tenancy *n, const char *compartment,
                         struct ofs_buf *b)
{
    const struct ofs_scope *s = ofs_map_get(n->scopes, compartment);
    const struct row asked = {
        .kind = 'a', .id = compartment, .parent = "-", .name = "-"
    };

    if (n->each && s && s->list.state == OFS_LIST_KNOWN)
        format_row(&asked, b);
    for (size_t i = 0; s && i < s->names.n; i++) {
        const struct ofs_ora_repository *repo =
            ofs_map_get(n->repos, s->names.at[i]);
        const struct row row = { .kind = 'r',
                                 .id = repo->id,
                                 .parent = repo->compartment_id,
                                 .name = repo->name,
                                 .created_s = repo->created_s };

        format_row(&row, b);
    }
}

int ofs_note_format_tenancy(const struct ofs_tenancy *n, struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "%s %s %s\n", first_words, n->each ? "each" : "all",
                       n->ns ? n->ns : "-");
    for (size_t i = 0; i < n->raw.n; i++) {
        const struct ofs_ora_compartment *c = &n->raw.at[i];
        const struct row row = { .kind = 'c',
                                 .id = c->id,
                                 .parent = c->parent_id,
                                 .name = c->name,
                                 .created_s = c->created_s };

        format_row(&row, b);
    }
    for (size_t i = 0; i < n->tree.n; i++)
        format_repos(n, n->tree.at[i].id, b);
    return b->failed;
}

static bool parse_row(char *line, struct row *ret)
{
    char *rest = line;
    const char *kind = ofs_note_word(&rest);
    const char *created;
    uint64_t s;

    ret->id = ofs_note_word(&rest);
    ret->parent = ofs_note_word(&rest);
    created = ofs_note_word(&rest);
    ret->name = rest;
    if (strlen(kind) != 1 || !rest || !*rest || !*ret->id || !*ret->parent ||
        ofs_str_u64(created, &s) < 0 || s > INT64_MAX)
        return false;
    ret->kind = *kind;
    ret->created_s = (int64_t)s;
    return true;
}

static int add_compartment(const struct row *row,
                           struct ofs_ora_compartments *to)
{
    struct ofs_ora_compartment *c;

    if (ofs_vec_grow(to->at, to->n, to->room) < 0)
        return -ENOMEM;
    c = &to->at[to->n++];
    *c = (struct ofs_ora_compartment){ .id = strdup(row->id),
                                       .parent_id = strdup(row->parent),
                                       .name = strdup(row->name),
                                       .created_s = row->created_s };
    return c->id && c->parent_id && c->name ? 0 : -ENOMEM;
}

static int add_repo(const struct row *row, const char *ns,
                    struct ofs_ora_repositories *to)
{
    struct ofs_ora_repository *repo;

    if (ofs_vec_grow(to->at, to->n, to->room) < 0)
        return -ENOMEM;
    repo = &to->at[to->n++];
    *repo = (struct ofs_ora_repository){ .id = strdup(row->id),
                                         .compartment_id = strdup(row->parent),
                                         .name = strdup(row->name),
                                         .namespace_name = strdup(ns),
                                         .is_immutable = -1,
                                         .created_s = row->created_s };
    return repo->id && repo->compartment_id && repo->name &&
                   repo->namespace_name
               ? 0
               : -ENOMEM;
}

static int parse_head(char *line, struct ofs_tenancy_note *ret)
{
    char *rest = line + strlen(first_words);
    const char *how, *ns;

    if (!ofs_str_starts(line, first_words) || *rest++ != ' ')
        return -EBADMSG;
    how = ofs_note_word(&rest);
    ns = ofs_note_word(&rest);
    if (!how || !ns || !*ns)
        return -EBADMSG;
    ret->each = strcmp(how, "each") == 0;
    if (strcmp(ns, "-") == 0)
        return 0;
    ret->ns = strdup(ns);
    return ret->ns ? 0 : -ENOMEM;
}

static int add_row(const struct row *row, struct ofs_tenancy_note *to)
{
    switch (row->kind) {
    case 'a':
        return ofs_strv_add(&to->asked, row->id);
    case 'c':
        return add_compartment(row, &to->known.compartments);
    case 'r':
        return to->ns ? add_repo(row, to->ns, &to->known.repos) : 0;
    default:
        return 0;
    }
}

int ofs_note_parse_tenancy(const char *text, size_t len,
                           struct ofs_tenancy_note *ret)
{
    OFS_AUTOBUF struct ofs_buf line = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    int r = -EBADMSG;

    if (ofs_note_line(&text, &len, &line) && line.len > 0)
        r = parse_head(line.data, ret);
    while (r == 0 && ofs_note_line(&text, &len, &line)) {
        struct row row;

        if (line.len > 0 && parse_row(line.data, &row))
            r = add_row(&row, ret);
    }
    return r;
}

void ofs_tenancy_note_done(struct ofs_tenancy_note *n)
{
    ofs_tenancy_answer_done(&n->known);
    ofs_strv_done(&n->asked);
    free(n->ns);
}

/* ---- from and to the store ---- */

/* Of whoever we are: others see other compartments.  NULL: nobody knows who. */
static char *key_of(const struct ofs_tenancy *n)
{
    char who[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d;

    if (!ofs_ora_who(n->ora, &d))
        return NULL;
    return ofs_strf("tenancy %s %s of %s", n->id, n->wanted ? n->wanted : "",
                    ofs_digest_format(&d, who));
}

/* Is it ours, and has it changed since the last one? */
static bool format_due(struct ofs_tenancy *n, const char *key,
                       struct ofs_buf *b)
{
    struct ofs_digest d;

    OFS_GUARD(&n->mtx);
    if (!ofs_note_is_of(&n->note_key, key) ||
        ofs_note_format_tenancy(n, b) < 0 ||
        ofs_digest_of(OFS_SHA256, b->data, b->len, &d) < 0 ||
        ofs_digest_eq(&d, &n->noted))
        return false;
    n->noted = d;
    return true;
}

void ofs_note_tenancy(struct ofs_tenancy *n)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    OFS_AUTOFREE char *key = key_of(n);
    int r = 0;

    if (format_due(n, key, &b))
        r = ofs_store_note_put(n->base.store, key, b.data, b.len);
    (void)r; /* a note less */
}

/* Compartments were asked one by one: those were. */
static void say_each(struct ofs_tenancy *n, const struct ofs_strv *asked)
{
    OFS_GUARD(&n->mtx);
    n->each = true;
    n->each_at_ms = OFS_LONG_AGO;
    for (size_t i = 0; i < asked->n; i++) {
        struct ofs_scope *s = ofs_map_get(n->scopes, asked->at[i]);

        if (s)
            ofs_listing_said(&s->list, OFS_LONG_AGO, 0);
    }
}

void ofs_note_load_tenancy(struct ofs_tenancy *n)
{
    OFS_AUTO(ofs_tenancy_note_done) struct ofs_tenancy_note note = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    OFS_AUTOFREE char *key = key_of(n);
    int64_t age_s;

    if (!ofs_note_is_of(&n->note_key, key) ||
        ofs_store_note_get(n->base.store, key, &b, &age_s) < 0 ||
        ofs_note_parse_tenancy(b.data, b.len, &note) < 0)
        return;
    if (!n->ns)
        n->ns = ofs_take(&note.ns);
    if (ofs_tenancy_take(n, &note.known, OFS_LONG_AGO) == 0 && note.each)
        say_each(n, &note.asked);
}
