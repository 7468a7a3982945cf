/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_registry.h"
#include "raw_http.h"

#include "ocirfs/str.h"

static const char manifest_type[] =
    "application/vnd.oci.image.manifest.v1+json";

static struct raw_answer get(struct fake_registry *r, const char *target,
                             const char *headers)
{
    return raw_get(fake_server_port(fake_registry_server(r)), target, headers);
}

static void expect(struct fake_registry *r, const char *target,
                   const char *headers, int status, const char *body)
{
    RAW_AUTO struct raw_answer a = get(r, target, headers);

    if (a.status != status || (body && strcmp(ofs_buf_str(&a.body), body) != 0))
        fail_msg("%s: %d %s", target, a.status, ofs_buf_str(&a.body));
}

/* "/v2/r/<what>/<digest>", new memory. */
static char *path_of(const char *what, const struct ofs_digest *digest)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_strf("/v2/r/%s/%s", what, ofs_digest_format(digest, text));
}

static void an_image_is_served_with_true_digests(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(NULL);
    struct fake_image image = fake_registry_image(r, "r", "v1", 7, 2, 100001);
    OFS_AUTOFREE char *layer = path_of("blobs", &image.layers[1]);
    OFS_AUTOFREE char *by_digest = path_of("manifests", &image.manifest);
    RAW_AUTO struct raw_answer m = get(r, "/v2/r/manifests/v1", "");
    RAW_AUTO struct raw_answer d = get(r, by_digest, "");
    RAW_AUTO struct raw_answer l = get(r, layer, "");
    OFS_AUTOFREE char *type = raw_header(&m, "Content-Type");
    OFS_AUTOFREE char *told = raw_header(&m, "Docker-Content-Digest");
    struct ofs_digest digest;
    char text[OFS_DIGEST_TEXT_MAX];

    (void)state;
    assert_int_equal(m.status, 200);
    assert_string_equal(type, manifest_type);
    assert_string_equal(told, ofs_digest_format(&image.manifest, text));
    assert_int_equal(m.body.len, image.manifest_size);
    assert_string_equal(ofs_buf_str(&m.body), ofs_buf_str(&d.body));
    assert_int_equal(
        ofs_digest_of(OFS_SHA256, m.body.data, m.body.len, &digest), 0);
    assert_true(ofs_digest_eq(&digest, &image.manifest));
    assert_int_equal(l.body.len, 100001);
    assert_int_equal(
        ofs_digest_of(OFS_SHA256, l.body.data, l.body.len, &digest), 0);
    assert_true(ofs_digest_eq(&digest, &image.layers[1]));
}

static void seeded_bytes_are_the_same_at_any_offset(void **state)
{
    char whole[300], part[300];

    (void)state;
    fake_blob_fill(42, whole, sizeof(whole), 0);
    for (size_t off = 0; off < 40; off++) {
        for (size_t len = 0; len < 40; len++) {
            fake_blob_fill(42, part, len, off);
            assert_memory_equal(part, whole + off, len);
        }
    }
    fake_blob_fill(43, part, sizeof(part), 0);
    assert_memory_not_equal(part, whole, sizeof(part));
}

static void what_is_not_there_is_told_in_the_specs_words(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(NULL);
    struct ofs_digest d = fake_registry_blob(r, "r", "x", 1);
    OFS_AUTOFREE char *path = path_of("blobs", &d);
    static const struct {
        const char *target;
        int status;
        const char *word;
    } cases[] = { { "/v2/no/tags/list", 404, "NAME_UNKNOWN" },
                  { "/v2/r/manifests/no", 404, "MANIFEST_UNKNOWN" },
                  { "/v2/r/blobs/sha256:00", 404, "BLOB_UNKNOWN" },
                  { "/v2/what", 404, "NOT_FOUND" } };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        RAW_AUTO struct raw_answer a = get(r, cases[i].target, "");

        assert_int_equal(a.status, cases[i].status);
        assert_non_null(strstr(ofs_buf_str(&a.body), cases[i].word));
    }
    expect(r, path, "", 200, "x");
    fake_registry_remove(r, "r", &d);
    expect(r, path, "", 404, NULL);
    expect(r, "/v2/r/tags/list", "", 200, "{\"name\":\"r\",\"tags\":[]}");
    expect(r, "/v2/", "", 200, "{}");
}

