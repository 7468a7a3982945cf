/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"

#define ANY  "* /v2/a/b/manifests/*"
#define HEAD "HEAD /v2/a/b/manifests/*"
#define GET  "GET /v2/a/b/manifests/*"

#define INFO_AUTO OFS_AUTO(ofs_manifest_info_done)

static int head(struct rig *rig, const char *ref, struct ofs_manifest_info *ret)
{
    return ofs_registry_manifest_head(rig->r, &rig->call, "a/b", ref, ret,
                                      &rig->err);
}

static int get(struct rig *rig, const char *ref, struct ofs_manifest_info *ret)
{
    return ofs_registry_manifest_get(rig->r, &rig->call, "a/b", ref, ret,
                                     &rig->err);
}

static void a_tag_is_known_by_one_head(void **state)
{
    RIG_AUTO struct rig rig;
    INFO_AUTO struct ofs_manifest_info info = { 0 };
    struct fake_image image;

    (void)state;
    rig_start(&rig, NULL);
    image = fake_registry_image(rig.fake, "a/b", "1.0", 1, 2, 100);
    fake_registry_tag(rig.fake, "a/b", "1.0", &image.manifest, 1767648700);
    assert_int_equal(head(&rig, "1.0", &info), 0);
    assert_true(ofs_digest_eq(&info.digest, &image.manifest));
    assert_int_equal(info.size, image.manifest_size);
    assert_string_equal(info.media_type, OFS_MT_OCI_MANIFEST);
    assert_int_equal(info.modified_s, 1767648700);
    assert_int_equal(rig_count(&rig, "* *"), 1);
    assert_int_equal(
        fake_request_has(fake_server_request(rig.server, HEAD, 0), "Accept"),
        1);
}

static void a_manifest_comes_with_its_bytes(void **state)
{
    RIG_AUTO struct rig rig;
    INFO_AUTO struct ofs_manifest_info info = { 0 };
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct fake_image image;
    struct ofs_digest is;

    (void)state;
    rig_start(&rig, NULL);
    image = fake_registry_image(rig.fake, "a/b", "1.0", 1, 3, 100);
    assert_int_equal(get(&rig, "1.0", &info), 0);
    assert_int_equal(ofs_digest_of(OFS_SHA256, info.bytes, info.size, &is), 0);
    assert_true(ofs_digest_eq(&is, &image.manifest));
    assert_true(ofs_digest_eq(&is, &info.digest));
    assert_int_equal(info.modified_s, 0);
    assert_int_equal(
        ofs_manifest_decode(info.bytes, info.size, info.media_type, &m, NULL),
        0);
    assert_int_equal(m.n_layers, 3);
}

static void by_digest_it_is_the_same(void **state)
{
    RIG_AUTO struct rig rig;
    INFO_AUTO struct ofs_manifest_info seen = { 0 }, got = { 0 };
    struct fake_image image;
    char ref[OFS_DIGEST_TEXT_MAX];

    (void)state;
    rig_start(&rig, NULL);
    image = fake_registry_image(rig.fake, "a/b", NULL, 1, 1, 100);
    (void)ofs_digest_format(&image.manifest, ref);
    assert_int_equal(head(&rig, ref, &seen), 0);
    assert_int_equal(get(&rig, ref, &got), 0);
    assert_true(ofs_digest_eq(&seen.digest, &image.manifest));
    assert_true(ofs_digest_eq(&got.digest, &image.manifest));
}

/* A HEAD that tells too little is followed by a GET, which must do. */
static const struct {
    const char *what;
    enum fake_fault_kind kind;
    int64_t n;
    const char *text;
    bool by_digest;
    int r;
    unsigned requests;
} heads[] = {
    { "no digest", FAKE_DROP_DIGEST_HEADER, 0, NULL, false, 0, 2 },
    { "no digest needed", FAKE_DROP_DIGEST_HEADER, 0, NULL, true, 0, 1 },
    { "no length", FAKE_NO_CONTENT_LENGTH, 0, NULL, false, 0, 2 },
    { "no type", FAKE_DROP_HEADER, 0, "Content-Type", false, 0, 2 },
    { "vague type", FAKE_SET_HEADER, 0, "Content-Type: application/json", false,
      0, 2 },
    { "a digest we do not know", FAKE_SET_HEADER, 0,
      "Docker-Content-Digest: blake3:00", false, 0, 2 },
    { "another digest", FAKE_SET_HEADER, 0,
      "Docker-Content-Digest: sha256:000000000000000000000000000000000000000000"
      "0000000000000000000000",
      true, -EBADMSG, 1 },
    { "405", FAKE_STATUS, 405, NULL, false, 0, 2 },
    { "501", FAKE_STATUS, 501, NULL, false, 0, 2 },
    { "400", FAKE_STATUS, 400, NULL, false, 0, 2 },
    { "401", FAKE_STATUS, 401, NULL, false, 0, 2 },
    { "403", FAKE_STATUS, 403, NULL, false, 0, 2 },
    { "404", FAKE_STATUS, 404, NULL, false, 0, 2 },
    { "410", FAKE_STATUS, 410, NULL, false, 0, 2 },
    { "500", FAKE_STATUS, 500, NULL, false, 0, 2 },
    { "429", FAKE_STATUS, 429, NULL, false, -EBUSY, 1 },
    { "503", FAKE_STATUS, 503, NULL, false, -EBUSY, 1 },
    { "packed", FAKE_SET_HEADER, 0, "Content-Encoding: gzip", false, 0, 2 },
    { "204", FAKE_STATUS, 204, NULL, false, -EBADMSG, 1 },
};

