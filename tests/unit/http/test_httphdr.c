/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/httphdr.h"

#define AUTOHEADERS OFS_AUTO(ofs_headers_done)

static int add(struct ofs_headers *h, const char *name, const char *value)
{
    return ofs_headers_add(h, name, strlen(name), value, strlen(value));
}

static void fields_are_found_by_name_whatever_the_case(void **state)
{
    AUTOHEADERS struct ofs_headers h = { 0 };

    (void)state;
    assert_int_equal(add(&h, "Content-Type", "a/b"), 0);
    assert_int_equal(add(&h, "link", "one"), 0);
    assert_int_equal(add(&h, "X", ""), 0);
    assert_int_equal(add(&h, "LINK", "two"), 0);
    assert_string_equal(ofs_headers_get(&h, "content-type"), "a/b");
    assert_string_equal(ofs_headers_get(&h, "Link"), "one");
    assert_string_equal(ofs_headers_nth(&h, "Link", 0), "one");
    assert_string_equal(ofs_headers_nth(&h, "Link", 1), "two");
    assert_null(ofs_headers_nth(&h, "Link", 2));
    assert_string_equal(ofs_headers_get(&h, "x"), "");
    assert_null(ofs_headers_get(&h, "Content"));
    assert_string_equal(h.at[3].name, "LINK");
    ofs_headers_done(&h);
    assert_null(ofs_headers_get(&h, "x"));
}

static void only_so_many_fields_are_kept(void **state)
{
    AUTOHEADERS struct ofs_headers h = { 0 };

    (void)state;
    for (int i = 0; i < OFS_HEADERS_MAX; i++)
        assert_int_equal(add(&h, "a", "b"), 0);
    assert_int_equal(add(&h, "a", "b"), -EFBIG);
    assert_int_equal(h.n, OFS_HEADERS_MAX);
}

static void only_so_many_bytes_are_kept(void **state)
{
    AUTOHEADERS struct ofs_headers h = { 0 };
    OFS_AUTOFREE char *big = malloc(OFS_HEADERS_BYTES_MAX + 1);

    (void)state;
    assert_non_null(big);
    memset(big, 'x', OFS_HEADERS_BYTES_MAX + 1);
    assert_int_equal(ofs_headers_add(&h, "a", 1, big, OFS_HEADERS_BYTES_MAX),
                     -EFBIG);
    assert_int_equal(ofs_headers_add(&h, big, OFS_HEADERS_BYTES_MAX + 1, "", 0),
                     -EFBIG);
    assert_int_equal(
        ofs_headers_add(&h, "a", 1, big, OFS_HEADERS_BYTES_MAX - 3), 0);
    assert_int_equal(add(&h, "b", "12"), -EFBIG);
    assert_int_equal(add(&h, "b", "1"), 0);
    assert_int_equal(add(&h, "", "1"), -EFBIG);
}

static void a_content_range_is_strict(void **state)
{
    static const struct {
        const char *value;
        int want;
        struct ofs_content_range r;
    } rows[] = {
        { "bytes 0-9/100", 0, { true, 0, 9, true, 100 } },
        { "Bytes 5-5/6", 0, { true, 5, 5, true, 6 } },
        { " bytes\t 0-0/1 ", 0, { true, 0, 0, true, 1 } },
        { "bytes 7-9/*", 0, { true, 7, 9, false, 0 } },
        { "bytes */100", 0, { false, 0, 0, true, 100 } },
        { "bytes */0", 0, { false, 0, 0, true, 0 } },
        { "bytes 0-18446744073709551614/18446744073709551615",
          0,
          { true, 0, UINT64_MAX - 1, true, UINT64_MAX } },
        { "bytes 0-18446744073709551616/*", -EBADMSG, { 0 } },
        { "bytes */*", -EBADMSG, { 0 } },
        { "bytes 9-0/100", -EBADMSG, { 0 } },
        { "bytes 0-100/100", -EBADMSG, { 0 } },
        { "bytes 0-0/0", -EBADMSG, { 0 } },
        { "bytes=0-9/100", -EBADMSG, { 0 } },
        { "bytes 0-9", -EBADMSG, { 0 } },
        { "bytes 0-/100", -EBADMSG, { 0 } },
        { "bytes -9/100", -EBADMSG, { 0 } },
        { "bytes 0-9/", -EBADMSG, { 0 } },
        { "bytes 0-9/100x", -EBADMSG, { 0 } },
        { "bytes 0 - 9/100", -EBADMSG, { 0 } },
        { "bytes +0-9/100", -EBADMSG, { 0 } },
        { "bytes 0-9/100, 10-19/100", -EBADMSG, { 0 } },
        { "bytes0-9/100", -EBADMSG, { 0 } },
        { "items 0-9/100", -EBADMSG, { 0 } },
        { "0-9", -EBADMSG, { 0 } },
        { "bytes", -EBADMSG, { 0 } },
        { "", -EBADMSG, { 0 } },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_content_range r = { .total = 77 };

        if (ofs_content_range_parse(rows[i].value, &r) != rows[i].want)
            fail_msg("%s", rows[i].value);
        if (rows[i].want < 0) {
            assert_int_equal(r.total, 77);
            continue;
        }
        assert_int_equal(r.satisfiable, rows[i].r.satisfiable);
        assert_int_equal(r.first, rows[i].r.first);
        assert_int_equal(r.last, rows[i].r.last);
        assert_int_equal(r.total_known, rows[i].r.total_known);
        assert_int_equal(r.total, rows[i].r.total);
    }
}

