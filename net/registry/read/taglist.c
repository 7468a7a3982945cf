/* SPDX-License-Identifier: Apache-2.0 */
#include "taglist.h"

#include "ocirfs/json.h"
#include "ocirfs/ref.h"

enum { URL_MAX = 16384 }; /* bytes */

const struct reg_list ofs_list_tags = {
    .member = "tags",
    .is_valid = ofs_tag_is_valid,
    .may_lack = true,
};

const struct reg_list ofs_list_repos = {
    .member = "repositories",
    .is_valid = ofs_repo_is_valid,
};

void ofs_reg_page_done(struct reg_page *p)
{
    free(p->first);
    free(p->last);
    *p = (struct reg_page){ 0 };
}

/* Borrowed; NULL: not a string, or one that no name can be. */
static const char *text_of(const json_t *value)
{
    const char *text = json_string_value(value);

    return text && strlen(text) == json_string_length(value) ? text : NULL;
}

static int add_names(const json_t *list, const struct reg_list *kind,
                     struct ofs_strv *names, struct ofs_err *err)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *name = text_of(json_array_get(list, i));

        if (name && kind->is_valid(name) && ofs_strv_add(names, name) < 0)
            return ofs_err_nomem(err, "a list of names");
    }
    return 0;
}

static int note_ends(const json_t *list, struct reg_page *ret,
                     struct ofs_err *err)
{
    const char *first = text_of(json_array_get(list, 0));
    const char *last = NULL;

    ret->count = json_array_size(list);
    if (ret->count > 0)
        last = text_of(json_array_get(list, ret->count - 1));
    if (first)
        ret->first = strdup(first);
    if (last)
        ret->last = strdup(last);
    if ((first && !ret->first) || (last && !ret->last))
        return ofs_err_nomem(err, "a page of names");
    return 0;
}

/* The list in the document; *ret NULL: none, and that is right. */
static int find_list(const json_t *doc, const struct reg_list *kind,
                     const json_t **ret, struct ofs_err *err)
{
    const json_t *list = json_object_get(doc, kind->member);
    bool empty = json_is_null(list);

    if (!list && kind->may_lack)
        empty = json_is_string(json_object_get(doc, "name"));
    if (!json_is_array(list) && !empty)
        return ofs_err_set(err, -EBADMSG, "a list without '%s'", kind->member);
    *ret = empty ? NULL : list;
    return 0;
}

int ofs_reg_page_decode(const char *json, size_t len,
                        const struct reg_list *kind, struct ofs_strv *names,
                        struct reg_page *ret, struct ofs_err *err)
{
    OFS_AUTOJSON json_t *doc = NULL;
    OFS_AUTO(ofs_reg_page_done) struct reg_page page = { 0 };
    const json_t *list = NULL;
    int r = ofs_json_parse(json, len, &doc, err);

    if (r == 0)
        r = find_list(doc, kind, &list, err);
    if (r == 0)
        r = add_names(list, kind, names, err);
    if (r == 0)
        r = note_ends(list, &page, err);
    if (r < 0)
        return r;
    *ret = page;
    page = (struct reg_page){ 0 };
    return 0;
}

static bool same(const char *a, const char *b)
{
    return a && b && strcmp(a, b) == 0;
}

bool ofs_reg_page_repeats(const struct reg_page *page,
                          const struct reg_page *before)
{
    return page->count > 0 && page->count == before->count &&
           same(page->first, before->first) && same(page->last, before->last);
}

/* What the headers say of a next page. */
enum told {
    TOLD_NOTHING,
    TOLD_ODDLY, /* there is a link, of which nobody can tell where it leads */
    TOLD_TARGET,
};

/*
 * Is it meant as a link to the next page, but not written as one?  Seen are
 * URLs without brackets, and brackets without "rel".
 */
static bool is_odd(const char *value)
{
    return value[0] != '<' || !strcasestr(value, "rel") ||
           strcasestr(value, "next");
}

/* An enum told, or a failure. */
static int find_link(const struct ofs_headers *headers, struct ofs_buf *target,
                     struct ofs_err *err)
{
    enum told told = TOLD_NOTHING;
    const char *value;

    for (size_t i = 0; (value = ofs_headers_nth(headers, "Link", i)); i++) {
        int r = ofs_link_next(value, target);

        if (r == 0)
            return TOLD_TARGET;
        if (r != -ENOENT)
            return ofs_err_set(err, r, "a link that cannot be read");
        if (is_odd(value))
            told = TOLD_ODDLY;
    }
    return (int)told;
}

/* Is it this very list, whatever its query? */
static bool is_own(const struct reg_place *place, const struct ofs_url *next)
{
    size_t len = strlen(place->list);

    return ofs_str_starts(next->text, place->list) &&
           (next->text[len] == '?' || next->text[len] == '\0');
}

/* 1: `ret` has it; 0: it leads elsewhere and tells no query. */
static int follow(const struct reg_place *place, const char *target,
                  struct ofs_buf *ret)
{
    OFS_AUTOURL struct ofs_url next = { 0 };
    const char *query;

    if (ofs_url_resolve(place->at, target, &next, NULL) < 0)
        return 0;
    query = strchr(next.target, '?');
    if (is_own(place, &next)) {
        (void)ofs_buf_adds(ret, next.text);
        return 1;
    }
    if (!query)
        return 0;
    (void)ofs_buf_adds(ret, place->list);
    (void)ofs_buf_adds(ret, query);
    return 1;
}

static void after_last(const struct reg_place *place, const char *last,
                       struct ofs_buf *ret)
{
    (void)ofs_buf_addf(ret, "%s?", place->list);
    if (place->n > 0)
        (void)ofs_buf_addf(ret, "n=%zu&", place->n);
    (void)ofs_buf_adds(ret, "last=");
    (void)ofs_str_percent(ret, last);
}

/* Where a link leads; one that is of no use still says that there is more. */
static int by_link(const struct reg_place *place, const char *target,
                   const struct reg_page *page, struct ofs_buf *ret,
                   struct ofs_err *err)
{
    if (follow(place, target, ret))
        return REG_NEXT_LINK;
    if (!page->last || place->n == 0)
        return ofs_err_set(err, -EBADMSG,
                           "the next page is said to be elsewhere");
    after_last(place, page->last, ret);
    return REG_NEXT_LINK;
}

/*
 * Old registries cut the list and say nothing: a full page may be one of
 * several, so what comes after it is asked for.
 */
static int by_guess(const struct reg_place *place, enum told told,
                    const struct reg_page *page, struct ofs_buf *ret)
{
    bool full = place->n > 0 && page->count == place->n;

    if (!page->last || (!full && told != TOLD_ODDLY))
        return REG_NEXT_NONE;
    after_last(place, page->last, ret);
    return REG_NEXT_GUESS;
}

int ofs_reg_page_next(const struct reg_place *place,
                      const struct ofs_headers *headers,
                      const struct reg_page *page, struct ofs_buf *ret,
                      struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf target = OFS_BUF_INIT(URL_MAX);
    int r = find_link(headers, &target, err);

    if (r == TOLD_TARGET)
        r = by_link(place, ofs_buf_str(&target), page, ret, err);
    else if (r >= 0)
        r = by_guess(place, (enum told)r, page, ret);
    if (ret->failed)
        return ofs_err_set(err, ret->failed, "the next page's URL is too long");
    return r;
}