static void tags_move_and_go(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(NULL);
    struct ofs_digest one = fake_registry_manifest(r, "a/b", "t/1", "{1}", 3);
    struct ofs_digest two = fake_registry_manifest(r, "a/b", "t/2", "{2}", 3);

    (void)state;
    fake_registry_tag(r, "a/b", "latest", &one, 1767648700);
    expect(r, "/v2/a/b/manifests/latest", "", 200, "{1}");
    {
        RAW_AUTO struct raw_answer a = get(r, "/v2/a/b/manifests/latest", "");
        OFS_AUTOFREE char *at = raw_header(&a, "Last-Modified");

        assert_string_equal(at, "Mon, 05 Jan 2026 21:31:40 GMT");
    }
    fake_registry_tag(r, "a/b", "latest", &two, 0);
    expect(r, "/v2/a/b/manifests/latest", "", 200, "{2}");
    fake_registry_untag(r, "a/b", "latest");
    expect(r, "/v2/a/b/manifests/latest", "", 404, NULL);
}

static void lists_come_in_pages(void **state)
{
    static const struct {
        enum fake_link link;
        const char *header;
    } cases[] = {
        { FAKE_LINK_RELATIVE, "</v2/r/tags/list?last=b>; rel=\"next\"" },
        { FAKE_LINK_ABSOLUTE, "/v2/r/tags/list?last=b>; rel=\"next\"" },
        { FAKE_LINK_UNQUOTED, "</v2/r/tags/list?last=b>; rel=next" },
        { FAKE_LINK_NONE, NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTO(fake_registry_freep)
        struct fake_registry *r = fake_registry_start(
            &(struct fake_registry_cfg){ .page = 2, .link = cases[i].link });
        struct ofs_digest d = fake_registry_manifest(r, "r", "t", "{}", 2);
        RAW_AUTO struct raw_answer a = { 0 };
        OFS_AUTOFREE char *link = NULL;

        fake_registry_tag(r, "r", "c", &d, 0);
        fake_registry_tag(r, "r", "a", &d, 0);
        fake_registry_tag(r, "r", "b", &d, 0);
        a = get(r, "/v2/r/tags/list", "");
        link = raw_header(&a, "Link");
        assert_string_equal(ofs_buf_str(&a.body),
                            "{\"name\":\"r\",\"tags\":[\"a\",\"b\"]}");
        if (cases[i].header)
            assert_true(ofs_str_ends(link, cases[i].header));
        else
            assert_null(link);
        expect(r, "/v2/r/tags/list?last=b", "", 200,
               "{\"name\":\"r\",\"tags\":[\"c\"]}");
        expect(r, "/v2/r/tags/list?n=1&last=a", "", 200,
               "{\"name\":\"r\",\"tags\":[\"b\"]}");
    }
}

static void lists_may_loop_and_never_end(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(NULL);
    struct fake_server *s = fake_registry_server(r);

    (void)state;
    fake_registry_repo(r, "r");
    fake_server_fault(s, &(struct fake_fault){ .match = "* */tags/list",
                                               .kind = FAKE_PAGE_LOOP });
    fake_server_fault(s, &(struct fake_fault){ .match = "* */_catalog",
                                               .kind = FAKE_PAGE_FOREVER });
    {
        RAW_AUTO struct raw_answer a = get(r, "/v2/r/tags/list?n=3", "");
        OFS_AUTOFREE char *link = raw_header(&a, "Link");

        assert_string_equal(link, "</v2/r/tags/list?n=3>; rel=\"next\"");
    }
    {
        RAW_AUTO struct raw_answer a =
            get(r, "/v2/_catalog?last=endless0000099", "");
        OFS_AUTOFREE char *link = raw_header(&a, "Link");

        assert_non_null(strstr(ofs_buf_str(&a.body), "[\"endless0000100\","));
        assert_string_equal(link,
                            "</v2/_catalog?last=endless0000199>; rel=\"next\"");
    }
}

static void the_catalog_may_be_closed(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *open =
        fake_registry_start(&(struct fake_registry_cfg){ .prefix = "/p" });
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *closed =
        fake_registry_start(&(struct fake_registry_cfg){ .no_catalog = true });

    (void)state;
    fake_registry_repo(open, "b");
    fake_registry_repo(open, "a/x");
    assert_true(ofs_str_ends(fake_registry_url(open), "/p"));
    expect(open, "/p/v2/_catalog", "", 200,
           "{\"repositories\":[\"a/x\",\"b\"]}");
    expect(open, "/v2/_catalog", "", 404, NULL);
    expect(closed, "/v2/_catalog", "", 404, NULL);
}

static void basic_credentials_are_asked_for(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(&(struct fake_registry_cfg){
        .auth = FAKE_AUTH_BASIC, .user = "me", .password = "pass" });
    RAW_AUTO struct raw_answer a = get(r, "/v2/", "");
    OFS_AUTOFREE char *challenge = raw_header(&a, "WWW-Authenticate");

    (void)state;
    assert_int_equal(a.status, 401);
    assert_string_equal(challenge, "Basic realm=\"fake\"");
    expect(r, "/v2/", "Authorization: Basic bWU6cGFzcw==\r\n", 200, "{}");
    expect(r, "/v2/", "Authorization: Basic bWU6d3Jvbmc=\r\n", 401, NULL);
    fake_registry_password(r, "me", "wrong");
    expect(r, "/v2/", "Authorization: Basic bWU6d3Jvbmc=\r\n", 200, "{}");
}

/* "Authorization: Bearer <token>\r\n" for that query; new memory. */
static char *bearer(struct fake_registry *r, const char *query)
{
    OFS_AUTOFREE char *target = ofs_strf("/token?%s", query);
    RAW_AUTO struct raw_answer a = get(r, target, "");
    const char *start = strchr(ofs_buf_str(&a.body), ':');

    assert_int_equal(a.status, 200);
    assert_non_null(start);
    start += 2;
    return ofs_strf("Authorization: Bearer %.*s\r\n", (int)strcspn(start, "\""),
                    start);
}

static void tokens_open_until_they_expire(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(&(struct fake_registry_cfg){
        .auth = FAKE_AUTH_BEARER, .token_uses = 3, .narrow_tokens = true });
    struct fake_server *s = fake_registry_server(r);
    OFS_AUTOFREE char *good = bearer(
        r, "service=fake&scope=repository%3Ar%3Apull&scope=registry:catalog:*");
    OFS_AUTOFREE char *other = bearer(r, "scope=repository:rr:pull");
    RAW_AUTO struct raw_answer none = get(r, "/v2/r/tags/list", "");
    OFS_AUTOFREE char *challenge = raw_header(&none, "WWW-Authenticate");

    (void)state;
    fake_registry_repo(r, "r");
    assert_int_equal(none.status, 401);
    assert_true(ofs_str_starts(challenge, "Bearer realm=\"http://127.0.0.1:"));
    assert_true(ofs_str_ends(
        challenge, "/token\",service=\"fake\",scope=\"repository:r:pull\""));
    expect(r, "/v2/r/tags/list", other, 401, NULL);
    expect(r, "/v2/r/tags/list", good, 200, NULL);
    expect(r, "/v2/_catalog", good, 200, NULL);
    expect(r, "/v2/", good, 200, NULL);
    expect(r, "/v2/", good, 401, NULL);
    expect(r, "/v2/", other, 200, NULL);
    fake_server_fault(s, &(struct fake_fault){ .match = "GET /v2/",
                                               .nth = 1,
                                               .kind = FAKE_EXPIRE_TOKENS });
    expect(r, "/v2/", other, 401, NULL);
    assert_int_equal(fake_registry_tokens(r), 2);
    assert_int_equal(fake_server_count(s, "GET /token"), 2);
}

static void tokens_are_given_to_those_who_may(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(
        &(struct fake_registry_cfg){ .auth = FAKE_AUTH_BEARER,
                                     .user = "me",
                                     .password = "pass",
                                     .identity_token = "refresh",
                                     .expires_in = -1 });
    int port = fake_server_port(fake_registry_server(r));
    static const struct {
        const char *form;
        int status;
    } cases[] = {
        { "grant_type=refresh_token&refresh_token=refresh&client_id=c", 200 },
        { "grant_type=refresh_token&refresh_token=no&client_id=c", 401 },
        { "grant_type=refresh_token&refresh_token=refresh", 401 },
        { "grant_type=password&username=me&password=pass&client_id=c", 200 },
        { "grant_type=password&username=me&password=no&client_id=c", 401 },
    };

    (void)state;
    expect(r, "/token?scope=x", "", 401, NULL);
    expect(r, "/token?scope=x", "Authorization: Basic bWU6cGFzcw==\r\n", 200,
           "{\"token\":\"tok3n-not-for-logs-1\"}");
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTOCLOSE int fd = raw_open(port);
        OFS_AUTOFREE char *length =
            ofs_strf("Content-Length: %zu\r\n", strlen(cases[i].form));
        RAW_AUTO struct raw_answer a = { 0 };

        raw_ask(fd, "POST", "/token", length);
        raw_send(fd, cases[i].form);
        a = raw_read(fd, true);
        assert_int_equal(a.status, cases[i].status);
    }
}

