/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/manifest.h"

#include "ocirfs/mediatype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEX_A  "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define SHA_A  "sha256:" HEX_A
#define SHA512 "sha512:" HEX_A HEX_A
#define DESC(type, size)                                                       \
    "{\"mediaType\":\"" type "\",\"digest\":\"" SHA_A "\",\"size\":" #size "}"
#define CONFIG  DESC("application/vnd.oci.image.config.v1+json", 7)
#define LAYER   DESC("application/vnd.oci.image.layer.v1.tar+gzip", 70)
#define CHILD   DESC("application/vnd.oci.image.manifest.v1+json", 700)
#define V2      "\"schemaVersion\":2"
#define MT(t)   "\"mediaType\":\"" t "\""
#define SCHEMA1 "application/vnd.docker.distribution.manifest.v1+prettyjws"

#define IMAGE_BEGIN                                                            \
    "{" V2 "," MT(OFS_MT_OCI_MANIFEST) ",\"artifactType\":\"x/y\","
#define ODD_LAYER                                                              \
    "{\"mediaType\":\"a/b\",\"digest\":\"" SHA512 "\",\"size\":0,"             \
    "\"annotations\":{\"title\":\"f.tgz\",\"n\":5,\"\":\"empty\"},"            \
    "\"urls\":[\"http://x\"],\"data\":\"e30=\"}"

static int decode(const char *json, const char *type, struct ofs_manifest *m,
                  struct ofs_err *err)
{
    return ofs_manifest_decode(json, strlen(json), type, m, err);
}

static void an_image_is_read_whole(void **state)
{
    static const char json[] = IMAGE_BEGIN
        "\"config\":" CONFIG ",\"layers\":[" LAYER "," ODD_LAYER "],"
        "\"subject\":" CHILD ",\"annotations\":{\"k\":\"v\"},\"new\":{}}";
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    char text[OFS_DIGEST_TEXT_MAX];

    (void)state;
    assert_int_equal(decode(json, OFS_MT_OCI_MANIFEST, &m, NULL), 0);
    assert_int_equal(m.kind, OFS_MANIFEST_IMAGE);
    assert_string_equal(m.media_type, OFS_MT_OCI_MANIFEST);
    assert_string_equal(m.artifact_type, "x/y");
    assert_int_equal(m.config.size, 7);
    assert_int_equal(m.n_layers, 2);
    assert_string_equal(ofs_digest_format(&m.layers[0].digest, text), SHA_A);
    assert_string_equal(ofs_digest_format(&m.layers[1].digest, text), SHA512);
    assert_string_equal(m.layers[1].media_type, "a/b");
    assert_int_equal(m.layers[1].annotations.n, 2);
    assert_string_equal(ofs_annotation_get(&m.layers[1].annotations, "title"),
                        "f.tgz");
    assert_null(ofs_annotation_get(&m.layers[1].annotations, "n"));
    assert_true(m.has_subject);
    assert_int_equal(m.subject.size, 700);
    assert_string_equal(ofs_annotation_get(&m.annotations, "k"), "v");
}

static void an_index_has_platforms(void **state)
{
    static const char json[] =
        "{" V2 ",\"manifests\":[{\"mediaType\":\"" OFS_MT_OCI_MANIFEST "\","
        "\"digest\":\"" SHA_A "\",\"size\":700,\"artifactType\":\"s/t\","
        "\"platform\":{\"os\":\"linux\",\"architecture\":\"arm64\","
        "\"variant\":\"v8\",\"os.version\":\"1\",\"os.features\":[]}}," CHILD
        "]}";
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };

    (void)state;
    assert_int_equal(decode(json, OFS_MT_DOCKER_LIST, &m, NULL), 0);
    assert_int_equal(m.kind, OFS_MANIFEST_INDEX);
    assert_string_equal(m.media_type, OFS_MT_DOCKER_LIST);
    assert_int_equal(m.n_layers, 2);
    assert_string_equal(m.layers[0].platform.os, "linux");
    assert_string_equal(m.layers[0].platform.architecture, "arm64");
    assert_string_equal(m.layers[0].platform.variant, "v8");
    assert_string_equal(m.layers[0].artifact_type, "s/t");
    assert_null(m.layers[1].platform.os);
    assert_false(m.has_subject);
}