static void a_wish_to_come_later_is_seconds_or_a_date(void **state)
{
    static const int64_t now_s = 784111777; /* Sun, 06 Nov 1994 08:49:37 */
    static const int64_t most_ms = 10LL * 366 * 86400 * 1000;
    static const struct {
        const char *value;
        int64_t want;
    } rows[] = {
        { "0", 0 },
        { "3", 3000 },
        { " 120 ", 120000 },
        { "99999999999", most_ms },
        { "18446744073709551615", most_ms },
        { "Sun, 06 Nov 1994 08:49:37 GMT", 0 },
        { "Sun, 06 Nov 1994 08:49:47 GMT", 10000 },
        { "Sun, 06 Nov 1994 08:00:00 GMT", 0 },
        { "Fri, 31 Dec 9999 23:59:59 GMT", most_ms },
        { "18446744073709551616", -1 },
        { "-1", -1 },
        { "1.5", -1 },
        { "3s", -1 },
        { "soon", -1 },
        { "Sun, 06 Nov", -1 },
        { "1994-11-06T08:49:47Z", -1 },
        { "", -1 },
        { NULL, -1 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        int64_t got = ofs_retry_after_ms(rows[i].value, now_s);

        if (got != rows[i].want)
            fail_msg("'%s': %lld", rows[i].value, (long long)got);
    }
}

static void the_next_page_is_found_among_links(void **state)
{
    static const struct {
        const char *value, *want; /* NULL: none */
    } rows[] = {
        { "</v2/_catalog?last=b&n=2>; rel=\"next\"",
          "/v2/_catalog?last=b&n=2" },
        { "</x>; rel=next", "/x" },
        { "</x>; rel='next'", "/x" },
        { "</x>; rel='nex", NULL },
        { "</x>; rel='", NULL },
        { "</x>;rel=\"next\"", "/x" },
        { "</x>  ;  REL = \"NEXT\"  ", "/x" },
        { "<https://h/a?b>; rel=\"prev next\"", "https://h/a?b" },
        { "<a>; rel=prev, <b>; rel=next", "b" },
        { "<a>; rel=\"prev\",<b>;rel=\"next\",<c>;rel=next", "b" },
        { "<a,b;c>; rel=next", "a,b;c" },
        { "<a>; title=\"x, <y>; rel=next\"; rel=prev, <b>; rel=next", "b" },
        { "<a>; title=\"\\\"; rel=next; \"; rel=next", "a" },
        { "<a>; rel=prev; rel=next", NULL },
        { "<a>; rel=next; rel=prev", "a" },
        { "<a>; rel; rel=next", NULL },
        { "<a>; title=x; rel=next", "a" },
        { "<a>; crossorigin; title*=UTF-8''x; rel=next", "a" },
        { "<a>;; rel=next", "a" },
        { ", ,<a>; rel=next", "a" },
        { "<>; rel=next", "" },
        { "<a>", NULL },
        { "<a>; rel=\"\"", NULL },
        { "<a>; rel=nexts", NULL },
        { "<a>; rel=\"next-page\"", NULL },
        { "<a>; rev=next", NULL },
        { "<a; rel=next", NULL },
        { "a; rel=next", NULL },
        { "<a> rel=next", NULL },
        { "<a>; rel=\"next", NULL },
        { "<a>; title=\"x; rel=next", NULL },
        { "junk <a>; rel=next", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);
        int r = ofs_link_next(rows[i].value, &b);

        if (r != (rows[i].want ? 0 : -ENOENT))
            fail_msg("%s: %d", rows[i].value, r);
        assert_string_equal(ofs_buf_str(&b), rows[i].want ? rows[i].want : "");
    }
}

static void a_target_beyond_the_limit_is_said_so(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(3);

    (void)state;
    assert_int_equal(ofs_link_next("<abcd>; rel=next", &b), -EFBIG);
    assert_int_equal(ofs_media_type("a/b", &b), -EFBIG);
}

static void a_media_type_has_no_parameters_and_no_capitals(void **state)
{
    static const struct {
        const char *value, *want; /* NULL: none */
    } rows[] = {
        { "application/json", "application/json" },
        { "Application/JSON; charset=utf-8", "application/json" },
        { " text/plain ;x", "text/plain" },
        { "application/vnd.oci.image.manifest.v1+json",
          "application/vnd.oci.image.manifest.v1+json" },
        { "a/b;", "a/b" },
        { "a/b c", NULL },
        { "a/b, c/d", NULL },
        { "a/b/c", NULL },
        { "a", NULL },
        { "/b", NULL },
        { "a/", NULL },
        { "a /b", NULL },
        { ";a/b", NULL },
        { "", NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);
        int r = ofs_media_type(rows[i].value, &b);

        if (r != (rows[i].want ? 0 : -EBADMSG))
            fail_msg("%s: %d", rows[i].value, r);
        assert_string_equal(ofs_buf_str(&b), rows[i].want ? rows[i].want : "");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(fields_are_found_by_name_whatever_the_case),
        cmocka_unit_test(only_so_many_fields_are_kept),
        cmocka_unit_test(only_so_many_bytes_are_kept),
        cmocka_unit_test(a_content_range_is_strict),
        cmocka_unit_test(a_wish_to_come_later_is_seconds_or_a_date),
        cmocka_unit_test(the_next_page_is_found_among_links),
        cmocka_unit_test(a_target_beyond_the_limit_is_said_so),
        cmocka_unit_test(a_media_type_has_no_parameters_and_no_capitals),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