static void an_odd_head_is_followed_by_a_get(void **state)
{
    const struct rig_cfg cfg = { .max_attempts = 1 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(heads); i++) {
        RIG_AUTO struct rig rig;
        INFO_AUTO struct ofs_manifest_info info = { 0 };
        struct fake_fault fault = {
            .match = HEAD,
            .kind = heads[i].kind,
            .n = heads[i].n,
            .text = heads[i].text,
        };
        struct fake_image image;
        char ref[OFS_DIGEST_TEXT_MAX] = "1.0";
        int r;

        rig_start(&rig, &cfg);
        image = fake_registry_image(rig.fake, "a/b", "1.0", 1, 1, 100);
        if (heads[i].by_digest)
            (void)ofs_digest_format(&image.manifest, ref);
        fake_server_fault(rig.server, &fault);
        r = head(&rig, ref, &info);
        if (r != heads[i].r || rig_count(&rig, ANY) != heads[i].requests)
            fail_msg("'%s': %d, %u requests: %s", heads[i].what, r,
                     rig_count(&rig, ANY), rig.err.text);
        if (r == 0) {
            assert_true(ofs_digest_eq(&info.digest, &image.manifest));
            assert_string_equal(info.media_type, OFS_MT_OCI_MANIFEST);
            assert_int_equal(info.size, image.manifest_size);
        }
    }
}

static const struct {
    const char *what;
    enum fake_fault_kind kind;
    int64_t n;
    const char *text;
    bool by_digest;
    int r;
} gets[] = {
    { "damaged", FAKE_WRONG_DIGEST, 50, NULL, false, -EBADMSG },
    { "damaged, by digest", FAKE_WRONG_DIGEST, 50, NULL, true, -EBADMSG },
    { "no word of its digest", FAKE_DROP_DIGEST_HEADER, 0, NULL, false, 0 },
    { "other bytes", FAKE_BODY, 0, "{}", true, -EBADMSG },
    { "no bytes", FAKE_BODY, 0, "", false, -EBADMSG },
    { "huge", FAKE_HUGE, 17 * 1024 * 1024, NULL, false, -EFBIG },
    { "no type", FAKE_DROP_HEADER, 0, "Content-Type", false, 0 },
    { "vague type", FAKE_SET_HEADER, 0, "Content-Type: text/plain", false, 0 },
    { "type with parameters", FAKE_SET_HEADER, 0,
      "Content-Type: Application/vnd.oci.image.manifest.v1+json; a=b", false,
      0 },
    { "schema 1", FAKE_SET_HEADER, 0,
      "Content-Type: application/vnd.docker.distribution.manifest.v1+json",
      false, -EBADMSG },
    { "another digest", FAKE_SET_HEADER, 0,
      "Docker-Content-Digest: sha256:000000000000000000000000000000000000000000"
      "0000000000000000000000",
      true, -EBADMSG },
    { "short", FAKE_SHORT_BODY, 7, NULL, false, 0 },
    { "404", FAKE_STATUS, 404, NULL, false, -ENOENT },
    { "429", FAKE_STATUS, 429, NULL, false, 0 },
};

static void bytes_are_verified(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(gets); i++) {
        RIG_AUTO struct rig rig;
        INFO_AUTO struct ofs_manifest_info info = { 0 };
        struct fake_fault fault = {
            .match = GET,
            .nth = 1,
            .kind = gets[i].kind,
            .n = gets[i].n,
            .text = gets[i].text,
        };
        struct fake_image image;
        char ref[OFS_DIGEST_TEXT_MAX] = "1.0";
        int r;

        rig_start(&rig, NULL);
        image = fake_registry_image(rig.fake, "a/b", "1.0", 1, 1, 100);
        if (gets[i].by_digest)
            (void)ofs_digest_format(&image.manifest, ref);
        fake_server_fault(rig.server, &fault);
        r = get(&rig, ref, &info);
        if (r != gets[i].r)
            fail_msg("'%s': %d: %s", gets[i].what, r, rig.err.text);
        if (r == 0) {
            assert_true(ofs_digest_eq(&info.digest, &image.manifest));
            assert_string_equal(info.media_type, OFS_MT_OCI_MANIFEST);
        }
    }
}

