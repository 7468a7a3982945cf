/* SPDX-License-Identifier: Apache-2.0 */
/* One image that cannot be had, and the others of its repository. */
#include "tree_rig.h"

#define NAMES "bad blobs good index.json oci-layout"

/* What of the image "bad" cannot be had. */
enum part { CONFIG, CHILD, MANIFEST, PARTS };

struct pair {
    struct fake_image good, bad;
    struct ofs_digest tagged; /* by "bad": bad.manifest, or an index of it */
};

static struct pair fill(struct trig *t, enum part part)
{
    struct pair p = {
        .good = fake_registry_image(t->fake, "app", "good", 1, 1, 100),
        .bad = fake_registry_image(t->fake, "app", "bad", 10, 1, 100),
    };

    p.tagged = p.bad.manifest;
    if (part == CHILD)
        p.tagged = trig_index(t, "app", "bad", &p.bad, 1);
    return p;
}

static void break_part(struct trig *t, const struct pair *p, enum part part,
                       const struct fake_fault *fault)
{
    const struct ofs_digest *digest =
        part == CONFIG ? &p->bad.config : &p->bad.manifest;
    struct fake_fault f = *fault;
    char text[OFS_DIGEST_TEXT_MAX], match[256];

    (void)snprintf(match, sizeof(match), "* /v2/app/*/%s",
                   ofs_digest_format(digest, text));
    f.match = match;
    fake_server_fault(t->server, &f);
    if (part != MANIFEST)
        return;
    f.match = "* /v2/app/manifests/bad";
    fake_server_fault(t->server, &f);
}

static bool index_has(struct trig *t, const char *tag)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    OFS_AUTOFREE char *word = ofs_strf("\"%s\"", tag);
    int r = trig_read(t, "app/index.json", &b);

    if (r < 0)
        fail_msg("index.json: %d %s", r, t->err.text);
    return strstr(ofs_buf_str(&b), word) != NULL;
}

static bool blobs_have(struct trig *t, const struct ofs_digest *d)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    char text[OFS_DIGEST_TEXT_MAX];
    int r = trig_list(t, "app/blobs/sha256", &names);

    if (r < 0)
        fail_msg("blobs: %d %s", r, t->err.text);
    return ofs_strv_has(&names, trig_hex(d, text));
}

/* All of the good one is as if it were alone. */
static void good_is_whole(struct trig *t, const struct pair *p)
{
    char path[512];

    trig_ls_is(t, "app", NAMES);
    assert_true(index_has(t, "good"));
    trig_reads(t, "app/good", &p->good.manifest);
    assert_true(blobs_have(t, &p->good.config));
    assert_true(blobs_have(t, &p->good.manifest));
    assert_true(blobs_have(t, &p->good.layers[0]));
    trig_reads(t, trig_blob_path("app", &p->good.layers[0], path),
               &p->good.layers[0]);
}

static unsigned of_bad(struct trig *t, const struct pair *p, enum part part)
{
    const struct ofs_digest *digest =
        part == CONFIG ? &p->bad.config : &p->bad.manifest;
    char text[OFS_DIGEST_TEXT_MAX], match[256];

    (void)snprintf(match, sizeof(match), "* /v2/app/*/%s",
                   ofs_digest_format(digest, text));
    return trig_count(t, match) + trig_count(t, "* /v2/app/manifests/bad");
}

/* proves S100 */
static void check(enum part part, const struct fake_fault *fault)
{
    TRIG_AUTO struct trig t;
    struct pair p;
    struct ofs_entry e;
    int r;

    trig_start(&t, NULL);
    p = fill(&t, part);
    break_part(&t, &p, part, fault);
    good_is_whole(&t, &p);
    r = trig_walk(&t, "app/bad", &e);
    assert_int_equal(index_has(&t, "bad"), part != MANIFEST);
    assert_int_equal(r == 0, part != MANIFEST);
    if (part != MANIFEST)
        trig_reads(&t, "app/bad", &p.tagged);
    if (r < 0)
        assert_true(t.err.text[0] != '\0');
    /* Once, and then nobody asks for a while. */
    trig_clear(&t);
    for (int i = 0; i < 3; i++) {
        good_is_whole(&t, &p);
        (void)trig_walk(&t, "app/bad", &e);
    }
    assert_int_equal(of_bad(&t, &p, part), 0);
    if (fault->n == 404 && part == CHILD)
        return; /* not copied along: nothing is wrong */
    assert_true(trig_told(&t, "'app'") >= 1);
    assert_int_equal(trig_told(&t, "left out"), part == MANIFEST);
    assert_int_equal(trig_told(&t, "has no date"), part != MANIFEST);
}

