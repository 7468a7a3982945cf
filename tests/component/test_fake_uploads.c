/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry.h"
#include "raw_http.h"

#include "ocirfs/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The fake registry's write side, byte by byte. */

#define AUTOREGISTRY OFS_AUTO(fake_registry_freep) struct fake_registry

/* One request on a connection of its own; `body` may be "". */
static struct raw_answer tell(struct fake_registry *r, const char *method,
                              const char *target, const char *headers,
                              const char *body)
{
    int fd = raw_open(fake_server_port(fake_registry_server(r)));
    OFS_AUTOFREE char *text =
        ofs_strf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                 "Content-Length: %zu\r\n"
                 "%s\r\n%s",
                 method, target, strlen(body), headers, body);
    struct raw_answer a;

    assert_non_null(text);
    raw_send(fd, text);
    a = raw_read(fd, /* with_body= */ true);
    (void)close(fd);
    return a;
}

static int status_of(struct fake_registry *r, const char *method,
                     const char *target, const char *body)
{
    RAW_AUTO struct raw_answer a = tell(r, method, target, "", body);

    return a.status;
}

/* Path and query of a new session in repository "a"; owned. */
static char *begin(struct fake_registry *r)
{
    RAW_AUTO struct raw_answer a =
        tell(r, "POST", "/v2/a/blobs/uploads/", "", "");
    OFS_AUTOFREE char *location = raw_header(&a, "Location");

    assert_int_equal(a.status, 202);
    assert_non_null(location);
    return strdup(strstr(location, "/v2/"));
}

static struct ofs_digest digest_of(const char *text)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, text, strlen(text), &d), 0);
    return d;
}

static char *with_digest(const char *at, const struct ofs_digest *d)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_strf("%s&digest=%s", at, ofs_digest_format(d, text));
}

static void what_was_sent_is_there(void **state)
{
    AUTOREGISTRY *r = fake_registry_start(NULL);
    OFS_AUTOFREE char *at = begin(r);
    struct ofs_digest d = digest_of("first second");
    OFS_AUTOFREE char *end = with_digest(at, &d);
    RAW_AUTO struct raw_answer asked = { 0 };
    OFS_AUTOFREE char *range = NULL;

    (void)state;
    assert_int_equal(fake_registry_sessions(r), 1);
    assert_int_equal(status_of(r, "PATCH", at, "first "), 202);
    asked = tell(r, "GET", at, "", "");
    range = raw_header(&asked, "Range");
    assert_int_equal(asked.status, 204);
    assert_string_equal(range, "0-5");
    assert_int_equal(status_of(r, "PUT", end, "second"), 201);
    assert_true(fake_registry_has(r, "a", &d));
    assert_int_equal(fake_registry_sessions(r), 0);
    assert_int_equal(status_of(r, "PUT", end, ""), 404);
}

static void chunked_bodies_are_put_together(void **state)
{
    AUTOREGISTRY *r = fake_registry_start(NULL);
    OFS_AUTOFREE char *at = begin(r);
    struct ofs_digest d = digest_of("chunks of them");
    OFS_AUTOFREE char *end = with_digest(at, &d);
    OFS_AUTOFREE char *text =
        ofs_strf("PATCH %s HTTP/1.1\r\nHost: x\r\n"
                 "Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n"
                 "6\r\nchunks\r\n8;a=b\r\n of them\r\n0\r\n\r\n",
                 at);
    int fd = raw_open(fake_server_port(fake_registry_server(r)));
    RAW_AUTO struct raw_answer a = { 0 };

    (void)state;
    raw_send(fd, text);
    a = raw_read(fd, true);
    (void)close(fd);
    assert_int_equal(a.status, 202);
    assert_int_equal(status_of(r, "PUT", end, ""), 201);
}

