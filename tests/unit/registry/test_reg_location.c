/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_location.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *from, *location, *to; /* to: NULL: -EBADMSG */
} rows[] = {
    { "https://r.example/v2/a/blobs/uploads/", "/v2/a/blobs/uploads/1?s=%2F&t=",
      "https://r.example/v2/a/blobs/uploads/1?s=%2F&t=" },
    { "https://r.example/p/v2/a/blobs/uploads/", "u1",
      "https://r.example/p/v2/a/blobs/uploads/u1" },
    { "https://r.example/v2/a/blobs/uploads/u1?x=1", "?x=2",
      "https://r.example/v2/a/blobs/uploads/u1?x=2" },
    { "https://r.example/v2/", "https://store.example/up?sig=a%3D",
      "https://store.example/up?sig=a%3D" },
    { "https://r.example/v2/", "//store.example/up",
      "https://store.example/up" },
    /* Behind a proxy that ends TLS. */
    { "https://r.example/v2/", "http://r.example/v2/u?s=1",
      "https://r.example/v2/u?s=1" },
    { "https://r.example:8443/v2/", "http://r.example/v2/u",
      "https://r.example:8443/v2/u" },
    { "https://r.example:8443/v2/", "http://r.example:8443/v2/u",
      "https://r.example:8443/v2/u" },
    { "https://r.example/v2/", "http://R.Example//evil.example/u",
      "https://r.example//evil.example/u" },
    { "https://r.example/v2/", "http://r.example:5000/v2/u", NULL },
    { "https://r.example/v2/", "http://store.example/up", NULL },
    { "https://r.example/v2/", "https://127.0.0.1/up", NULL },
    { "http://127.0.0.1:5000/v2/", "http://127.0.0.1:6000/up",
      "http://127.0.0.1:6000/up" },
    { "https://r.example/v2/", "ftp://r.example/up", NULL },
    { "https://r.example/v2/", "https://a:b@r.example/up", NULL },
    { "https://r.example/v2/", "", NULL },
    { "https://r.example/v2/", NULL, NULL },
};

static void a_location_is_where_it_goes_on(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url from = { 0 }, to = { 0 };
        struct ofs_err err = { 0 };
        int r;

        assert_int_equal(ofs_url_parse(rows[i].from, &from, NULL), 0);
        r = ofs_reg_location(&from, rows[i].location, &to, &err);
        if (r != (rows[i].to ? 0 : -EBADMSG) || err.code != r)
            fail_msg("row %zu: %d %s", i, r, err.text);
        if (r == 0)
            assert_string_equal(to.text, rows[i].to);
    }
}

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void the_digest_goes_behind_the_query(void **state)
{
    static const struct {
        const char *url, *want;
    } urls[] = {
        { "https://r/u", "https://r/u?digest=sha256%3A" HEX },
        { "https://r/u?", "https://r/u?digest=sha256%3A" HEX },
        { "https://r/u?a=b", "https://r/u?a=b&digest=sha256%3A" HEX },
        { "https://r/u?a=b&", "https://r/u?a=b&digest=sha256%3A" HEX },
    };
    struct ofs_digest d;

    (void)state;
    assert_int_equal(ofs_digest_parse("sha256:" HEX, &d, NULL), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(urls); i++) {
        OFS_AUTOFREE char *is = ofs_reg_with_digest(urls[i].url, &d);

        assert_non_null(is);
        assert_string_equal(is, urls[i].want);
    }
}

static void a_range_tells_how_much_came(void **state)
{
    static const struct {
        const char *range;
        int r;
        uint64_t received;
    } ranges[] = {
        { "0-1023", 0, 1024 },
        { "bytes=0-1023", 0, 1024 },
        { "0-1", 0, 2 },
        { "0-18446744073709551614", 0, UINT64_MAX },
        { "0-0", -ENODATA, 0 },
        { "bytes=0-0", -ENODATA, 0 },
        { NULL, -ENODATA, 0 },
        { "", -EBADMSG, 0 },
        { "0-", -EBADMSG, 0 },
        { "0--1", -EBADMSG, 0 },
        { "5-9", -EBADMSG, 0 },
        { "0-9/10", -EBADMSG, 0 },
        { "bytes 0-9", -EBADMSG, 0 },
        { "0-18446744073709551615", -EBADMSG, 0 },
        { "0-18446744073709551616", -EBADMSG, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(ranges); i++) {
        uint64_t received = 0;
        int r = ofs_reg_received(ranges[i].range, &received);

        if (r != ranges[i].r || received != ranges[i].received)
            fail_msg("row %zu: %d", i, r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_location_is_where_it_goes_on),
        cmocka_unit_test(the_digest_goes_behind_the_query),
        cmocka_unit_test(a_range_tells_how_much_came),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