/* A digest is believed to nobody, not even to a server that tells none. */
static void other_bytes_than_the_digests_are_refused(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    struct fake_image image;
    char ref[OFS_DIGEST_TEXT_MAX];

    (void)state;
    rig_start(&rig, NULL);
    image = fake_registry_image(rig.fake, "a/b", "1.0", 1, 1, 100);
    (void)ofs_digest_format(&image.manifest, ref);
    rig_fault(&rig, GET, 0, FAKE_DROP_DIGEST_HEADER, 0);
    rig_fault(&rig, GET, 0, FAKE_WRONG_DIGEST, 20);
    assert_int_equal(get(&rig, ref, &info), -EBADMSG);
    assert_null(info.bytes);
}

static void types_without_a_word_are_seen_in_the_bytes(void **state)
{
    static const char index[] = "{\"schemaVersion\":2,\"manifests\":[]}";
    RIG_AUTO struct rig rig;
    INFO_AUTO struct ofs_manifest_info info = { 0 }, odd = { 0 };
    struct ofs_digest d;

    (void)state;
    rig_start(&rig, NULL);
    d = fake_registry_manifest(rig.fake, "a/b", "application/json", index,
                               strlen(index));
    fake_registry_tag(rig.fake, "a/b", "x", &d, 0);
    assert_int_equal(head(&rig, "x", &info), 0);
    assert_string_equal(info.media_type, OFS_MT_OCI_INDEX);
    d = fake_registry_manifest(rig.fake, "a/b", "text/plain", "hello", 5);
    fake_registry_tag(rig.fake, "a/b", "y", &d, 0);
    assert_int_equal(get(&rig, "y", &odd), 0);
    assert_string_equal(odd.media_type, "text/plain");
    assert_int_equal(odd.size, 5);
}

static void the_registrys_own_words_are_told(void **state)
{
    RIG_AUTO struct rig rig;
    INFO_AUTO struct ofs_manifest_info info = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    fake_registry_repo(rig.fake, "a/b");
    fake_server_fault(rig.server, &(struct fake_fault){
                                      .match = GET,
                                      .kind = FAKE_SET_HEADER,
                                      .text = "Docker-Request-Id: r-17",
                                  });
    assert_int_equal(get(&rig, "nope", &info), -ENOENT);
    assert_string_equal(rig.err.id, "MANIFEST_UNKNOWN");
    assert_string_equal(rig.err.request_id, "r-17");
    assert_int_equal(rig.err.http_status, 404);
    assert_non_null(strstr(rig.err.text, "'nope' of 'a/b'"));
    assert_non_null(strstr(rig.err.text, "manifest unknown"));
}

static void references_that_cannot_be_are_not_asked_for(void **state)
{
    static const char *const refs[] = {
        "",          "..",  "a/b",
        "sha256:00", "x y", "md5:d41d8cd98f00b204e9800998ecf8427e",
        "latest?x=1"
    };
    RIG_AUTO struct rig rig;
    INFO_AUTO struct ofs_manifest_info info = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    fake_registry_repo(rig.fake, "a/b");
    for (size_t i = 0; i < OFS_COUNT_OF(refs); i++)
        assert_int_equal(head(&rig, refs[i], &info), -ENOENT);
    assert_int_equal(rig_count(&rig, "* *"), 0);
}

static void a_manifest_may_be_elsewhere(void **state)
{
    RIG_AUTO struct rig rig;
    INFO_AUTO struct ofs_manifest_info info = { 0 };
    struct fake_image image;

    (void)state;
    rig_start(&rig, NULL);
    image = fake_registry_image(rig.fake, "c", "1.0", 1, 1, 100);
    fake_server_fault(rig.server, &(struct fake_fault){
                                      .match = HEAD,
                                      .kind = FAKE_REDIRECT,
                                      .text = "/v2/c/manifests/1.0",
                                  });
    assert_int_equal(head(&rig, "1.0", &info), 0);
    assert_true(ofs_digest_eq(&info.digest, &image.manifest));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_known_by_one_head),
        cmocka_unit_test(a_manifest_comes_with_its_bytes),
        cmocka_unit_test(by_digest_it_is_the_same),
        cmocka_unit_test(an_odd_head_is_followed_by_a_get),
        cmocka_unit_test(bytes_are_verified),
        cmocka_unit_test(other_bytes_than_the_digests_are_refused),
        cmocka_unit_test(types_without_a_word_are_seen_in_the_bytes),
        cmocka_unit_test(the_registrys_own_words_are_told),
        cmocka_unit_test(references_that_cannot_be_are_not_asked_for),
        cmocka_unit_test(a_manifest_may_be_elsewhere),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