static void blobs_lie_in_a_storage_whose_urls_expire(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r = fake_registry_start(
        &(struct fake_registry_cfg){ .storage = true, .target_uses = 2 });
    struct ofs_digest d = fake_registry_blob(r, "r", "0123456789", 10);
    OFS_AUTOFREE char *path = path_of("blobs", &d);
    RAW_AUTO struct raw_answer a = get(r, path, "");
    OFS_AUTOFREE char *location = raw_header(&a, "Location");
    const char *base = fake_server_url(fake_registry_storage(r));
    int port = fake_server_port(fake_registry_storage(r));
    static const int statuses[] = { 206, 206, 403 };

    (void)state;
    assert_int_equal(a.status, 307);
    assert_true(ofs_str_starts(location, base));
    for (size_t i = 0; i < OFS_COUNT_OF(statuses); i++) {
        RAW_AUTO struct raw_answer b =
            raw_get(port, location + strlen(base), "Range: bytes=2-3\r\n");

        assert_int_equal(b.status, statuses[i]);
        if (b.status == 206)
            assert_string_equal(ofs_buf_str(&b.body), "23");
    }
    {
        RAW_AUTO struct raw_answer b = get(r, path, "");
        OFS_AUTOFREE char *again = raw_header(&b, "Location");
        RAW_AUTO struct raw_answer c = { 0 };

        fake_registry_expire_targets(r);
        c = raw_get(port, again + strlen(base), "");
        assert_int_equal(c.status, 403);
    }
}

