/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_rig.h"

#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"

static const char one[] = "the plain bytes of the first layer";
static const char two[] = "the second one";

/* A configuration that knows these layers. */
static char *make_config(const char *first, const char *second)
{
    char a[OFS_DIGEST_TEXT_MAX], b[OFS_DIGEST_TEXT_MAX];
    char *config = ofs_strf("{\"os\":\"linux\",\"rootfs\":{\"type\":\"layers\","
                            "\"diff_ids\":[\"sha256:%s\",\"sha256:%s\"]}}",
                            hex_of(first, strlen(first), a),
                            hex_of(second, strlen(second), b));

    assert_non_null(config);
    return config;
}

/* "[{...}]" of manifest.json. */
static void add_entry(struct ofs_buf *tar, const char *config, const char *tags,
                      const char *layers)
{
    OFS_AUTOFREE char *text =
        ofs_strf("[{\"Config\":\"%s\",\"RepoTags\":%s,\"Layers\":[%s]}]",
                 config, tags, layers);

    tar_text(tar, "manifest.json", text);
}

/* As docker and buildah write it. */
static void make_image(struct ofs_buf *tar)
{
    OFS_AUTOFREE char *config = make_config(one, two);
    char hex[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *name =
        ofs_strf("%s.json", hex_of(config, strlen(config), hex));

    tar_text(tar, "1.tar", one);
    tar_text(tar, "2.tar", two);
    tar_text(tar, name, config);
    add_entry(tar, name, "[\"feas:1\"]", "\"1.tar\",\"2.tar\"");
    tar_end(tar);
}

/* What a gzipped blob holds is `plain`. */
static void assert_holds(const struct ofs_buf *blob, const char *plain)
{
    struct archive *a = archive_read_new();
    struct archive_entry *e;
    char text[256] = { 0 };

    assert_memory_equal(blob->data, "\x1f\x8b\x08\x00\x00\x00\x00\x00", 8);
    assert_int_equal(archive_read_support_format_raw(a), ARCHIVE_OK);
    assert_int_equal(archive_read_support_filter_gzip(a), ARCHIVE_OK);
    assert_int_equal(archive_read_open_memory(a, blob->data, blob->len),
                     ARCHIVE_OK);
    assert_int_equal(archive_read_next_header(a, &e), ARCHIVE_OK);
    assert_int_equal(archive_read_data(a, text, sizeof(text)),
                     (la_ssize_t)strlen(plain));
    assert_string_equal(text, plain);
    (void)archive_read_free(a);
}

static void assert_is_image(const struct ofs_buf *tar)
{
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_AUTOFREE char *config = make_config(one, two);
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    const struct ofs_archive_manifest *made;
    struct ofs_err err = { 0 };

    if (unpack(tar, "1.5", &kept, &a, &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(kept.n, 3);
    assert_int_equal(kept.n_ended, 3);
    assert_int_equal(ofs_archive_manifests(a, &made), 1);
    assert_string_equal(made->media_type, OFS_MT_DOCKER_MANIFEST);
    assert_int_equal(
        ofs_manifest_decode(made->bytes, made->len, made->media_type, &m, &err),
        0);
    assert_int_equal(m.n_layers, 2);
    for (size_t i = 0; i < kept.n; i++) {
        if (ofs_digest_eq(&kept.digest[i], &m.config.digest))
            assert_memory_equal(kept.at[i].data, config, strlen(config));
        else if (ofs_digest_eq(&kept.digest[i], &m.layers[0].digest))
            assert_holds(&kept.at[i], one);
        else if (ofs_digest_eq(&kept.digest[i], &m.layers[1].digest))
            assert_holds(&kept.at[i], two);
        else
            fail_msg("blob %zu is in no manifest", i);
    }
    assert_int_equal(m.config.size, strlen(config));
}

static void an_image_gets_its_manifest(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;

    (void)state;
    make_image(&tar);
    assert_is_image(&tar);
}

static void a_packed_archive_is_the_same(void **state)
{
    static const char *const filters[] = { "gzip", "zstd" };
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;

    (void)state;
    make_image(&tar);
    for (size_t i = 0; i < OFS_COUNT_OF(filters); i++) {
        OFS_AUTOBUF struct ofs_buf packed = TAR_INIT;

        tar_pack(&tar, filters[i], &packed);
        assert_true(ofs_archive_is(packed.data, packed.len));
        assert_is_image(&packed);
    }
}

/* docker before 25: a directory for each layer, shared ones as links. */
static void the_old_form_works(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *config = make_config(one, two);

    (void)state;
    tar_header(&tar, "aaa/", '5', "", 0);
    tar_header(&tar, "aaa/layer.tar", '2', "../bbb/layer.tar", 0);
    tar_text(&tar, "aaa/json", "{}");
    tar_text(&tar, "bbb/layer.tar", one);
    tar_text(&tar, "bbb/VERSION", "1.0");
    tar_text(&tar, "ccc/real.tar", two);
    tar_header(&tar, "ccc/layer.tar", '1', "ccc/real.tar", 0);
    tar_text(&tar, "config.json", config);
    tar_text(&tar, "repositories", "{\"feas\":{\"1\":\"ccc\"}}");
    add_entry(&tar, "config.json", "null",
              "\"aaa/layer.tar\",\"ccc/layer.tar\"");
    tar_end(&tar);
    assert_is_image(&tar);
}

/* As kaniko, jib and crane have them. */
static void compressed_layers_stay_as_they_are(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf plain = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf gz = TAR_INIT;
    OFS_AUTOFREE char *config = make_config(one, two);
    OFS_AUTO(kept_done) struct kept kept = { 0 };

    (void)state;
    (void)ofs_buf_adds(&plain, one);
    tar_pack(&plain, "gzip", &gz);
    (void)ofs_buf_adds(&gz, "behind");
    tar_text(&tar, "config", config);
    tar_file(&tar, "1.tar.gz", gz.data, gz.len);
    tar_text(&tar, "2.tar", two);
    add_entry(&tar, "config", "[\"x:1\"]", "\"1.tar.gz\",\"2.tar\"");
    tar_end(&tar);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, NULL), 0);
    assert_int_equal(kept.at[1].len, gz.len);
    assert_memory_equal(kept.at[1].data, gz.data, gz.len);
}

/* An image may have the same layer twice. */
static void a_layer_is_sent_once(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *config = make_config(one, one);
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    const struct ofs_archive_manifest *made;

    (void)state;
    tar_text(&tar, "config", config);
    tar_text(&tar, "1.tar", one);
    tar_text(&tar, "2.tar", one);
    add_entry(&tar, "config", "[]", "\"1.tar\",\"2.tar\"");
    tar_end(&tar);
    assert_int_equal(unpack(&tar, "1.5", &kept, &a, NULL), 0);
    assert_int_equal(kept.n, 2);
    assert_int_equal(ofs_archive_manifests(a, &made), 1);
    assert_int_equal(
        ofs_manifest_decode(made->bytes, made->len, NULL, &m, NULL), 0);
    assert_int_equal(m.n_layers, 2);
    assert_true(ofs_digest_eq(&m.layers[0].digest, &m.layers[1].digest));
}

static void the_same_layer_gives_the_same_bytes(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTO(kept_done) struct kept first = { 0 };
    OFS_AUTO(kept_done) struct kept second = { 0 };

    (void)state;
    make_image(&tar);
    assert_int_equal(unpack(&tar, "1.5", &first, NULL, NULL), 0);
    assert_int_equal(unpack(&tar, "1.5", &second, NULL, NULL), 0);
    for (size_t i = 0; i < first.n; i++)
        assert_true(ofs_digest_eq(&first.digest[i], &second.digest[i]));
}

/* ---- what is refused ---- */

static const struct {
    const char *what;
    const char *first, *second; /* layers as they are in the archive */
    const char *config;         /* NULL: the right one, under a free name */
    const char *layers;         /* of manifest.json */
    int r;
    const char *says;
} rows[] = {
    { "right", one, two, NULL, "\"1\",\"2\"", 0, "" },
    { "damaged layer", one, "the SECOND one", NULL, "\"1\",\"2\"", -EBADMSG,
      "'2' of the archive is not sha256:" },
    { "swapped layers", one, two, NULL, "\"2\",\"1\"", -EBADMSG, "'1' of" },
    { "a layer too few", one, two, NULL, "\"1\"", -EINVAL,
      "1 layers, but the configuration knows 2" },
    { "a layer is not there", one, two, NULL, "\"1\",\"3\"", -EINVAL,
      "lacks '3'" },
    { "one file for two", one, two, NULL, "\"1\",\"1\"", -EBADMSG,
      "two digests" },
    { "xz", one,
      "\xfd"
      "7zXZ and so on",
      NULL, "\"1\",\"2\"", -EINVAL, "compressed with xz" },
    { "no rootfs", one, two, "{}", "\"1\",\"2\"", -EINVAL, "no 'rootfs'" },
    { "no JSON", one, two, "rootfs", "\"1\",\"2\"", -EINVAL, "is not JSON" },
    { "broken JSON", one, two, "{\"rootfs\":", "\"1\",\"2\"", -EINVAL, "" },
    { "diff_ids of another kind", one, two,
      "{\"rootfs\":{\"diff_ids\":[\"md5:1\",\"md5:2\"]}}", "\"1\",\"2\"",
      -EINVAL, "diff_id 'md5:1' is no sha256" },
};

static void what_does_not_fit_is_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
        OFS_AUTOFREE char *right = make_config(one, two);
        OFS_AUTO(kept_done) struct kept kept = { 0 };
        struct ofs_err err = { 0 };
        int r;

        tar_text(&tar, "config", rows[i].config ? rows[i].config : right);
        tar_text(&tar, "1", rows[i].first);
        tar_text(&tar, "2", rows[i].second);
        add_entry(&tar, "config", "[\"x:1\"]", rows[i].layers);
        tar_end(&tar);
        r = unpack(&tar, "1.5", &kept, NULL, &err);
        if (r != rows[i].r || r != err.code || !strstr(err.text, rows[i].says))
            fail_msg("%s: %d, %s", rows[i].what, r, err.text);
    }
}

