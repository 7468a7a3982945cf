/* SPDX-License-Identifier: Apache-2.0 */
#include "taglist.h"

#define LIST "https://registry.example/prefix/v2/a/b/tags/list"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever a server says, the next page is one of the same list. */
static void look_for_next(const char *link, const struct reg_page *page)
{
    OFS_AUTO(ofs_headers_done) struct ofs_headers headers = { 0 };
    OFS_AUTOURL struct ofs_url at = { 0 }, next = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(16384);
    struct reg_place place = { .at = &at, .list = LIST, .n = page->count };
    int r;

    if (ofs_url_parse(LIST, &at, NULL) < 0)
        abort();
    if (*link && ofs_headers_add(&headers, "Link", 4, link, strlen(link)) < 0)
        return;
    r = ofs_reg_page_next(&place, &headers, page, &b, NULL);
    if (r <= 0)
        return;
    if (!ofs_str_starts(ofs_buf_str(&b), LIST))
        abort();
    if (ofs_url_parse(ofs_buf_str(&b), &next, NULL) == 0 &&
        !ofs_url_same_origin(&at, &next))
        abort();
}

static void decode(const char *json, size_t len, const struct reg_list *kind,
                   const char *link)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    OFS_AUTO(ofs_reg_page_done) struct reg_page page = { 0 };
    struct ofs_err err = { 0 };
    int r = ofs_reg_page_decode(json, len, kind, &names, &page, &err);

    if (r != err.code || names.n > page.count + (r < 0 ? names.n : 0))
        abort();
    for (size_t i = 0; i < names.n; i++)
        if (!kind->is_valid(names.at[i]))
            abort();
    if (r == 0)
        look_for_next(link, &page);
}

/* The first line is the Link header, the rest the page. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    OFS_AUTOFREE char *link = NULL;
    size_t skip;

    if (!end)
        return 0;
    link = strndup((const char *)data, (size_t)(end - data));
    skip = (size_t)(end - data) + 1;
    if (!link)
        abort();
    decode((const char *)data + skip, size - skip, &ofs_list_tags, link);
    decode((const char *)data + skip, size - skip, &ofs_list_repos, link);
    return 0;
}
