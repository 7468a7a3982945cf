/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/ora_region.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const char metadata[] =
    "{\"realmKey\":\"oc77\",\"realmDomainComponent\":\"example77.com\","
    "\"regionKey\":\"XYZ\",\"regionIdentifier\":\"us-test-9\"}";

static const struct ofs_ora_region_cfg with_metadata = { .metadata = metadata };

static void regions_are_found_by_key_and_identifier(void **state)
{
    static const struct {
        const char *name;
        const struct ofs_ora_region_cfg *cfg;
        const char *identifier, *domain;
    } rows[] = {
        { "gru", NULL, "sa-saopaulo-1", "oraclecloud.com" },
        { "GRU", NULL, "sa-saopaulo-1", "oraclecloud.com" },
        { "us-ashburn-1", NULL, "us-ashburn-1", "oraclecloud.com" },
        { "US-Ashburn-1", NULL, "us-ashburn-1", "oraclecloud.com" },
        { "xyz", &with_metadata, "us-test-9", "example77.com" },
        { "mars-north-1", NULL, "mars-north-1", "oraclecloud.com" },
        { "r.private.example", NULL, "r.private.example", "" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_ora_region r;

        assert_int_equal(
            ofs_ora_region_find(rows[i].name, rows[i].cfg, &r, NULL), 0);
        assert_string_equal(r.identifier, rows[i].identifier);
        assert_string_equal(r.domain, rows[i].domain);
    }
}

static void what_is_no_region_is_refused(void **state)
{
    static const char *const names[] = { "",    "a b", "-x",
                                         "a/b", "ü",   "https://x" };
    struct ofs_ora_region r;

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++)
        assert_int_equal(ofs_ora_region_find(names[i], NULL, &r, NULL),
                         -EINVAL);
}

static void a_source_tells_its_region(void **state)
{
    static const struct {
        const char *source;
        const struct ofs_ora_region_cfg *cfg;
        const char *identifier; /* NULL: not OCIR */
    } rows[] = {
        { "gru", NULL, "sa-saopaulo-1" },
        { "sa-saopaulo-1", NULL, "sa-saopaulo-1" },
        { "gru.ocir.io", NULL, "sa-saopaulo-1" },
        { "GRU.ocir.io", NULL, "sa-saopaulo-1" },
        { "us-ashburn-1.ocir.io", NULL, "us-ashburn-1" },
        { "ocir.sa-saopaulo-1.oci.oraclecloud.com", NULL, "sa-saopaulo-1" },
        { "ocir.us-test-9.oci.example77.com", &with_metadata, "us-test-9" },
        { "ocir.us-test-9.oci.example77.com", NULL, NULL },
        { "ocir.us-ashburn-1.oci.evil.com", NULL, NULL },
        { "https://gru.ocir.io", NULL, NULL },
        { "nowhere", NULL, NULL },
        { ".ocir.io", NULL, NULL },
        { "zzz.ocir.io", NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_ora_region r;
        int code = ofs_ora_region_of_source(rows[i].source, rows[i].cfg, &r);

        assert_int_equal(code, rows[i].identifier ? 0 : -ENOENT);
        if (rows[i].identifier)
            assert_string_equal(r.identifier, rows[i].identifier);
    }
}

static void every_service_has_its_host(void **state)
{
    static const struct {
        const char *region;
        enum ofs_ora_service service;
        const char *url;
    } rows[] = {
        { "iad", OFS_ORA_IDENTITY,
          "https://identity.us-ashburn-1.oci.oraclecloud.com" },
        { "iad", OFS_ORA_ARTIFACTS,
          "https://artifacts.us-ashburn-1.oci.oraclecloud.com" },
        { "iad", OFS_ORA_OBJECTSTORAGE,
          "https://objectstorage.us-ashburn-1.oraclecloud.com" },
        { "iad", OFS_ORA_AUTH, "https://auth.us-ashburn-1.oraclecloud.com" },
        { "gru", OFS_ORA_REGISTRY,
          "https://ocir.sa-saopaulo-1.oci.oraclecloud.com" },
        { "r.private.example", OFS_ORA_AUTH, "https://auth.r.private.example" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOFREE char *url = NULL;
        struct ofs_ora_region r;

        assert_int_equal(ofs_ora_region_find(rows[i].region, NULL, &r, NULL),
                         0);
        assert_int_equal(ofs_ora_endpoint(&r, rows[i].service, &url), 0);
        assert_string_equal(url, rows[i].url);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(regions_are_found_by_key_and_identifier),
        cmocka_unit_test(what_is_no_region_is_refused),
        cmocka_unit_test(a_source_tells_its_region),
        cmocka_unit_test(every_service_has_its_host),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