/* What is accepted, and what kind and type it then has. */
static const struct {
    const char *json, *content_type;
    enum ofs_manifest_kind kind;
    const char *media_type;
} good[] = {
    { "{" V2 ",\"config\":" CONFIG "}", NULL, OFS_MANIFEST_IMAGE,
      OFS_MT_OCI_MANIFEST },
    { "{" V2 ",\"config\":" CONFIG ",\"layers\":null}", NULL,
      OFS_MANIFEST_IMAGE, OFS_MT_OCI_MANIFEST },
    { "{\"config\":" CONFIG ",\"layers\":[]}", "application/json",
      OFS_MANIFEST_IMAGE, OFS_MT_OCI_MANIFEST },
    { "{" V2 ",\"config\":" CONFIG "}", OFS_MT_DOCKER_MANIFEST,
      OFS_MANIFEST_IMAGE, OFS_MT_DOCKER_MANIFEST },
    { "{" V2 "," MT("application/vnd.x.y+json") ",\"config\":" CONFIG "}", NULL,
      OFS_MANIFEST_IMAGE, "application/vnd.x.y+json" },
    { "{" V2 "," MT(OFS_MT_OCI_MANIFEST) ",\"config\":" CONFIG "}",
      "application/json", OFS_MANIFEST_IMAGE, OFS_MT_OCI_MANIFEST },
    { "{" V2 "," MT(OFS_MT_OCI_MANIFEST) ",\"config\":" CONFIG "}",
      "application/vnd.OCI.image.manifest.v1+json", OFS_MANIFEST_IMAGE,
      OFS_MT_OCI_MANIFEST },
    { "{" V2 ",\"manifests\":[]}", NULL, OFS_MANIFEST_INDEX, OFS_MT_OCI_INDEX },
    { "{" V2 ",\"manifests\":null," MT(OFS_MT_OCI_INDEX) "}", NULL,
      OFS_MANIFEST_INDEX, OFS_MT_OCI_INDEX },
};

static void what_other_clients_take_is_taken(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(good); i++) {
        OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
        struct ofs_err err = { 0 };

        if (decode(good[i].json, good[i].content_type, &m, &err) < 0)
            fail_msg("row %zu: %s", i, err.text);
        assert_int_equal(m.kind, good[i].kind);
        assert_string_equal(m.media_type, good[i].media_type);
    }
}

