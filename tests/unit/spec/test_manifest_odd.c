/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/manifest.h"

#include "ocirfs/mediatype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEX   "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define DIG   "\"digest\":\"sha256:" HEX "\""
#define LAYER "{\"mediaType\":\"a/b\"," DIG ",\"size\":70}"
#define CONF  "\"config\":" LAYER
#define V2    "{\"schemaVersion\":2,"
#define BAD   "{\"mediaType\":\"a/b\",\"digest\":\"blake3:" HEX "\",\"size\":5}"

/* What there is to read in it: 0 all, 1 not all; -1: nothing. */
static const struct {
    const char *json;
    int r;
    bool config;
    size_t n_layers;
    uint64_t size; /* of the first layer */
} cases[] = {
    { V2 CONF ",\"layers\":[" LAYER "]}", 0, true, 1, 70 },
    { V2 CONF ",\"layers\":[{" DIG "}]}", 0, true, 1, OFS_SIZE_UNKNOWN },
    { V2 CONF ",\"layers\":[{" DIG ",\"size\":-1}]}", 0, true, 1,
      OFS_SIZE_UNKNOWN },
    { V2 CONF ",\"layers\":[{" DIG ",\"size\":1.5}]}", 0, true, 1,
      OFS_SIZE_UNKNOWN },
    { V2 CONF ",\"layers\":[" LAYER "," BAD "]}", 1, true, 1, 70 },
    { V2 CONF ",\"layers\":[" BAD "," LAYER ",5]}", 1, true, 1, 70 },
    { V2 "\"config\":{},\"layers\":[" LAYER "]}", 0, false, 1, 70 },
    { V2 "\"config\":null,\"layers\":[" LAYER "]}", 0, false, 1, 70 },
    { V2 "\"layers\":[" LAYER "]}", 0, false, 1, 70 },
    { V2 "\"config\":" BAD ",\"layers\":[" LAYER "]}", 1, false, 1, 70 },
    { V2 CONF ",\"Layers\":[" LAYER "]}", 0, true, 1, 70 },
    { "{\"schemaVersion\":\"2\"," CONF ",\"layers\":[" LAYER "]}", 0, true, 1,
      70 },
    { V2 CONF ",\"layers\":[" LAYER "],\"x\":1e999,\"y\":\"\xff\"}", 0, true, 1,
      70 },
    { V2 CONF ",\"layers\":[" LAYER "],\"subject\":{},\"annotations\":[],"
              "\"artifactType\":5}",
      0, true, 1, 70 },
    { "{\"mediaType\":\"application/vnd.oci.artifact.manifest.v1+json\","
      "\"blobs\":[" LAYER "]}",
      0, false, 1, 70 },
    { V2 "\"manifests\":[" BAD "," LAYER "]}", 1, false, 1, 70 },
    /* What may be read in two ways, or is too old, stays refused. */
    { V2 CONF ",\"manifests\":[" LAYER "]}", -1, false, 0, 0 },
    { V2 "\"Manifests\":[],\"layers\":[" LAYER "]}", -1, false, 0, 0 },
    { "{\"schemaVersion\":1," CONF ",\"layers\":[]}", -1, false, 0, 0 },
    { V2 "\"mediaType\":\"" OFS_MT_OCI_INDEX "\",\"layers\":[" LAYER "]}", -1,
      false, 0, 0 },
    { V2 "\"x\":1}", -1, false, 0, 0 },
    { "[]", -1, false, 0, 0 },
    { "", -1, false, 0, 0 },
};

static void what_can_be_known_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
        struct ofs_err err = { 0 };
        const char *json = cases[i].json;
        int r = ofs_manifest_decode_odd(json, strlen(json), NULL, &m, &err);

        if (r < 0) {
            if (cases[i].r != -1 || !err.text[0])
                fail_msg("case %zu: %d %s", i, r, err.text);
            assert_int_equal(r, -EBADMSG);
            continue;
        }
        if (r != cases[i].r || m.n_layers != cases[i].n_layers ||
            (m.config.digest.alg != 0) != cases[i].config ||
            m.layers[0].size != cases[i].size || !m.layers[0].media_type)
            fail_msg("case %zu: %d, %zu layers", i, r, m.n_layers);
        if (r == 1)
            assert_non_null(strstr(err.text, "manifest: "));
        assert_non_null(m.media_type);
    }
}

static void a_type_that_contradicts_the_header_stays_refused(void **state)
{
    static const char json[] =
        "{\"schemaVersion\":\"2\",\"mediaType\":\"" OFS_MT_OCI_MANIFEST
        "\",\"layers\":[]}";
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };

    (void)state;
    assert_int_equal(ofs_manifest_decode_odd(json, strlen(json),
                                             OFS_MT_DOCKER_MANIFEST, &m, NULL),
                     -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_can_be_known_is_known),
        cmocka_unit_test(a_type_that_contradicts_the_header_stays_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