static void referrers_are_listed_in_pages_or_not_at_all(void **state)
{
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *r =
        fake_registry_start(&(struct fake_registry_cfg){ .page = 1 });
    OFS_AUTO(fake_registry_freep)
    struct fake_registry *without = fake_registry_start(
        &(struct fake_registry_cfg){ .no_referrers = true });
    struct ofs_digest d = fake_registry_manifest(r, "r", "t", "{}", 2);
    OFS_AUTOFREE char *path = path_of("referrers", &d);
    OFS_AUTOFREE char *second = ofs_strf("%s?last=1", path);

    (void)state;
    fake_registry_repo(without, "r");
    fake_registry_referrer(r, "r", &d, "{\"digest\":\"a\"}");
    fake_registry_referrer(r, "r", &d, "{\"digest\":\"b\"}");
    expect(r, path, "", 200,
           "{\"schemaVersion\":2,\"mediaType\":\"application/"
           "vnd.oci.image.index.v1+json\",\"manifests\":[{\"digest\":\"a\"}]}");
    expect(r, second, "", 200,
           "{\"schemaVersion\":2,\"mediaType\":\"application/"
           "vnd.oci.image.index.v1+json\",\"manifests\":[{\"digest\":\"b\"}]}");
    expect(without, path, "", 404, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_served_with_true_digests),
        cmocka_unit_test(seeded_bytes_are_the_same_at_any_offset),
        cmocka_unit_test(what_is_not_there_is_told_in_the_specs_words),
        cmocka_unit_test(tags_move_and_go),
        cmocka_unit_test(lists_come_in_pages),
        cmocka_unit_test(lists_may_loop_and_never_end),
        cmocka_unit_test(the_catalog_may_be_closed),
        cmocka_unit_test(basic_credentials_are_asked_for),
        cmocka_unit_test(tokens_open_until_they_expire),
        cmocka_unit_test(tokens_are_given_to_those_who_may),
        cmocka_unit_test(blobs_lie_in_a_storage_whose_urls_expire),
        cmocka_unit_test(referrers_are_listed_in_pages_or_not_at_all),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