static const struct {
    const char *json, *content_type, *says;
} bad[] = {
    { "", NULL, "not JSON" },
    { "[]", NULL, "not a JSON object" },
    { "{}", NULL, "neither" },
    { "{" V2 ",\"layers\":[" LAYER "]}", NULL, "neither" },
    { "{" V2 "," MT(OFS_MT_OCI_MANIFEST) "}", NULL, "neither" },
    { "{" V2 ",\"config\":" CONFIG ",\"manifests\":[" CHILD "]}", NULL,
      "both" },
    { "{" V2 ",\"layers\":[],\"manifests\":[]}", NULL, "both" },
    { "{\"schemaVersion\":1,\"config\":" CONFIG "}", NULL, "schema 1" },
    { "{\"fsLayers\":[],\"history\":[]}", NULL, "schema 1" },
    { "{" V2 ",\"config\":" CONFIG "}", SCHEMA1, "schema 1" },
    { "{" V2 "," MT(SCHEMA1) ",\"config\":" CONFIG "}", NULL, "schema 1" },
    { "{\"schemaVersion\":3,\"config\":" CONFIG "}", NULL, "schemaVersion" },
    { "{\"schemaVersion\":\"2\",\"config\":" CONFIG "}", NULL,
      "schemaVersion" },
    { "{" V2 "," MT(OFS_MT_OCI_MANIFEST) ",\"config\":" CONFIG "}",
      OFS_MT_DOCKER_MANIFEST, "served as" },
    { "{" V2 "," MT(OFS_MT_OCI_INDEX) ",\"config\":" CONFIG "}", NULL,
      "does not fit" },
    { "{" V2 ",\"config\":" CONFIG "}", OFS_MT_OCI_INDEX, "does not fit" },
    { "{" V2 ",\"manifests\":[]}", OFS_MT_OCI_MANIFEST, "does not fit" },
    { "{" V2 ",\"mediaType\":5,\"config\":" CONFIG "}", NULL, "mediaType" },
    { "{" V2 ",\"config\":[]}", NULL, "not a JSON object" },
    { "{" V2 ",\"config\":{}}", NULL, "mediaType" },
    { "{" V2 ",\"config\":" CONFIG ",\"layers\":{}}", NULL, "not a list" },
    { "{" V2 ",\"config\":" CONFIG ",\"layers\":[" LAYER ",5]}", NULL,
      "layers[1]" },
    { "{" V2 ",\"manifests\":[{" MT("a/b") ",\"digest\":\"sha256:aa\","
                                           "\"size\":1}]}",
      NULL, "manifests[0]" },
    { "{" V2 ",\"manifests\":[{" MT("a/b") ",\"digest\":\"" SHA_A "\","
                                           "\"size\":-1}]}",
      NULL, "size" },
    { "{" V2 ",\"manifests\":[{" MT("a/b") ",\"digest\":\"" SHA_A "\","
                                           "\"size\":1.5}]}",
      NULL, "size" },
    { "{" V2 ",\"manifests\":[{" MT("a/b") ",\"digest\":\"" SHA_A "\"}]}", NULL,
      "size" },
    { "{" V2
      ",\"manifests\":[{" MT("a/b") ",\"digest\":\"" SHA_A "\","
                                    "\"size\":1,\"platform\":{\"os\":5}}]}",
      NULL, "platform" },
    { "{" V2 ",\"config\":" CONFIG ",\"subject\":{}}", NULL, "subject" },
    { "{" V2 ",\"config\":" CONFIG "} x", NULL, "not JSON" },
    { "{" V2 ",\"config\":" CONFIG, NULL, "not JSON" },
};

static void the_rest_is_refused_with_a_reason(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(bad); i++) {
        OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
        struct ofs_err err = { 0 };
        int r = decode(bad[i].json, bad[i].content_type, &m, &err);

        if (r != -EBADMSG || !strstr(err.text, bad[i].says))
            fail_msg("row %zu: %d, '%s'", i, r, err.text);
    }
}

static void entries_have_a_limit(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_err err;

    (void)state;
    (void)ofs_buf_adds(&b, "{" V2 ",\"manifests\":[");
    for (int i = 0; i < OFS_MANIFEST_MAX_ENTRIES; i++)
        (void)ofs_buf_adds(&b, CHILD ",");
    assert_int_equal(ofs_buf_adds(&b, CHILD "]}"), 0);
    assert_int_equal(ofs_manifest_decode(b.data, b.len, NULL, &m, &err),
                     -EFBIG);
    b.len -= strlen("," CHILD "]}");
    assert_int_equal(ofs_buf_adds(&b, "]}"), 0);
    assert_int_equal(ofs_manifest_decode(b.data, b.len, NULL, &m, &err), 0);
    assert_int_equal(m.n_layers, OFS_MANIFEST_MAX_ENTRIES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_is_read_whole),
        cmocka_unit_test(an_index_has_platforms),
        cmocka_unit_test(what_other_clients_take_is_taken),
        cmocka_unit_test(the_rest_is_refused_with_a_reason),
        cmocka_unit_test(entries_have_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