static void one_image_that_cannot_be_had_hides_no_other(void **state)
{
    static const struct fake_fault faults[] = {
        { .kind = FAKE_STATUS, .n = 500, .text = "{}" },
        { .kind = FAKE_STATUS, .n = 403, .text = "{}" },
        { .kind = FAKE_STATUS, .n = 412, .text = "{}" },
        { .kind = FAKE_STATUS, .n = 503, .text = "{}" },
        { .kind = FAKE_STATUS, .n = 400, .text = "{}" },
        { .kind = FAKE_RESET_NOW },
    };

    (void)state;
    for (enum part part = 0; part < PARTS; part++)
        for (size_t i = 0; i < OFS_COUNT_OF(faults); i++)
            check(part, &faults[i]);
}

static void what_is_missing_hides_no_other(void **state)
{
    const struct fake_fault gone = { .kind = FAKE_STATUS,
                                     .n = 404,
                                     .text = "{}" };

    (void)state;
    check(CONFIG, &gone);
    check(CHILD, &gone);
}

/* A slow one costs a part of the time that a caller has, once. */
static void a_slow_image_hides_no_other(void **state)
{
    const struct fake_fault stall = { .kind = FAKE_STALL };

    (void)state;
    for (enum part part = 0; part < PARTS; part++) {
        TRIG_AUTO struct trig t;
        struct pair p;

        trig_start(&t, NULL);
        p = fill(&t, part);
        break_part(&t, &p, part, &stall);
        t.call.deadline_ms = ofs_mono_ms() + 8000;
        assert_true(index_has(&t, "good"));
        assert_int_equal(index_has(&t, "bad"), part != MANIFEST);
        t.call.deadline_ms = ofs_mono_ms() + 8000;
        good_is_whole(&t, &p);
        fake_server_release(t.server);
    }
}

/* It is asked for again, and what is well is shown again. */
static void what_is_well_again_is_shown_again(void **state)
{
    TRIG_AUTO struct trig t;
    const struct fake_fault fault = { .kind = FAKE_STATUS,
                                      .n = 500,
                                      .text = "{}" };
    struct pair p;

    (void)state;
    for (enum part part = 0; part < PARTS; part++) {
        trig_start(&t, NULL);
        p = fill(&t, part);
        break_part(&t, &p, part, &fault);
        good_is_whole(&t, &p);
        fake_server_no_faults(t.server);
        trig_pass(&t, TRIG_TTL_MS);
        assert_true(index_has(&t, "bad"));
        assert_true(blobs_have(&t, &p.bad.layers[0]));
        trig_reads(&t, "app/bad", &p.tagged);
        assert_int_equal(trig_stat(&t, "app/bad").attr.mtime_s, TRIG_CREATED_S);
        good_is_whole(&t, &p);
        if (part + 1 < PARTS)
            trig_stop(&t);
    }
}

/* proves S101 */
static void where_all_is_refused_nothing_is_shown_as_empty(void **state)
{
    static const int codes[][2] = { { 403, -EACCES }, { 500, -EIO } };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(codes); i++) {
        TRIG_AUTO struct trig t;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };
        struct ofs_entry e;

        trig_start(&t, NULL);
        (void)fill(&t, MANIFEST);
        fake_server_fault(t.server, &(struct fake_fault){
                                        .match = "* /v2/app/manifests/*",
                                        .kind = FAKE_STATUS,
                                        .n = codes[i][0],
                                        .text = "{}",
                                    });
        assert_int_equal(trig_walk(&t, "app/index.json", &e), codes[i][1]);
        assert_true(t.err.text[0] != '\0');
        assert_int_equal(trig_list(&t, "app/blobs/sha256", &names),
                         codes[i][1]);
        trig_ls_is(&t, "app", NAMES);
    }
}

/* The reason is where users look: at the name, and at its directory. */
static void why_is_told_at_the_name(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    const struct fake_fault fault = {
        .kind = FAKE_STATUS,
        .n = 403,
        .text = "{\"errors\":[{\"code\":\"DENIED\",\"message\":\"12 holes\"}]}",
    };
    struct pair p;

    (void)state;
    trig_start(&t, NULL);
    p = fill(&t, CONFIG);
    break_part(&t, &p, CONFIG, &fault);
    good_is_whole(&t, &p);
    assert_int_equal(ofs_tree_getxattr(t.tree, &t.call,
                                       trig_stat(&t, "app").attr.ino,
                                       "user.ocirfs.error", &b, &t.err),
                     0);
    assert_non_null(strstr(ofs_buf_str(&b), "'bad' of 'app' has no date"));
    assert_non_null(strstr(ofs_buf_str(&b), "12 holes"));
    assert_int_equal(trig_told(&t, "12 holes"), 1);
}

