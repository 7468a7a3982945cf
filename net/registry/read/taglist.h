/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TAGLIST_H
#define OFS_TAGLIST_H

/*
 * Pages of tag lists and catalogs: what is on one, and where the next one is.
 * Pure; takes foreign bytes.  Source: OCI distribution-spec v1.1.1, "Listing
 * Tags"; Docker Registry HTTP API V2, "Pagination".
 */

#include "ocirfs/httphdr.h"
#include "ocirfs/str.h"
#include "ocirfs/url.h"

/* What kind of list it is. */
struct reg_list {
    const char *member; /* of the JSON that holds the names */
    bool (*is_valid)(const char *name);
    bool may_lack; /* the member: an empty list that Go left out */
};

extern const struct reg_list ofs_list_tags, ofs_list_repos;

/* What a page tells for the way to the next one; names owned. */
struct reg_page {
    size_t count; /* of entries, also those that were dropped */
    char *first, *last;
};

void ofs_reg_page_done(struct reg_page *p);

/*
 * Append the valid names of a page to `names`, the others are dropped.
 * -EBADMSG: not such a page; -ENOMEM.
 */
int ofs_reg_page_decode(const char *json, size_t len,
                        const struct reg_list *kind, struct ofs_strv *names,
                        struct reg_page *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;

/* The same page as before, from a server that does not look at `last`? */
bool ofs_reg_page_repeats(const struct reg_page *page,
                          const struct reg_page *before);

/*
 * The URL of the page behind this one into `ret`.  `at` is this page's own
 * URL, `list` the list's URL without query, `n` how many names were asked for
 * (0: not said).  Never leaves the list: of a Link elsewhere only the query is taken, as what a proxy in front
 * makes of host and path is not to be trusted, and often wrong.  One that
 * leads nowhere still says that there is more, which is asked for by `last`.
 *
 * -EBADMSG: a link that leads nowhere, and no way to ask otherwise.
 */
enum reg_next {
    REG_NEXT_NONE,
    REG_NEXT_LINK,
    REG_NEXT_GUESS, /* there may be one; a server that has none repeats */
};
struct reg_place {
    const struct ofs_url *at;
    const char *list; /* URL */
    size_t n;
};
int ofs_reg_page_next(const struct reg_place *place,
                      const struct ofs_headers *headers,
                      const struct reg_page *page, struct ofs_buf *ret,
                      struct ofs_err *err) OFS_MUST_CHECK; /* enum reg_next */

#endif
