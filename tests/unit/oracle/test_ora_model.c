/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#define DIGEST                                                                 \
    "sha256:e7d38b3517548a1c71e41bffe9c8ae6d6d29546ce46bf62159837aad072c90aa"

static json_t *doc_of(const char *text)
{
    json_t *doc = NULL;

    assert_int_equal(ofs_json_parse(text, strlen(text), &doc, NULL), 0);
    return doc;
}

static int compartment(const char *text, struct ofs_ora_compartments *ret)
{
    OFS_AUTOJSON json_t *doc = doc_of(text);

    ret->at = calloc(1, sizeof(*ret->at));
    assert_non_null(ret->at);
    ret->n = 1;
    return ofs_ora_compartment_decode(doc, ret->at, NULL);
}

static void a_compartment_is_read(void **state)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        { "{\"id\":\"i\",\"compartmentId\":\"p\",\"name\":\"build\","
          "\"timeCreated\":\"2024-03-01T08:00:00.123Z\",\"isAccessible\":true,"
          "\"lifecycleState\":\"ACTIVE\",\"freeformTags\":{},\"new\":[1]}",
          0 },
        { "{\"id\":\"i\",\"compartmentId\":\"p\",\"name\":\"build\","
          "\"timeCreated\":\"2024-03-01T08:00:00Z\","
          "\"lifecycleState\":\"DELETED\"}",
          1 },
        { "{\"id\":\"i\",\"compartmentId\":\"p\",\"name\":null}", -EBADMSG },
        { "{\"id\":\"i\",\"name\":\"n\"}", -EBADMSG },
        { "[]", -EBADMSG },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_ora_compartments_done)
        struct ofs_ora_compartments all = { 0 };

        assert_int_equal(compartment(rows[i].text, &all), rows[i].code);
        if (rows[i].code != 0)
            continue;
        assert_string_equal(all.at[0].parent_id, "p");
        assert_string_equal(all.at[0].name, "build");
        assert_int_equal(all.at[0].created_s, 1709280000);
    }
}

static int repository(const char *text, struct ofs_ora_repository *ret)
{
    OFS_AUTOJSON json_t *doc = doc_of(text);

    return ofs_ora_repository_decode(doc, ret, NULL);
}

#define REPOSITORY                                                             \
    "\"id\":\"r\",\"compartmentId\":\"c\",\"displayName\":\"a/b\","            \
    "\"namespace\":\"ns\""

static void a_repository_of_a_list_says_less(void **state)
{
    OFS_AUTO(ofs_ora_repository_done) struct ofs_ora_repository r = { 0 };

    (void)state;
    assert_int_equal(
        repository("{" REPOSITORY ",\"isPublic\":true,\"imageCount\":7,"
                   "\"layerCount\":42,\"layersSizeInBytes\":12884901880,"
                   "\"billableSizeInGBs\":2.5,\"readme\":null}",
                   &r),
        0);
    assert_string_equal(r.name, "a/b");
    assert_string_equal(r.namespace_name, "ns");
    assert_true(r.is_public);
    assert_int_equal(r.is_immutable, -1);
    assert_int_equal(r.n_images, 7);
    assert_int_equal(r.n_layers, 42);
    assert_int_equal(r.layers_bytes, 12884901880);
    assert_null(r.readme);
    assert_int_equal(r.created_s, 0);
}

static void a_single_repository_says_all(void **state)
{
    OFS_AUTO(ofs_ora_repository_done) struct ofs_ora_repository r = { 0 };

    (void)state;
    assert_int_equal(
        repository("{" REPOSITORY ",\"isImmutable\":false,\"createdBy\":\"u\","
                   "\"readme\":{\"content\":\"hi\",\"format\":\"NEW\"},"
                   "\"timeCreated\":\"2024-03-01T08:00:00+00:00\","
                   "\"timeLastPushed\":\"soon\"}",
                   &r),
        0);
    assert_int_equal(r.is_immutable, 0);
    assert_string_equal(r.readme, "hi");
    assert_string_equal(r.readme_format, "NEW");
    assert_string_equal(r.created_by, "u");
    assert_int_equal(r.created_s, 1709280000);
    assert_int_equal(r.pushed_s, 0);
}

static void a_broken_repository_is_refused(void **state)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        "{\"id\":\"r\",\"compartmentId\":\"c\",\"displayName\":\"a\"}",
        "{" REPOSITORY ",\"imageCount\":\"7\"}",
        "{" REPOSITORY ",\"imageCount\":-1}",
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_ora_repository_done) struct ofs_ora_repository r = { 0 };

        assert_int_equal(repository(rows[i], &r), -EBADMSG);
        assert_null(r.id);
    }
}

static void versions_come_from_either_form(void **state)
{
    static const struct {
        const char *text;
        size_t n;
        const char *last;
    } rows[] = {
        { "{\"id\":\"i\",\"digest\":\"" DIGEST "\",\"version\":\"1.2\"}", 1,
          "1.2" },
        { "{\"id\":\"i\",\"digest\":\"" DIGEST "\",\"version\":\"1.2\","
          "\"versions\":[{\"version\":\"1.2\"},7,{\"version\":null},"
          "{\"version\":\"latest\",\"timeCreated\":\"x\"}]}",
          2, "latest" },
        { "{\"id\":\"i\",\"digest\":\"" DIGEST "\",\"versions\":[]}", 0, NULL },
        { "{\"id\":\"i\",\"digest\":\"" DIGEST "\",\"version\":null}", 0,
          NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_ora_image_done) struct ofs_ora_image image = { 0 };
        OFS_AUTOJSON json_t *doc = doc_of(rows[i].text);

        assert_int_equal(ofs_ora_image_decode(doc, &image, NULL), 0);
        assert_int_equal(image.n_versions, rows[i].n);
        if (rows[i].last)
            assert_string_equal(image.versions[rows[i].n - 1].tag,
                                rows[i].last);
    }
}

static void an_image_needs_an_id_and_a_digest(void **state)
{
    static const char *const rows[] = {
        "{\"id\":\"i\"}",
        "{\"id\":\"i\",\"digest\":\"sha256:zz\"}",
        "{\"digest\":\"" DIGEST "\"}",
        "7",
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_ora_image_done) struct ofs_ora_image image = { 0 };
        OFS_AUTOJSON json_t *doc = json_loads(rows[i], JSON_DECODE_ANY, NULL);

        assert_true(ofs_ora_image_decode(doc, &image, NULL) < 0);
        assert_null(image.id);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_compartment_is_read),
        cmocka_unit_test(a_repository_of_a_list_says_less),
        cmocka_unit_test(a_single_repository_says_all),
        cmocka_unit_test(a_broken_repository_is_refused),
        cmocka_unit_test(versions_come_from_either_form),
        cmocka_unit_test(an_image_needs_an_id_and_a_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
