/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/manifest.h"

#include "ocirfs/mediatype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEX_A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define BEGIN                                                                  \
    "{\"schemaVersion\":2,\"mediaType\":\"" OFS_MT_OCI_INDEX                   \
    "\",\"manifests\":["

static struct ofs_layout_entry entry(const char *type, const char *tag)
{
    struct ofs_layout_entry e = { .media_type = type, .tag = tag, .size = 12 };

    assert_int_equal(ofs_digest_parse("sha256:" HEX_A, &e.digest, NULL), 0);
    return e;
}

static void no_tags_make_an_empty_index(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1000);

    (void)state;
    assert_int_equal(ofs_layout_index(NULL, 0, &b), 0);
    assert_string_equal(ofs_buf_str(&b), BEGIN "]}");
}

static void tags_keep_their_order_and_bytes(void **state)
{
    struct ofs_layout_entry entries[] = {
        entry(OFS_MT_OCI_MANIFEST, "latest"),
        entry("odd/\"\\\n\x7f\xc3\xa4", "1.0"),
        entry("a/b", NULL),
    };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10000);

    (void)state;
    assert_int_equal(ofs_layout_index(entries, 3, &b), 0);
    assert_string_equal(
        ofs_buf_str(&b),
        BEGIN "{\"mediaType\":\"" OFS_MT_OCI_MANIFEST
              "\",\"digest\":\"sha256:" HEX_A "\",\"size\":12,\"annotations\":"
              "{\"org.opencontainers.image.ref.name\":\"latest\"}},"
              "{\"mediaType\":\"odd/\\\"\\\\\\u000a\\u007f\xc3\xa4\","
              "\"digest\":\"sha256:" HEX_A "\",\"size\":12,\"annotations\":"
              "{\"org.opencontainers.image.ref.name\":\"1.0\"}},"
              "{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX_A
              "\",\"size\":12}]}");
}

static void what_is_made_can_be_read(void **state)
{
    struct ofs_layout_entry e = entry(OFS_MT_OCI_INDEX, "a");
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10000);
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };

    (void)state;
    assert_int_equal(ofs_layout_index(&e, 1, &b), 0);
    assert_int_equal(
        ofs_manifest_decode(b.data, b.len, OFS_MT_OCI_INDEX, &m, NULL), 0);
    assert_int_equal(m.kind, OFS_MANIFEST_INDEX);
    assert_int_equal(m.n_layers, 1);
    assert_string_equal(ofs_annotation_get(&m.layers[0].annotations,
                                           "org.opencontainers.image.ref.name"),
                        "a");
}

static void a_full_buffer_is_told(void **state)
{
    struct ofs_layout_entry e = entry(OFS_MT_OCI_INDEX, "a");
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

    (void)state;
    assert_int_equal(ofs_layout_index(&e, 1, &b), -EFBIG);
}

static const struct {
    const char *json;
    int r;
    int64_t s;
} configs[] = {
    { "{\"created\":\"2026-01-05T21:31:40Z\"}", 0, 1767648700 },
    { "{\"created\":\"2026-01-05T22:31:40.5+01:00\"}", 0, 1767648700 },
    { "{\"created\":\"1970-01-01T00:00:00Z\"}", 0, 0 },
    { "{\"created\":\"0001-01-01T00:00:00Z\"}", -ENOENT, 0 },
    { "{\"created\":\"yesterday\"}", -ENOENT, 0 },
    { "{\"created\":null}", -ENOENT, 0 },
    { "{}", -ENOENT, 0 },
    { "{\"created\":5}", -EBADMSG, 0 },
    { "[]", -EBADMSG, 0 },
    { "", -EBADMSG, 0 },
};

static void a_config_tells_when_it_was_made(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(configs); i++) {
        int64_t s = 0;
        int r =
            ofs_config_created(configs[i].json, strlen(configs[i].json), &s);

        if (r != configs[i].r || s != configs[i].s)
            fail_msg("row %zu: %d", i, r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_tags_make_an_empty_index),
        cmocka_unit_test(tags_keep_their_order_and_bytes),
        cmocka_unit_test(what_is_made_can_be_read),
        cmocka_unit_test(a_full_buffer_is_told),
        cmocka_unit_test(a_config_tells_when_it_was_made),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
