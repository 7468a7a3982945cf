/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_rig.h"

#include "ocirfs/mediatype.h"

#include <inttypes.h>

#define LAYER_GZ  "application/vnd.oci.image.layer.v1.tar+gzip"
#define LAYER_TAR "application/vnd.oci.image.layer.v1.tar"

/* A blob of a layout, and the descriptor that names it. */
static char *add_blob(struct ofs_buf *tar, const char *type, const char *bytes,
                      const char *rest)
{
    char hex[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *path =
        ofs_strf("blobs/sha256/%s", hex_of(bytes, strlen(bytes), hex));

    if (tar)
        tar_text(tar, path, bytes);
    return ofs_strf("{\"mediaType\":\"%s\",\"digest\":\"sha256:%s\","
                    "\"size\":%zu%s}",
                    type, hex, strlen(bytes), rest);
}

/* An image of one layer; its descriptor.  `rest` goes into that. */
static char *add_image(struct ofs_buf *tar, const char *layer_type,
                       const char *layer, const char *rest)
{
    OFS_AUTOFREE char *l = add_blob(tar, layer_type, layer, "");
    OFS_AUTOFREE char *c =
        add_blob(tar, "application/vnd.oci.image.config.v1+json", "{}", "");
    OFS_AUTOFREE char *m =
        ofs_strf("{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}", c, l);

    return add_blob(tar, OFS_MT_OCI_MANIFEST, m, rest);
}

static void add_index(struct ofs_buf *tar, const char *entries)
{
    OFS_AUTOFREE char *text =
        ofs_strf("{\"schemaVersion\":2,\"manifests\":[%s]}", entries);

    tar_text(tar, "oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}");
    tar_text(tar, "index.json", text);
    tar_end(tar);
}

#define NAMED(tag)                                                             \
    ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"" tag "\"}"

static void an_image_goes_out_byte_for_byte(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *entry = add_image(&tar, LAYER_TAR, "plain", NAMED("x"));
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    const struct ofs_archive_manifest *m;
    struct ofs_err err = { 0 };
    char text[OFS_DIGEST_TEXT_MAX];

    (void)state;
    add_index(&tar, entry);
    if (unpack(&tar, "1.5", &kept, &a, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(kept.n, 2);
    assert_string_equal(ofs_buf_str(&kept.at[0]), "plain");
    assert_string_equal(ofs_buf_str(&kept.at[1]), "{}");
    assert_int_equal(ofs_archive_manifests(a, &m), 1);
    assert_non_null(strstr(entry, ofs_digest_format(&m->digest, text)));
    assert_string_equal(m->media_type, OFS_MT_OCI_MANIFEST);
}

static void the_tag_chooses(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *first = add_image(&tar, LAYER_GZ, "1", NAMED("1.4"));
    OFS_AUTOFREE char *second = add_image(&tar, LAYER_GZ, "2", NAMED("1.5"));
    OFS_AUTOFREE char *both = ofs_strf("%s,%s", first, second);
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    OFS_AUTO(kept_done) struct kept none = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    add_index(&tar, both);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, &err), 0);
    assert_string_equal(ofs_buf_str(&kept.at[0]), "2");
    assert_int_equal(unpack(&tar, "1.6", &none, NULL, &err), -EINVAL);
    assert_non_null(strstr(err.text, "1.4, 1.5"));
}

#define ON(os) ",\"platform\":{\"os\":\"" os "\",\"architecture\":\"any\"}"

/* All platforms, and after them the index that names them. */
static void an_index_brings_its_platforms(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *first = add_image(&tar, LAYER_GZ, "1", ON("linux"));
    OFS_AUTOFREE char *second = add_image(&tar, LAYER_GZ, "2", ON("linux"));
    OFS_AUTOFREE char *text =
        ofs_strf("{\"schemaVersion\":2,\"manifests\":[%s,%s]}", first, second);
    OFS_AUTOFREE char *entry = add_blob(&tar, OFS_MT_OCI_INDEX, text, "");
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    const struct ofs_archive_manifest *m;

    (void)state;
    add_index(&tar, entry);
    assert_int_equal(unpack(&tar, "1.5", &kept, &a, NULL), 0);
    assert_int_equal(kept.n, 3); /* two layers, the same configuration */
    assert_int_equal(ofs_archive_manifests(a, &m), 3);
    assert_string_equal(m[2].media_type, OFS_MT_OCI_INDEX);
    assert_string_equal(m[2].bytes, text);
    assert_string_equal(m[0].media_type, OFS_MT_OCI_MANIFEST);
}

/* The platform that was pulled; the others are only named. */
static int unpack_partial(const char *second_os, const char *third_os,
                          struct kept *kept, struct ofs_archive **ret)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf elsewhere = TAR_INIT;
    OFS_AUTOFREE char *first =
        add_image(&elsewhere, LAYER_GZ, "1", ON("linux"));
    OFS_AUTOFREE char *on2 =
        ofs_strf(",\"platform\":{\"os\":\"%s\"}", second_os);
    OFS_AUTOFREE char *on3 =
        ofs_strf(",\"platform\":{\"os\":\"%s\"}", third_os);
    OFS_AUTOFREE char *second = add_image(&tar, LAYER_GZ, "2", on2);
    OFS_AUTOFREE char *third = add_image(&tar, LAYER_GZ, "3", on3);
    OFS_AUTOFREE char *text = ofs_strf(
        "{\"schemaVersion\":2,\"manifests\":[%s,%s,%s]}", first, second, third);
    OFS_AUTOFREE char *entry = add_blob(&tar, OFS_MT_OCI_INDEX, text, "");

    add_index(&tar, entry);
    return unpack(&tar, "1.5", kept, ret, NULL);
}