/* As buildkit writes its caches: layers and their list, in an index. */
static struct ofs_digest cache_of(struct trig *t, const struct fake_image *img)
{
    static const char *const types[] = {
        "application/vnd.oci.image.layer.v1.tar+zstd",
        "application/vnd.oci.image.layer.v1.tar+gzip",
        "application/vnd.buildkit.cacheconfig.v0",
    };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_adds(&b, "{\"schemaVersion\":2,\"mediaType\":"
                           "\"" OFS_MT_OCI_INDEX "\",\"manifests\":[");
    for (size_t i = 0; i < OFS_COUNT_OF(types); i++)
        (void)ofs_buf_addf(&b,
                           "%s{\"mediaType\":\"%s\",\"digest\":\"%s\","
                           "\"size\":100}",
                           i ? "," : "", types[i],
                           ofs_digest_format(&img->layers[i], text));
    (void)ofs_buf_adds(&b, "]}");
    return trig_manifest(t, "app", "bad", OFS_MT_OCI_INDEX, ofs_buf_str(&b));
}

/* proves S102 */
static void what_an_index_names_by_a_blobs_type_is_a_blob(void **state)
{
    TRIG_AUTO struct trig t;
    struct pair p;
    struct ofs_digest cache;
    struct fake_image img;
    char path[512];

    (void)state;
    trig_start(&t, NULL);
    p = fill(&t, MANIFEST);
    img = fake_registry_image(t.fake, "app", NULL, 20, 3, 100);
    cache = cache_of(&t, &img);
    good_is_whole(&t, &p);
    trig_reads(&t, "app/bad", &cache);
    assert_true(index_has(&t, "bad"));
    for (int i = 0; i < 3; i++) {
        char text[OFS_DIGEST_TEXT_MAX], match[256];

        assert_true(blobs_have(&t, &img.layers[i]));
        trig_reads(&t, trig_blob_path("app", &img.layers[i], path),
                   &img.layers[i]);
        (void)snprintf(match, sizeof(match), "* /v2/app/manifests/%s",
                       ofs_digest_format(&img.layers[i], text));
        assert_int_equal(trig_count(&t, match), 0);
    }
    assert_int_equal(trig_told(&t, "app"), 0);
}

/* proves S103 */
static void what_can_be_read_of_an_odd_manifest_is_shown(void **state)
{
    TRIG_AUTO struct trig t;
    OFS_AUTOBUF struct ofs_buf json = OFS_BUF_INIT(4096);
    OFS_AUTOBUF struct ofs_buf read = OFS_BUF_INIT(4096);
    char text[OFS_DIGEST_TEXT_MAX], path[512];
    struct pair p;

    (void)state;
    trig_start(&t, NULL);
    p = fill(&t, MANIFEST);
    (void)ofs_buf_addf(&json,
                       "{\"schemaVersion\":\"2\",\"layers\":["
                       "{\"digest\":\"%s\",\"size\":-1},"
                       "{\"digest\":\"blake3:00\",\"size\":5}]}",
                       ofs_digest_format(&p.bad.layers[0], text));
    (void)trig_manifest(&t, "app", "bad", OFS_MT_OCI_MANIFEST,
                        ofs_buf_str(&json));
    good_is_whole(&t, &p);
    assert_true(index_has(&t, "bad"));
    assert_int_equal(trig_read(&t, "app/bad", &read), 0);
    assert_string_equal(ofs_buf_str(&read), ofs_buf_str(&json));
    assert_true(blobs_have(&t, &p.bad.layers[0]));
    trig_reads(&t, trig_blob_path("app", &p.bad.layers[0], path),
               &p.bad.layers[0]);
    assert_int_equal(trig_told(&t, "is not complete"), 1);
    assert_int_equal(trig_told(&t, "layers[1]"), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_image_that_cannot_be_had_hides_no_other),
        cmocka_unit_test(what_is_missing_hides_no_other),
        cmocka_unit_test(a_slow_image_hides_no_other),
        cmocka_unit_test(what_is_well_again_is_shown_again),
        cmocka_unit_test(where_all_is_refused_nothing_is_shown_as_empty),
        cmocka_unit_test(why_is_told_at_the_name),
        cmocka_unit_test(what_an_index_names_by_a_blobs_type_is_a_blob),
        cmocka_unit_test(what_can_be_read_of_an_odd_manifest_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
