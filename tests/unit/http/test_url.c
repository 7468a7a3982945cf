/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/str.h"
#include "ocirfs/url.h"

static void a_url_falls_into_its_parts(void **state)
{
    static const struct {
        const char *text, *whole, *scheme, *host, *target;
        int port;
    } rows[] = {
        { "http://a", "http://a/", "http", "a", "/", 80 },
        { "https://a/b?c=d", "https://a/b?c=d", "https", "a", "/b?c=d", 443 },
        { "HTTPS://GRU.Ocir.IO/V2/", "https://gru.ocir.io/V2/", "https",
          "gru.ocir.io", "/V2/", 443 },
        { "http://127.0.0.1:5000/v2/", "http://127.0.0.1:5000/v2/", "http",
          "127.0.0.1", "/v2/", 5000 },
        { "https://a:443/x", "https://a/x", "https", "a", "/x", 443 },
        { "http://a:443", "http://a:443/", "http", "a", "/", 443 },
        { "https://a:80/", "https://a:80/", "https", "a", "/", 80 },
        { "https://a:/x", "https://a/x", "https", "a", "/x", 443 },
        { "https://a:0065535/", "https://a:65535/", "https", "a", "/", 65535 },
        { "http://[::1]:8080/x", "http://[::1]:8080/x", "http", "[::1]", "/x",
          8080 },
        { "http://[FE80::A]", "http://[fe80::a]/", "http", "[fe80::a]", "/",
          80 },
        { "https://a?q=1", "https://a/?q=1", "https", "a", "/?q=1", 443 },
        { "https://a/b#c?d", "https://a/b", "https", "a", "/b", 443 },
        { "https://a#frag", "https://a/", "https", "a", "/", 443 },
        { "https://a//b/../c/.", "https://a//b/../c/.", "https", "a",
          "//b/../c/.", 443 },
        { "https://a/@b:c", "https://a/@b:c", "https", "a", "/@b:c", 443 },
        { "https://a/%2e%41", "https://a/%2e%41", "https", "a", "/%2e%41",
          443 },
        { "https://a/\xc3\xa3", "https://a/\xc3\xa3", "https", "a", "/\xc3\xa3",
          443 },
        { "https://a_b-c.d.", "https://a_b-c.d./", "https", "a_b-c.d.", "/",
          443 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url u = { 0 };

        assert_int_equal(ofs_url_parse(rows[i].text, &u, NULL), 0);
        assert_string_equal(u.text, rows[i].whole);
        assert_string_equal(u.scheme, rows[i].scheme);
        assert_string_equal(u.host, rows[i].host);
        assert_string_equal(u.target, rows[i].target);
        assert_int_equal(u.port, rows[i].port);
    }
}

static void what_is_no_url_of_ours_is_refused_with_a_reason(void **state)
{
    static const struct {
        const char *text, *why;
    } rows[] = {
        { "", "does not begin" },
        { "a", "does not begin" },
        { "ftp://a/", "does not begin" },
        { "http:/a", "does not begin" },
        { "file:///etc/passwd", "does not begin" },
        { "httpsx://a", "does not begin" },
        { "http://", "no host" },
        { "http:///x", "no host" },
        { "http://:80/", "no host" },
        { "http://?x", "no host" },
        { "https://user:secret@a/", "user name" },
        { "https://user@a/", "user name" },
        { "https://a\\@b/", "user name" },
        { "https://a%2fb/", "character" },
        { "https://a\\b/", "character" },
        { "https://\xc3\xa3/", "no host" },
        { "https://a!/", "character" },
        { "https://a:b/", "no number" },
        { "https://a:1:2/", "no number" },
        { "https://a:-1/", "no number" },
        { "https://a:0/", "out of range" },
        { "https://a:65536/", "out of range" },
        { "https://a:99999999999999999999/", "out of range" },
        { "https://[::1/", "closing bracket" },
        { "https://[]/", "IPv6" },
        { "https://[::1%25eth0]/", "IPv6" },
        { "https://[127.0.0.1]/", "IPv6" },
        { "https://[1:2:3]/", "IPv6" },
        { "https://[::1]x/", "character" },
        { "https://[1111:2222:3333:4444:5555:6666:7777:8888:9999:1:2:3]/",
          "IPv6" },
        { "https://a/ b", "white space" },
        { "https://a/\tb", "white space" },
        { "https://a/\r\nHost: b", "white space" },
        { "https://a/\x7f", "white space" },
        { " https://a/", "white space" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_url u = { .port = 7 };
        struct ofs_err err;

        assert_int_equal(ofs_url_parse(rows[i].text, &u, &err), -EBADMSG);
        assert_int_equal(u.port, 7);
        if (!strstr(err.text, rows[i].why))
            fail_msg("'%s': %s", rows[i].text, err.text);
        assert_null(strstr(err.text, "secret"));
    }
}

static void the_longest_url_has_16384_bytes(void **state)
{
    OFS_AUTOURL struct ofs_url u = { 0 };
    OFS_AUTOFREE char *text = ofs_strf("https://a/%017000d", 1);
    struct ofs_err err;

    (void)state;
    assert_non_null(text);
    text[16385] = '\0';
    assert_int_equal(ofs_url_parse(text, &u, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "longer than 16384"));
    text[16384] = '\0';
    assert_int_equal(ofs_url_parse(text, &u, &err), 0);
    assert_int_equal(strlen(u.text), 16384);
}

static void a_reference_is_no_longer_than_a_url(void **state)
{
    OFS_AUTOURL struct ofs_url base = { 0 }, u = { 0 };
    OFS_AUTOFREE char *text = ofs_strf("https://a/%017000d", 1);
    struct ofs_err err;

    (void)state;
    assert_non_null(text);
    assert_int_equal(ofs_url_parse("https://a/", &base, NULL), 0);
    assert_int_equal(ofs_url_resolve(&base, text, &u, &err), -EBADMSG);
    assert_int_equal(ofs_url_resolve(&base, text + 9, &u, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "longer than 16384"));
    /* Short enough by itself, too long where it leads. */
    text[9 + 16382] = '\0';
    assert_int_equal(ofs_url_resolve(&base, text + 9, &u, &err), -EBADMSG);
}

static void a_host_is_no_longer_than_a_name(void **state)
{
    OFS_AUTOURL struct ofs_url u = { 0 };
    OFS_AUTOFREE char *longest = ofs_strf("http://%0253d/", 1);
    OFS_AUTOFREE char *longer = ofs_strf("http://%0254d/", 1);

    (void)state;
    assert_int_equal(ofs_url_parse(longer, &u, NULL), -EBADMSG);
    assert_int_equal(ofs_url_parse(longest, &u, NULL), 0);
}

/* Source: RFC 3986, 5.4; without the schemes that are not ours. */
static void references_are_resolved_as_rfc_3986_has_it(void **state)
{
    static const struct {
        const char *reference, *want;
    } rows[] = {
        { "g", "http://a/b/c/g" },
        { "./g", "http://a/b/c/g" },
        { "g/", "http://a/b/c/g/" },
        { "/g", "http://a/g" },
        { "//g", "http://g/" },
        { "?y", "http://a/b/c/d;p?y" },
        { "g?y", "http://a/b/c/g?y" },
        { "#s", "http://a/b/c/d;p?q" },
        { "g#s", "http://a/b/c/g" },
        { "g?y#s", "http://a/b/c/g?y" },
        { ";x", "http://a/b/c/;x" },
        { "g;x", "http://a/b/c/g;x" },
        { "g;x?y#s", "http://a/b/c/g;x?y" },
        { "", "http://a/b/c/d;p?q" },
        { ".", "http://a/b/c/" },
        { "./", "http://a/b/c/" },
        { "..", "http://a/b/" },
        { "../", "http://a/b/" },
        { "../g", "http://a/b/g" },
        { "../..", "http://a/" },
        { "../../", "http://a/" },
        { "../../g", "http://a/g" },
        { "../../../g", "http://a/g" },
        { "../../../../g", "http://a/g" },
        { "/./g", "http://a/g" },
        { "/../g", "http://a/g" },
        { "g.", "http://a/b/c/g." },
        { ".g", "http://a/b/c/.g" },
        { "g..", "http://a/b/c/g.." },
        { "..g", "http://a/b/c/..g" },
        { "./../g", "http://a/b/g" },
        { "./g/.", "http://a/b/c/g/" },
        { "g/./h", "http://a/b/c/g/h" },
        { "g/../h", "http://a/b/c/h" },
        { "g;x=1/./y", "http://a/b/c/g;x=1/y" },
        { "g;x=1/../y", "http://a/b/c/y" },
        { "g?y/./x", "http://a/b/c/g?y/./x" },
        { "g?y/../x", "http://a/b/c/g?y/../x" },
        { "g#s/../x", "http://a/b/c/g" },
        /* Ours. */
        { "https://h:5000/x?y", "https://h:5000/x?y" },
        { "HTTP://H/x/../y", "http://h/x/../y" },
        { "//h:8/x", "http://h:8/x" },
        { "?", "http://a/b/c/d;p?" },
        { "/v2/r/blobs/uploads/1?_state=a%2Fb",
          "http://a/v2/r/blobs/uploads/1?_state=a%2Fb" },
        { "/a?b:c", "http://a/a?b:c" },
        { "./sha256:00", "http://a/b/c/sha256:00" },
        /* A server forgot to escape. */
        { "/a b?n=c d", "http://a/a%20b?n=c%20d" },
        { "https://h/x?n=a  b", "https://h/x?n=a%20%20b" },
    };
    OFS_AUTOURL struct ofs_url base = { 0 };

    (void)state;
    assert_int_equal(ofs_url_parse("http://a/b/c/d;p?q", &base, NULL), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url u = { 0 };

        assert_int_equal(ofs_url_resolve(&base, rows[i].reference, &u, NULL),
                         0);
        assert_string_equal(u.text, rows[i].want);
    }
}

static void a_reference_keeps_port_and_scheme_of_its_base(void **state)
{
    OFS_AUTOURL struct ofs_url base = { 0 }, u = { 0 }, v = { 0 };

    (void)state;
    assert_int_equal(ofs_url_parse("https://h:5000", &base, NULL), 0);
    assert_int_equal(ofs_url_resolve(&base, "x", &u, NULL), 0);
    assert_string_equal(u.text, "https://h:5000/x");
    assert_int_equal(ofs_url_resolve(&base, "//i/y", &v, NULL), 0);
    assert_string_equal(v.text, "https://i/y");
}

static void bad_references_are_refused(void **state)
{
    static const char *const rows[] = {
        "mailto:a@b",   "javascript:x", "http:g",      "file:///etc/passwd",
        "//user@h/",    "//",           "//h:port/",   "/a\tb",
        "http://a b/c", "g:h",          "sha256:00aa", "///x",
    };
    OFS_AUTOURL struct ofs_url base = { 0 };

    (void)state;
    assert_int_equal(ofs_url_parse("http://a/b", &base, NULL), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_url u = { 0 };

        assert_int_equal(ofs_url_resolve(&base, rows[i], &u, NULL), -EBADMSG);
        assert_null(u.text);
    }
}

static void an_origin_is_scheme_host_and_port(void **state)
{
    static const struct {
        const char *a, *b;
        bool same;
        const char *origin_of_a;
    } rows[] = {
        { "https://a/x", "https://A:443/y?z", true, "https://a" },
        { "http://a", "http://a:80", true, "http://a" },
        { "http://a", "https://a", false, "http://a" },
        { "http://a:443", "https://a", false, "http://a:443" },
        { "https://a", "https://b", false, "https://a" },
        { "https://a:444", "https://a", false, "https://a:444" },
        { "https://a.", "https://a", false, "https://a." },
        { "http://[::1]:5000/x", "http://[::1]:5000", true,
          "http://[::1]:5000" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url a = { 0 }, b = { 0 };
        OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(100);

        assert_int_equal(ofs_url_parse(rows[i].a, &a, NULL), 0);
        assert_int_equal(ofs_url_parse(rows[i].b, &b, NULL), 0);
        assert_int_equal(ofs_url_same_origin(&a, &b), rows[i].same);
        assert_int_equal(ofs_url_origin(&a, &text), 0);
        assert_string_equal(ofs_buf_str(&text), rows[i].origin_of_a);
    }
}

static void loopback_is_told_from_other_hosts(void **state)
{
    static const struct {
        const char *url;
        bool want;
    } rows[] = {
        { "http://127.0.0.1", true },
        { "http://127.0.0.1:5000/x", true },
        { "http://127.255.1.9", true },
        { "http://127.1", true },
        { "http://0x7f000001", true },
        { "http://2130706433", true },
        { "http://[::1]", true },
        { "http://localhost", true },
        { "http://LOCALHOST:80", true },
        { "http://128.0.0.1", false },
        { "http://10.0.0.1", false },
        { "http://0.0.0.0", false },
        { "http://[::]", false },
        { "http://[::2]", false },
        { "http://[::ffff:127.0.0.1]", false },
        { "http://localhost.", false },
        { "http://a.localhost", false },
        { "http://localhost.example", false },
        { "http://127.0.0.1.example", false },
        { "http://1270.0.0.1", false },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url u = { 0 };

        assert_int_equal(ofs_url_parse(rows[i].url, &u, NULL), 0);
        if (ofs_url_is_loopback(&u) != rows[i].want)
            fail_msg("%s", rows[i].url);
    }
}

static void redirects_stay_safe(void **state)
{
    static const struct {
        const char *from, *to, *why; /* NULL: may */
    } rows[] = {
        { "https://a/", "https://b/", NULL },
        { "https://a/", "https://a/x", NULL },
        { "http://a/", "https://a/", NULL },
        { "http://a/", "http://b/", NULL },
        { "https://a/", "http://a/", "from https to http" },
        { "https://127.0.0.1/", "http://127.0.0.1:5000/", "from https" },
        { "http://127.0.0.1:5000/", "http://127.0.0.1:5001/", NULL },
        { "http://localhost/", "http://[::1]/", NULL },
        { "http://127.0.0.1/", "https://a/", NULL },
        { "http://a/", "http://127.0.0.1/", "this machine" },
        { "https://a/", "https://localhost/", "this machine" },
        { "https://a/", "https://[::1]/", "this machine" },
        { "https://a/", "https://127.1/", "this machine" },
        { "https://a/", "https://2130706433/", "this machine" },
        { "https://a/", "https://0x7f.0.0.1/", "this machine" },
        { "https://a/", "https://0/", "this machine" },
        { "https://a/", "https://0.0.0.0/", "this machine" },
        { "https://a/", "https://[::]/", "this machine" },
        { "https://a/", "https://[::ffff:127.0.0.1]/", "this machine" },
        { "https://a/", "https://[::ffff:10.0.0.1]/", NULL },
        { "https://a/", "https://localhost./", "this machine" },
        { "https://a/", "https://x.localhost/", "this machine" },
        { "https://a/", "https://x.localhost./", "this machine" },
        { "https://a/", "https://localhost.example/", NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url from = { 0 }, to = { 0 };
        struct ofs_err err = { 0 };
        int r;

        assert_int_equal(ofs_url_parse(rows[i].from, &from, NULL), 0);
        assert_int_equal(ofs_url_parse(rows[i].to, &to, NULL), 0);
        r = ofs_url_may_redirect(&from, &to, &err);
        if (r != (rows[i].why ? -EBADMSG : 0))
            fail_msg("%s -> %s: %d", rows[i].from, rows[i].to, r);
        if (rows[i].why)
            assert_non_null(strstr(err.text, rows[i].why));
    }
}

static void a_url_in_a_log_has_no_secrets(void **state)
{
    static const struct {
        const char *url, *want;
    } rows[] = {
        { "https://a/b", "https://a/b" },
        { "https://a/b?Signature=secret", "https://a/b?\xe2\x80\xa6" },
        { "https://a/b?", "https://a/b?\xe2\x80\xa6" },
        { "https://a/b#secret", "https://a/b" },
        { "https://u:secret@a/b?x#y", "https://a/b?\xe2\x80\xa6" },
        { "https://u@x:secret@a/b", "https://a/b" },
        { "https://a/b@c", "https://a/b@c" },
        { "u:secret@a/b", "a/b" },
        { "//u:secret@a", "//a" },
        { "?x=//u:p@a", "?\xe2\x80\xa6" },
        { "/b\r\nX", "/b??X" },
        { "", "" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

        assert_int_equal(ofs_url_redact(&b, rows[i].url), 0);
        assert_string_equal(ofs_buf_str(&b), rows[i].want);
    }
}

static void what_is_done_can_be_done_again(void **state)
{
    struct ofs_url u = { 0 };

    (void)state;
    ofs_url_done(&u);
    assert_int_equal(ofs_url_parse("http://a", &u, NULL), 0);
    ofs_url_done(&u);
    assert_null(u.text);
    assert_null(u.host);
    ofs_url_done(&u);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_falls_into_its_parts),
        cmocka_unit_test(what_is_no_url_of_ours_is_refused_with_a_reason),
        cmocka_unit_test(the_longest_url_has_16384_bytes),
        cmocka_unit_test(a_reference_is_no_longer_than_a_url),
        cmocka_unit_test(a_host_is_no_longer_than_a_name),
        cmocka_unit_test(references_are_resolved_as_rfc_3986_has_it),
        cmocka_unit_test(a_reference_keeps_port_and_scheme_of_its_base),
        cmocka_unit_test(bad_references_are_refused),
        cmocka_unit_test(an_origin_is_scheme_host_and_port),
        cmocka_unit_test(loopback_is_told_from_other_hosts),
        cmocka_unit_test(redirects_stay_safe),
        cmocka_unit_test(a_url_in_a_log_has_no_secrets),
        cmocka_unit_test(what_is_done_can_be_done_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