/* What manifest.json may not be, whatever else is in the archive. */
static void a_wrong_list_of_images_is_refused(void **state)
{
    static const struct {
        const char *text;
        const char *says;
    } lists[] = {
        { "{}", "not a list" },
        { "[{\"Config\":\"none\",\"Layers\":[]}]", "lacks 'none'" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(lists); i++) {
        OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
        OFS_AUTO(kept_done) struct kept kept = { 0 };
        struct ofs_err err = { 0 };

        tar_text(&tar, "manifest.json", lists[i].text);
        tar_end(&tar);
        assert_int_equal(unpack(&tar, "1.5", &kept, NULL, &err), -EINVAL);
        if (!strstr(err.text, lists[i].says))
            fail_msg("%s: %s", lists[i].text, err.text);
    }
}

/* Cut at every place, a compressed layer is no layer. */
static void half_a_compressed_layer_is_refused(void **state)
{
    OFS_AUTOBUF struct ofs_buf plain = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf gz = TAR_INIT;

    (void)state;
    (void)ofs_buf_adds(&plain, one);
    tar_pack(&plain, "gzip", &gz);
    for (size_t len = 0; len < gz.len; len++) {
        OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
        OFS_AUTOFREE char *config = make_config(one, two);
        OFS_AUTO(kept_done) struct kept kept = { 0 };
        int r;

        tar_text(&tar, "config", config);
        tar_file(&tar, "1", gz.data, len);
        tar_text(&tar, "2", two);
        add_entry(&tar, "config", "null", "\"1\",\"2\"");
        tar_end(&tar);
        r = unpack(&tar, "1.5", &kept, NULL, NULL);
        if (r != -EINVAL && r != -EBADMSG)
            fail_msg("%zu of %zu bytes: %d", len, gz.len, r);
    }
}

static void a_configuration_has_the_digest_in_its_name(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTOFREE char *config = make_config(one, two);
    OFS_AUTO(kept_done) struct kept kept = { 0 };
    char hex[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *name =
        ofs_strf("%s.json", hex_of(config, strlen(config), hex));

    (void)state;
    config[2] ^= 1;
    tar_text(&tar, name, config);
    tar_text(&tar, "1", one);
    tar_text(&tar, "2", two);
    add_entry(&tar, name, "null", "\"1\",\"2\"");
    tar_end(&tar);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, NULL), -EBADMSG);
}

static void a_sink_that_fails_ends_it(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTO(kept_done) struct kept kept = { .fail_write = -ENOSPC };
    struct ofs_err err = { 0 };

    (void)state;
    make_image(&tar);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, &err), -ENOSPC);
    assert_string_equal(err.text, "the sink is full");
    assert_int_equal(kept.n_ended, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_image_gets_its_manifest),
        cmocka_unit_test(a_packed_archive_is_the_same),
        cmocka_unit_test(the_old_form_works),
        cmocka_unit_test(compressed_layers_stay_as_they_are),
        cmocka_unit_test(a_layer_is_sent_once),
        cmocka_unit_test(the_same_layer_gives_the_same_bytes),
        cmocka_unit_test(what_does_not_fit_is_refused),
        cmocka_unit_test(a_wrong_list_of_images_is_refused),
        cmocka_unit_test(half_a_compressed_layer_is_refused),
        cmocka_unit_test(a_configuration_has_the_digest_in_its_name),
        cmocka_unit_test(a_sink_that_fails_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