static void what_is_wrong_is_refused(void **state)
{
    AUTOREGISTRY *r = fake_registry_start(NULL);
    OFS_AUTOFREE char *at = begin(r);
    struct ofs_digest d = digest_of("bytes");
    OFS_AUTOFREE char *end = with_digest(at, &d);
    OFS_AUTOFREE char *bare = strndup(at, strcspn(at, "?"));
    RAW_AUTO struct raw_answer a = { 0 };

    (void)state;
    /* Its state did not come back. */
    assert_int_equal(status_of(r, "PATCH", bare, "bytes"), 404);
    a = tell(r, "PATCH", at, "Content-Range: 1-5\r\n", "bytes");
    assert_int_equal(a.status, 416);
    assert_int_equal(status_of(r, "PUT", end, "other"), 400);
    assert_int_equal(status_of(r, "DELETE", at, ""), 204);
    assert_int_equal(status_of(r, "GET", at, ""), 404);
    assert_false(fake_registry_has(r, "a", &d));
}

static void a_manifest_needs_what_it_names(void **state)
{
    static const char type[] =
        "Content-Type: application/vnd.oci.image.manifest.v1+json\r\n";
    AUTOREGISTRY *r = fake_registry_start(NULL);
    struct ofs_digest config = digest_of("{}"), is;
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *manifest =
        ofs_strf("{\"schemaVersion\":2,\"config\":{\"digest\":\"%s\"}}",
                 ofs_digest_format(&config, text));
    RAW_AUTO struct raw_answer early = { 0 }, good = { 0 };

    (void)state;
    early = tell(r, "PUT", "/v2/a/manifests/1", type, manifest);
    assert_int_equal(early.status, 400);
    assert_int_equal(status_of(r, "PUT", "/v2/a/manifests/1", manifest), 400);
    (void)fake_registry_blob(r, "a", "{}", 2);
    good = tell(r, "PUT", "/v2/a/manifests/1", type, manifest);
    assert_int_equal(good.status, 201);
    assert_true(fake_registry_tagged(r, "a", "1", &is));
    config = digest_of(manifest);
    assert_true(ofs_digest_eq(&is, &config));
    assert_int_equal(status_of(r, "DELETE", "/v2/a/manifests/1", ""), 202);
    assert_int_equal(status_of(r, "DELETE", "/v2/a/manifests/1", ""), 404);
    assert_true(fake_registry_has(r, "a", &is));
}

static void a_digest_goes_with_its_tags(void **state)
{
    AUTOREGISTRY *r = fake_registry_start(NULL);
    struct fake_image image = fake_registry_image(r, "a", "1", 7, 1, 10);
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *target = ofs_strf(
        "/v2/a/manifests/%s", ofs_digest_format(&image.manifest, text));
    struct ofs_digest is;

    (void)state;
    assert_int_equal(status_of(r, "DELETE", target, ""), 202);
    assert_false(fake_registry_tagged(r, "a", "1", &is));
    assert_false(fake_registry_has(r, "a", &image.manifest));
}

/* What a fault leaves of a request is what the session has. */
static void a_request_that_is_cut_leaves_its_beginning(void **state)
{
    AUTOREGISTRY *r = fake_registry_start(NULL);
    OFS_AUTOFREE char *at = begin(r);
    RAW_AUTO struct raw_answer cut = { 0 }, asked = { 0 };
    OFS_AUTOFREE char *range = NULL;

    (void)state;
    fake_server_fault(
        fake_registry_server(r),
        &(struct fake_fault){
            .match = "PATCH *", .nth = 1, .kind = FAKE_CUT_REQUEST, .n = 4 });
    cut = tell(r, "PATCH", at, "", "123456");
    assert_int_equal(cut.status, 0);
    asked = tell(r, "GET", at, "", "");
    range = raw_header(&asked, "Range");
    assert_string_equal(range, "0-3");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_sent_is_there),
        cmocka_unit_test(chunked_bodies_are_put_together),
        cmocka_unit_test(what_is_wrong_is_refused),
        cmocka_unit_test(a_manifest_needs_what_it_names),
        cmocka_unit_test(a_digest_goes_with_its_tags),
        cmocka_unit_test(a_request_that_is_cut_leaves_its_beginning),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