static void an_index_in_part_is_its_one_image(void **state)
{
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    OFS_AUTO(kept_done) struct kept none = { 0 };
    const struct ofs_archive_manifest *m;

    (void)state;
    assert_int_equal(unpack_partial("linux", "unknown", &kept, &a), 0);
    assert_int_equal(ofs_archive_manifests(a, &m), 1);
    assert_string_equal(m->media_type, OFS_MT_OCI_MANIFEST);
    assert_string_equal(ofs_buf_str(&kept.at[0]), "2");
    assert_int_equal(unpack_partial("linux", "linux", &none, NULL), -EINVAL);
}

/* docker from version 25 on writes both; its layout holds plain tars. */
static void plain_layers_of_docker_are_compressed(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *entry = add_image(&tar, LAYER_TAR, "plain", NAMED("1"));
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    const struct ofs_archive_manifest *m;
    char hex[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *config = ofs_strf(
        "{\"rootfs\":{\"diff_ids\":[\"sha256:%s\"]}}", hex_of("plain", 5, hex));
    OFS_AUTOFREE char *docker =
        ofs_strf("[{\"Config\":\"c\",\"RepoTags\":[\"app:1\"],"
                 "\"Layers\":[\"blobs/sha256/%s\"]}]",
                 hex);

    (void)state;
    tar_text(&tar, "c", config);
    tar_text(&tar, "manifest.json", docker);
    add_index(&tar, entry);
    assert_int_equal(unpack(&tar, "1.5", &kept, &a, NULL), 0);
    assert_int_equal(ofs_archive_manifests(a, &m), 1);
    assert_string_equal(m->media_type, OFS_MT_DOCKER_MANIFEST);
    assert_memory_equal(kept.at[0].data, "\x1f\x8b", 2);
}

static void what_is_not_wanted_is_left_out(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *entry = add_image(&tar, LAYER_GZ, "layer", "");
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    struct ofs_digest layer;

    (void)state;
    assert_int_equal(ofs_digest_of(OFS_SHA256, "layer", 5, &layer), 0);
    kept.unwanted = &layer;
    add_index(&tar, entry);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, NULL), 0);
    assert_int_equal(kept.n, 1);
    assert_string_equal(ofs_buf_str(&kept.at[0]), "{}");
}

