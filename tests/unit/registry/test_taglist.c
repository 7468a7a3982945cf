/* SPDX-License-Identifier: Apache-2.0 */
#include "taglist.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define BASE "https://h:5000/p/v2/"
#define LIST BASE "a/b/tags/list"

static const struct {
    const char *json;
    const struct reg_list *kind;
    int r;
    const char *names; /* joined by spaces */
    size_t count;
    const char *first, *last;
} pages[] = {
    { "{\"name\":\"a\",\"tags\":[\"1\",\"2\"]}", &ofs_list_tags, 0, "1 2", 2,
      "1", "2" },
    { "{\"tags\":[\"b\",\"a\",\"b\"]}", &ofs_list_tags, 0, "b a b", 3, "b",
      "b" },
    { "{\"tags\":[]}", &ofs_list_tags, 0, "", 0, NULL, NULL },
    { "{\"name\":\"a\",\"tags\":null}", &ofs_list_tags, 0, "", 0, NULL, NULL },
    { "{\"name\":\"a\"}", &ofs_list_tags, 0, "", 0, NULL, NULL },
    { "{}", &ofs_list_tags, -EBADMSG, "", 0, NULL, NULL },
    { "{\"errors\":[]}", &ofs_list_tags, -EBADMSG, "", 0, NULL, NULL },
    { "{\"tags\":{}}", &ofs_list_tags, -EBADMSG, "", 0, NULL, NULL },
    { "{\"tags\":\"a\"}", &ofs_list_tags, -EBADMSG, "", 0, NULL, NULL },
    { "[\"a\"]", &ofs_list_tags, -EBADMSG, "", 0, NULL, NULL },
    { "<html>", &ofs_list_tags, -EBADMSG, "", 0, NULL, NULL },
    { "", &ofs_list_tags, -EBADMSG, "", 0, NULL, NULL },
    { "{\"tags\":[\"..\",\"a/b\",\"ok\",\"\",\"a\\u0000b\",5,null,\"x y\"]}",
      &ofs_list_tags, 0, "ok", 8, "..", "x y" },
    { "{\"tags\":[5,\"a\",null]}", &ofs_list_tags, 0, "a", 3, NULL, NULL },
    { "{\"repositories\":[\"a/b\",\"A\",\"../x\",\"c\"]}", &ofs_list_repos, 0,
      "a/b c", 4, "a/b", "c" },
    { "{\"repositories\":null}", &ofs_list_repos, 0, "", 0, NULL, NULL },
    { "{\"name\":\"a\"}", &ofs_list_repos, -EBADMSG, "", 0, NULL, NULL },
};

static bool is(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

static void pages_give_their_valid_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(pages); i++) {
        OFS_AUTOSTRV struct ofs_strv names = { 0 };
        OFS_AUTOBUF struct ofs_buf all = OFS_BUF_INIT(1000);
        OFS_AUTO(ofs_reg_page_done) struct reg_page page = { 0 };
        int r = ofs_reg_page_decode(pages[i].json, strlen(pages[i].json),
                                    pages[i].kind, &names, &page, NULL);

        for (size_t k = 0; k < names.n; k++)
            (void)ofs_buf_addf(&all, k > 0 ? " %s" : "%s", names.at[k]);
        if (r != pages[i].r || page.count != pages[i].count ||
            !is(ofs_buf_str(&all), pages[i].names) ||
            !is(page.first, pages[i].first) || !is(page.last, pages[i].last))
            fail_msg("row %zu: %d '%s'", i, r, ofs_buf_str(&all));
    }
}

static void a_page_repeats_by_its_ends(void **state)
{
    char a[] = "a", b[] = "b", c[] = "c";
    const struct reg_page ab = { .count = 2, .first = a, .last = b };
    const struct reg_page ac = { .count = 2, .first = a, .last = c };
    const struct reg_page longer = { .count = 3, .first = a, .last = b };
    const struct reg_page none = { 0 };

    (void)state;
    assert_true(ofs_reg_page_repeats(&ab, &ab));
    assert_false(ofs_reg_page_repeats(&ab, &ac));
    assert_false(ofs_reg_page_repeats(&ab, &longer));
    assert_false(ofs_reg_page_repeats(&ab, &none));
    assert_false(ofs_reg_page_repeats(&none, &none));
}

