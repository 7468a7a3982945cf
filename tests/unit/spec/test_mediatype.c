/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/mediatype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define OCI    "application/vnd.oci.image."
#define DOCKER "application/vnd.docker."

static const struct {
    const char *type;
    enum ofs_media media;
} rows[] = {
    { OCI "index.v1+json", OFS_MEDIA_INDEX },
    { DOCKER "distribution.manifest.list.v2+json", OFS_MEDIA_INDEX },
    { OCI "manifest.v1+json", OFS_MEDIA_MANIFEST },
    { "Application/VND.oci.image.Manifest.v1+JSON", OFS_MEDIA_MANIFEST },
    { DOCKER "distribution.manifest.v2+json", OFS_MEDIA_MANIFEST },
    { DOCKER "distribution.manifest.v1+json", OFS_MEDIA_SCHEMA1 },
    { DOCKER "distribution.manifest.v1+prettyjws", OFS_MEDIA_SCHEMA1 },
    { OCI "config.v1+json", OFS_MEDIA_CONFIG },
    { DOCKER "container.image.v1+json", OFS_MEDIA_CONFIG },
    { OCI "layer.v1.tar", OFS_MEDIA_LAYER },
    { OCI "layer.v1.tar+gzip", OFS_MEDIA_LAYER },
    { OCI "layer.v1.tar+zstd", OFS_MEDIA_LAYER },
    { DOCKER "image.rootfs.diff.tar", OFS_MEDIA_LAYER },
    { DOCKER "image.rootfs.diff.tar.gzip", OFS_MEDIA_LAYER },
    { OCI "layer.nondistributable.v1.tar", OFS_MEDIA_FOREIGN },
    { OCI "layer.nondistributable.v1.tar+zstd", OFS_MEDIA_FOREIGN },
    { DOCKER "image.rootfs.foreign.diff.tar.gzip", OFS_MEDIA_FOREIGN },
    { OCI "manifest.v2+json", OFS_MEDIA_OTHER },
    { OCI "layer", OFS_MEDIA_OTHER },
    { "application/vnd.oci.empty.v1+json", OFS_MEDIA_OTHER },
    { "application/vnd.cncf.helm.config.v1+json", OFS_MEDIA_OTHER },
    { "application/json", OFS_MEDIA_OTHER },
    { "", OFS_MEDIA_OTHER },
    { NULL, OFS_MEDIA_OTHER },
};

static void types_are_what_the_table_says(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (ofs_media_of(rows[i].type) != rows[i].media)
            fail_msg("'%s'", rows[i].type ? rows[i].type : "(none)");
    }
}

static const struct {
    const char *text;
    bool is;
} forms[] = {
    { OFS_MT_OCI_INDEX, true },
    { "a/b", true },
    { "text/plain", true },
    { "a/b+c.d-e_f^!#$&", true },
    { "", false },
    { "a", false },
    { "a/", false },
    { "/b", false },
    { "a/b/c", false },
    { "a/b c", false },
    { "a/b;c=d", false },
    { "a/b\xe4", false },
    { "application/vnd.\"x", false },
    { "a/b\n", false },
};

static void an_index_names_manifests_and_blobs(void **state)
{
    static const struct {
        const char *type;
        bool manifest;
    } names[] = {
        { OFS_MT_OCI_MANIFEST, true },
        { OFS_MT_DOCKER_LIST, true },
        { "application/vnd.docker.distribution.manifest.v1+prettyjws", true },
        { "application/vnd.oci.artifact.manifest.v1+json", true },
        { NULL, true },
        { "", true },
        { "application/vnd.oci.image.layer.v1.tar+zstd", false },
        { "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip", false },
        { "application/vnd.oci.image.config.v1+json", false },
        { "application/vnd.buildkit.cacheconfig.v0", false },
        { "application/octet-stream", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (ofs_media_names_manifest(names[i].type) != names[i].manifest)
            fail_msg("%s", names[i].type);
}

static void types_have_a_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++)
        if (ofs_media_is_type(forms[i].text) != forms[i].is)
            fail_msg("'%s'", forms[i].text);
}

static void everything_is_accepted_but_what_we_know_first(void **state)
{
    const char *index = strstr(ofs_manifest_accept, OFS_MT_OCI_INDEX);
    const char *any = strstr(ofs_manifest_accept, "*/*;q=0.1");

    (void)state;
    assert_non_null(index);
    assert_non_null(any);
    assert_true(index < any);
    assert_non_null(strstr(ofs_manifest_accept, OFS_MT_DOCKER_LIST));
    assert_non_null(strstr(ofs_manifest_accept, OFS_MT_OCI_MANIFEST));
    assert_non_null(strstr(ofs_manifest_accept, OFS_MT_DOCKER_MANIFEST));
    assert_null(strstr(ofs_manifest_accept, "manifest.v1+prettyjws"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_what_the_table_says),
        cmocka_unit_test(an_index_names_manifests_and_blobs),
        cmocka_unit_test(types_have_a_form),
        cmocka_unit_test(everything_is_accepted_but_what_we_know_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