/* Change a byte of the member whose content is `text`. */
static void damage(struct ofs_buf *tar, const char *text)
{
    char *at = memmem(tar->data, tar->len, text, strlen(text));

    assert_non_null(at);
    at[1] ^= 1;
}

static void damage_is_found(void **state)
{
    static const struct {
        const char *what;
        int r;
    } rows[] = {
        { "the layer", -EBADMSG },
        { "{\"schemaVersion\":2,\"config\"", -EBADMSG },
        { "{\"schemaVersion\":2,\"manifests\"", -EINVAL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
        OFS_AUTOFREE char *entry = add_image(&tar, LAYER_GZ, "the layer", "");
        OFS_AUTO(kept_done) struct kept kept = { 0 };
        struct ofs_err err = { 0 };

        add_index(&tar, entry);
        damage(&tar, rows[i].what);
        assert_int_equal(unpack(&tar, "1.5", &kept, NULL, &err), rows[i].r);
        assert_int_equal(err.code, rows[i].r);
    }
}

static void what_is_missing_is_told(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf nowhere = TAR_INIT;
    OFS_AUTOFREE char *layer = add_blob(&nowhere, LAYER_GZ, "layer", "");
    OFS_AUTOFREE char *config = add_blob(&tar, "a/b", "{}", "");
    OFS_AUTOFREE char *text = ofs_strf(
        "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}", config, layer);
    OFS_AUTOFREE char *entry = add_blob(&tar, OFS_MT_OCI_MANIFEST, text, "");
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    add_index(&tar, entry);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, &err), -EINVAL);
    assert_non_null(strstr(err.text, "the archive lacks 'blobs/sha256/"));
    assert_int_equal(kept.n, 0);
}

/* A layer whose bytes lie elsewhere, and one that is the same with a lie. */
static void foreign_layers_may_be_elsewhere(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *layer = add_blob(
        NULL, "application/vnd.oci.image.layer.nondistributable.v1.tar",
        "windows", "");
    OFS_AUTOFREE char *config = add_blob(&tar, "a/b", "{}", "");
    OFS_AUTOFREE char *text = ofs_strf(
        "{\"schemaVersion\":2,\"config\":%s,\"layers\":[%s]}", config, layer);
    OFS_AUTOFREE char *entry = add_blob(&tar, OFS_MT_OCI_MANIFEST, text, "");
    OFS_AUTO(kept_done) struct kept kept = { 0 };

    (void)state;
    add_index(&tar, entry);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, NULL), 0);
    assert_int_equal(kept.n, 1);
}

static void indexes_nest_so_far(void **state)
{
    (void)state;
    for (int depth = 3; depth <= 4; depth++) {
        OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
        char *entry = add_image(&tar, LAYER_GZ, "1", "");
        OFS_AUTO(kept_done) struct kept kept = { 0 };
        int r;

        for (int i = 0; i < depth; i++) {
            OFS_AUTOFREE char *inner = entry;
            OFS_AUTOFREE char *text =
                ofs_strf("{\"schemaVersion\":2,\"manifests\":[%s]}", inner);

            entry = add_blob(&tar, OFS_MT_OCI_INDEX, text, "");
        }
        add_index(&tar, entry);
        free(entry);
        r = unpack(&tar, "1.5", &kept, NULL, NULL);
        assert_int_equal(r, depth == 3 ? 0 : -EINVAL);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_goes_out_byte_for_byte),
        cmocka_unit_test(the_tag_chooses),
        cmocka_unit_test(an_index_brings_its_platforms),
        cmocka_unit_test(an_index_in_part_is_its_one_image),
        cmocka_unit_test(plain_layers_of_docker_are_compressed),
        cmocka_unit_test(what_is_not_wanted_is_left_out),
        cmocka_unit_test(damage_is_found),
        cmocka_unit_test(what_is_missing_is_told),
        cmocka_unit_test(foreign_layers_may_be_elsewhere),
        cmocka_unit_test(indexes_nest_so_far),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