static const struct {
    const char *link, *link2;
    size_t n, count;
    const char *last;
    int r;
    const char *next;
} ways[] = {
    { "</p/v2/a/b/tags/list?n=2&last=b>; rel=\"next\"", NULL, 2, 2, "b",
      REG_NEXT_LINK, LIST "?n=2&last=b" },
    { "<https://h:5000/p/v2/a/b/tags/list?last=b>; rel=next", NULL, 2, 2, "b",
      REG_NEXT_LINK, LIST "?last=b" },
    { "<?last=b>; rel=next", NULL, 0, 2, "b", REG_NEXT_LINK, LIST "?last=b" },
    /* A proxy took away the prefix, or calls itself by an inner name. */
    { "</v2/a/b/tags/list?last=b>; rel=next", NULL, 0, 2, "b", REG_NEXT_LINK,
      LIST "?last=b" },
    { "<http://10.0.0.1/v2/a/b/tags/list?last=b>; rel=next", NULL, 0, 2, "b",
      REG_NEXT_LINK, LIST "?last=b" },
    { "<https://evil.example/x?last=b>; rel=next", NULL, 0, 2, "b",
      REG_NEXT_LINK, LIST "?last=b" },
    { "<https://evil.example/x>; rel=next", NULL, 0, 2, "b", -EBADMSG, NULL },
    { "<ftp://h/x?y>; rel=next", NULL, 0, 2, "b", -EBADMSG, NULL },
    /* A proxy took the first part of the repository's name for itself. */
    { "</p/v2/b/tags/list?last=b>; rel=next", NULL, 0, 2, "b", REG_NEXT_LINK,
      LIST "?last=b" },
    { "</p/v2/a/b/tags/listing?last=b>; rel=next", NULL, 0, 2, "b",
      REG_NEXT_LINK, LIST "?last=b" },
    { "<" LIST "?last=b>; rel='next'", NULL, 0, 2, "b", REG_NEXT_LINK,
      LIST "?last=b" },
    /* There is more, and only its place is not told. */
    { "<https://evil.example/x>; rel=next", NULL, 2, 1, "b", REG_NEXT_LINK,
      LIST "?n=2&last=b" },
    { "<ftp://h/x?y>; rel=next", NULL, 2, 1, "b", REG_NEXT_LINK,
      LIST "?n=2&last=b" },
    /* There may be more. */
    { LIST "?last=b; rel=\"next\"", NULL, 5, 2, "b", REG_NEXT_GUESS,
      LIST "?n=5&last=b" },
    { "</p/v2/a/b/tags/list?last=b>", NULL, 0, 2, "b", REG_NEXT_GUESS,
      LIST "?last=b" },
    { "</x>; rel=\"next", NULL, 5, 2, "b", REG_NEXT_GUESS, LIST "?n=5&last=b" },
    { "junk", NULL, 5, 2, NULL, REG_NEXT_NONE, NULL },
    { "</first>; rel=first", "<?last=b>; rel=next", 0, 2, "b", REG_NEXT_LINK,
      LIST "?last=b" },
    { "</first>; rel=first", NULL, 5, 2, "b", REG_NEXT_NONE, NULL },
    { NULL, NULL, 0, 2, "b", REG_NEXT_NONE, NULL },
    { NULL, NULL, 3, 2, "b", REG_NEXT_NONE, NULL },
    { NULL, NULL, 1, 2, "b", REG_NEXT_NONE, NULL },
    { NULL, NULL, 2, 2, "b", REG_NEXT_GUESS, LIST "?n=2&last=b" },
    { NULL, NULL, 2, 2, "a/b&c", REG_NEXT_GUESS, LIST "?n=2&last=a%2Fb%26c" },
    { NULL, NULL, 2, 2, NULL, REG_NEXT_NONE, NULL },
    { NULL, NULL, 0, 0, NULL, REG_NEXT_NONE, NULL },
};

static void add_link(struct ofs_headers *h, const char *value)
{
    if (value)
        assert_int_equal(ofs_headers_add(h, "Link", 4, value, strlen(value)),
                         0);
}

static void the_next_page_is_found_on_this_host_only(void **state)
{
    OFS_AUTOURL struct ofs_url at = { 0 };

    (void)state;
    assert_int_equal(ofs_url_parse(LIST "?n=2", &at, NULL), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(ways); i++) {
        OFS_AUTO(ofs_headers_done) struct ofs_headers headers = { 0 };
        OFS_AUTOBUF struct ofs_buf next = OFS_BUF_INIT(10000);
        OFS_AUTO(ofs_reg_page_done)
        struct reg_page page = { .count = ways[i].count };
        struct reg_place place = { .at = &at, .list = LIST, .n = ways[i].n };
        int r;

        page.last = ways[i].last ? strdup(ways[i].last) : NULL;
        add_link(&headers, ways[i].link);
        add_link(&headers, ways[i].link2);
        r = ofs_reg_page_next(&place, &headers, &page, &next, NULL);
        if (r != ways[i].r ||
            (r > 0 && strcmp(ofs_buf_str(&next), ways[i].next) != 0))
            fail_msg("row %zu: %d '%s'", i, r, ofs_buf_str(&next));
    }
}

static void a_url_beyond_the_limit_is_refused(void **state)
{
    OFS_AUTOURL struct ofs_url at = { 0 };
    OFS_AUTOBUF struct ofs_buf next = OFS_BUF_INIT(30);
    OFS_AUTO(ofs_headers_done) struct ofs_headers headers = { 0 };
    struct reg_place place = { .at = &at, .list = LIST };
    const struct reg_page page = { 0 };

    (void)state;
    assert_int_equal(ofs_url_parse(LIST, &at, NULL), 0);
    add_link(&headers, "<?last=b>; rel=next");
    assert_int_equal(ofs_reg_page_next(&place, &headers, &page, &next, NULL),
                     -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(pages_give_their_valid_names),
        cmocka_unit_test(a_page_repeats_by_its_ends),
        cmocka_unit_test(the_next_page_is_found_on_this_host_only),
        cmocka_unit_test(a_url_beyond_the_limit_is_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
