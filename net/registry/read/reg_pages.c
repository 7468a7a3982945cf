/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_pages.h"

enum {
    PAGES_MAX = 2000,
    PAGE_BYTES_MAX = 16 * 1024 * 1024,
    REDIRECTS_MAX = 5,
    URL_MAX = 32768, /* bytes */
};

/* Where a walk is. */
struct place {
    const struct reg_walk *walk;
    size_t n;             /* names that a page was asked to have */
    char *url;            /* to be asked next; owned; NULL: the end */
    bool guessed;         /* nobody has said that there is such a page */
    struct ofs_map *seen; /* URLs asked so far; owned */
    struct reg_page before;
};

static void place_done(struct place *p)
{
    free(p->url);
    ofs_map_free(p->seen, NULL);
    ofs_reg_page_done(&p->before);
}

static int ask(const struct place *p, struct ofs_http_resp *ret,
               struct ofs_err *err)
{
    const struct reg_walk *w = p->walk;
    struct reg_req req = {
        .method = "GET",
        .url = p->url,
        .scope = w->scope,
        .what = w->what,
        .headers = w->headers,
        .max_body = PAGE_BYTES_MAX,
        .max_redirects = REDIRECTS_MAX,
    };

    return ofs_reg_do(w->end, w->call, &req, ret, err);
}

static int begin(struct place *p, size_t n, struct ofs_err *err)
{
    free(p->url);
    p->n = n;
    p->url =
        n > 0 ? ofs_strf("%s?n=%zu", p->walk->list, n) : strdup(p->walk->list);
    return p->url ? 0 : ofs_err_nomem(err, "a URL");
}

/*
 * Some registries refuse pages as long as we like; without a wish they page
 * as they like and say so in Link.
 */
static int ask_first(struct place *p, struct ofs_http_resp *ret,
                     struct ofs_err *err)
{
    struct reg_end *end = p->walk->end;
    struct ofs_err refusal = { 0 };
    bool wish = p->walk->n > 0 && !atomic_load(&end->refuses_n);
    int r = begin(p, wish ? p->walk->n : 0, err);

    if (r < 0)
        return r;
    r = ask(p, ret, &refusal);
    if (r < 0 && wish && refusal.http_status == 400) {
        r = begin(p, 0, &refusal);
        if (r == 0)
            r = ask(p, ret, &refusal);
        if (r == 0)
            atomic_store(&end->refuses_n, true);
    }
    if (r < 0 && err)
        *err = refusal;
    return r;
}

static int circles(const struct place *p, struct ofs_err *err)
{
    return ofs_err_set(err, -EFBIG, "%s: %s: the list does not end",
                       p->walk->end->host, p->walk->what);
}

/* Note that p->url was asked. */
static int note_url(struct place *p, struct ofs_err *err)
{
    if (ofs_map_count(p->seen) >= PAGES_MAX)
        return circles(p, err);
    return ofs_map_put(p->seen, p->url, p, NULL) < 0
               ? ofs_err_nomem(err, "a list of pages")
               : 0;
}

static int find_next(const struct place *p, const struct ofs_http_resp *resp,
                     const struct reg_page *page, struct ofs_buf *ret,
                     struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url at = { 0 };
    struct reg_place place = {
        .at = &at,
        .list = p->walk->list,
        .n = p->n,
    };
    int r = ofs_url_parse(p->url, &at, err);

    if (r < 0)
        return r;
    return ofs_reg_page_next(&place, &resp->headers, page, ret, err);
}

/* Hand the page on and move to the next one. */
static int step(struct place *p, const struct ofs_http_resp *resp,
                struct ofs_err *err)
{
    OFS_AUTO(ofs_reg_page_done) struct reg_page page = { 0 };
    OFS_AUTOBUF struct ofs_buf next = OFS_BUF_INIT(URL_MAX);
    bool repeats;
    int r = note_url(p, err);

    if (r == 0)
        r = p->walk->take(p->walk->arg, resp, &page, err);
    if (r < 0)
        return r;
    r = find_next(p, resp, &page, &next, err);
    if (r < 0)
        return ofs_err_wrap(err, r, p->walk->what);
    repeats = ofs_reg_page_repeats(&page, &p->before);
    free(ofs_take(&p->url));
    if (r == REG_NEXT_NONE || (r == REG_NEXT_GUESS && repeats))
        return 0;
    if (repeats || ofs_map_get(p->seen, ofs_buf_str(&next)))
        return circles(p, err);
    p->url = ofs_buf_take(&next);
    p->guessed = r == REG_NEXT_GUESS;
    ofs_reg_page_done(&p->before);
    p->before = page;
    page = (struct reg_page){ 0 };
    return 0;
}

/*
 * Does the refusal of a further page mean that there is none?  Of a page that
 * was only guessed most refusals do: servers fail in all ways over a `last`
 * that they do not know.  Not "who are you" and "not now".
 */
static bool ends_list(const struct place *p, const struct ofs_err *refusal)
{
    switch (refusal->http_status) {
    case 404:
        return p->guessed || p->walk->ends_with_404;
    case 400:
    case 405:
    case 410:
    case 416:
    case 422:
    case 500:
    case 501:
        return p->guessed;
    default:
        return false;
    }
}

/* The next page, which may turn out not to be there. */
static int ask_further(struct place *p, struct ofs_http_resp *ret,
                       struct ofs_err *err)
{
    struct ofs_err refusal = { 0 };
    int r = ask(p, ret, &refusal);

    if (r < 0 && ends_list(p, &refusal)) {
        free(ofs_take(&p->url));
        return 0;
    }
    if (r < 0 && err)
        *err = refusal;
    return r;
}

int ofs_reg_walk(const struct reg_walk *w, struct ofs_err *err)
{
    OFS_AUTO(place_done) struct place p = { .walk = w, .seen = ofs_map_new() };
    bool first = true;
    int r;

    if (!p.seen)
        return ofs_err_nomem(err, "a list of pages");
    do {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };

        r = first ? ask_first(&p, &resp, err) : ask_further(&p, &resp, err);
        if (r == 0 && p.url)
            r = step(&p, &resp, err);
        first = false;
    } while (r == 0 && p.url);
    return r;
}
