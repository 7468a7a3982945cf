/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#define MANIFEST "* /v2/a/b/manifests/*"
#define BLOB     "* /v2/a/b/blobs/*"
#define TAGS     "* /v2/a/b/tags/*"

enum { MIB = 1024 * 1024 };

static const struct rig_cfg with_mirror = { .mirror = true };

static unsigned mirror_count(struct rig *rig, const char *match)
{
    return fake_server_count(rig->mirror_server, match);
}

static void mirror_fault(struct rig *rig, const char *match, unsigned nth,
                         enum fake_fault_kind kind, int64_t n)
{
    fake_server_fault(rig->mirror_server,
                      &(struct fake_fault){
                          .match = match, .nth = nth, .kind = kind, .n = n });
}

/* The same image in both. */
static struct rig_blob image_in_both(struct rig *rig)
{
    struct fake_image image =
        fake_registry_image(rig->fake, "a/b", "1.0", 1, 1, MIB);

    (void)fake_registry_image(rig->fake_mirror, "a/b", "1.0", 1, 1, MIB);
    return (struct rig_blob){
        .repo = "a/b", .digest = image.layers[0], .seed = 1, .size = MIB
    };
}

static int head(struct rig *rig)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };

    return ofs_registry_manifest_head(rig->r, &rig->call, "a/b", "1.0", &info,
                                      &rig->err);
}

static int get(struct rig *rig)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };

    return ofs_registry_manifest_get(rig->r, &rig->call, "a/b", "1.0", &info,
                                     &rig->err);
}

static int tags(struct rig *rig, size_t *ret_n)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    int r = ofs_registry_tags(rig->r, &rig->call, "a/b", &names, &rig->err);

    *ret_n = names.n;
    return r;
}

static void what_the_mirror_has_the_source_is_not_asked_for(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    uint64_t size;
    size_t n;

    (void)state;
    rig_start(&rig, &with_mirror);
    blob = image_in_both(&rig);
    assert_int_equal(head(&rig), 0);
    assert_int_equal(get(&rig), 0);
    assert_int_equal(tags(&rig, &n), 0);
    assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
    assert_int_equal(ofs_registry_blob_head(rig.r, &rig.call, "a/b",
                                            &blob.digest, &size, &rig.err),
                     0);
    assert_int_equal(mirror_count(&rig, "* *"), 5);
    assert_int_equal(rig_count(&rig, "* *"), 0);
}

static void what_it_lacks_comes_from_the_source(void **state)
{
    RIG_AUTO struct rig rig;
    struct fake_image image;
    struct rig_blob blob;
    size_t n;

    (void)state;
    rig_start(&rig, &with_mirror);
    image = fake_registry_image(rig.fake, "a/b", "1.0", 1, 1, MIB);
    blob = (struct rig_blob){ "a/b", image.layers[0], 1, MIB };
    assert_int_equal(get(&rig), 0);
    assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
    assert_int_equal(tags(&rig, &n), 0);
    assert_int_equal(n, 1);
    assert_int_equal(mirror_count(&rig, "* *"), 3);
    assert_int_equal(rig_count(&rig, "* *"), 3);
}

/* What the mirror answers to everything. */
static const struct {
    enum fake_fault_kind kind;
    int64_t n;
    const char *text;
} answers[] = {
    { FAKE_STATUS, 404, NULL },
    { FAKE_STATUS, 403, NULL },
    { FAKE_STATUS, 429, NULL },
    { FAKE_STATUS, 500, NULL },
    { FAKE_STATUS, 503, NULL },
    { FAKE_STATUS, 204, NULL },
    { FAKE_CHALLENGE, 0, "Basic realm=\"x\"" },
    { FAKE_RESET_NOW, 0, NULL },
    { FAKE_RESET_AFTER, 3, NULL },
    { FAKE_SHORT_BODY, 3, NULL },
    { FAKE_WRONG_DIGEST, 3, NULL },
    { FAKE_BODY, 0, "<html>" },
    { FAKE_HUGE, 0, NULL },
    { FAKE_REDIRECT, 0, "/v2/a/b/nowhere" },
};

static void a_mirror_that_answers_badly_is_passed_over(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(answers); i++) {
        RIG_AUTO struct rig rig;
        struct rig_blob blob;
        struct fake_fault fault = {
            .match = "GET *",
            .kind = answers[i].kind,
            .n = answers[i].n,
            .text = answers[i].text,
        };
        size_t n;

        rig_start(&rig, &with_mirror);
        blob = image_in_both(&rig);
        fake_server_fault(rig.mirror_server, &fault);
        if (get(&rig) != 0)
            fail_msg("row %zu: manifest: %s", i, rig.err.text);
        /* A flipped byte of a list or a range is not for us to see. */
        if (answers[i].kind == FAKE_WRONG_DIGEST)
            continue;
        if (tags(&rig, &n) != 0 || n != 1)
            fail_msg("row %zu: tags: %s", i, rig.err.text);
        if (rig_read(&rig, &blob, 5, 1000) != 0)
            fail_msg("row %zu: blob: %s", i, rig.err.text);
        /* Asked once for each thing, and not retried: at most three times
         * for the parts of a blob. */
        if (answers[i].kind != FAKE_REDIRECT)
            assert_in_range(mirror_count(&rig, "GET *"), 3, 5);
    }
}

static void a_read_that_breaks_goes_on_at_the_source(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    OFS_AUTOFREE char *range = NULL;

    (void)state;
    rig_start(&rig, &with_mirror);
    blob = image_in_both(&rig);
    mirror_fault(&rig, BLOB, 1, FAKE_RESET_AFTER, 700000);
    mirror_fault(&rig, BLOB, 2, FAKE_STATUS, 404);
    assert_int_equal(rig_read(&rig, &blob, 10, MIB - 10), 0);
    assert_int_equal(mirror_count(&rig, BLOB), 2);
    assert_int_equal(rig_count(&rig, BLOB), 1);
    range =
        fake_request_header(fake_server_request(rig.server, BLOB, 0), "Range");
    assert_non_null(range);
    assert_null(strstr(range, "bytes=10-"));
}

/* As a pull-through mirror does with what it does not have yet. */
static void a_mirror_that_sends_far_too_much_is_passed_over(void **state)
{
    enum { SIZE = 12 * MIB };
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &with_mirror);
    blob = rig_seeded(&rig, 1, SIZE);
    (void)fake_registry_seeded(rig.fake_mirror, "a/b", 1, SIZE);
    mirror_fault(&rig, BLOB, 0, FAKE_WHOLE_FOR_RANGE, 0);
    assert_int_equal(rig_read(&rig, &blob, 8 * MIB, 4096), 0);
    assert_int_equal(mirror_count(&rig, BLOB), 1);
    assert_int_equal(rig_count(&rig, BLOB), 1);
    assert_true(fake_server_body_bytes(rig.server) <= 4096);
    /* It is known by now, and not asked again for what is far. */
    assert_int_equal(rig_read(&rig, &blob, 9 * MIB, 4096), 0);
    assert_int_equal(mirror_count(&rig, BLOB), 1);
    assert_int_equal(rig_count(&rig, BLOB), 2);
    /* What is near it may still send. */
    assert_int_equal(rig_read(&rig, &blob, MIB, 4096), 0);
    assert_int_equal(mirror_count(&rig, BLOB), 2);
    assert_int_equal(rig_count(&rig, BLOB), 2);
    fake_server_no_faults(rig.mirror_server);
    assert_int_equal(rig_read(&rig, &blob, 5, 4096), 0);
    assert_int_equal(rig_read(&rig, &blob, 9 * MIB, 4096), 0);
    assert_int_equal(mirror_count(&rig, BLOB), 4);
}

static void a_mirror_may_be_passed_over_on_request(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    OFS_AUTO(rig_bytes_done) struct rig_bytes b = { 0 };
    struct ofs_blob_range range;

    (void)state;
    rig_start(&rig, &with_mirror);
    blob = image_in_both(&rig);
    range = (struct ofs_blob_range){
        .repo = "a/b", .digest = &blob.digest, .size = MIB, .len = 100
    };
    b.room = 100;
    b.data = malloc(100);
    assert_int_equal(ofs_registry_blob_read(rig.r, &rig.call, &range, rig_sink,
                                            &b, &rig.err),
                     0);
    assert_int_equal(mirror_count(&rig, "* *"), 0);
}

static void a_sink_that_fails_is_not_fed_by_the_source(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTO(rig_bytes_done)
    struct rig_bytes b = { .refuse_at = 1000, .refuse_code = -EIO };
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &with_mirror);
    blob = image_in_both(&rig);
    assert_int_equal(rig_read_to(&rig, &blob, 0, MIB, &b), -EIO);
    assert_int_equal(rig_count(&rig, "* *"), 0);
}

static void half_a_list_of_the_mirror_is_forgotten(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, &with_mirror);
    (void)image_in_both(&rig);
    (void)fake_registry_image(rig.fake_mirror, "a/b", "zzz", 1, 1, 10);
    fake_server_fault(rig.mirror_server,
                      &(struct fake_fault){ .match = TAGS,
                                            .nth = 1,
                                            .kind = FAKE_SET_HEADER,
                                            .text = "Link: <?last=zzz>; "
                                                    "rel=next" });
    mirror_fault(&rig, TAGS, 2, FAKE_STATUS, 500);
    assert_int_equal(
        ofs_registry_tags(rig.r, &rig.call, "a/b", &names, &rig.err), 0);
    assert_int_equal(names.n, 1);
    assert_string_equal(names.at[0], "1.0");
}

struct test_clock {
    struct ofs_clock clock;
    _Atomic int64_t now_ms;
};

static int64_t test_now(const struct ofs_clock *clock)
{
    return ((const struct test_clock *)(const void *)clock)->now_ms;
}

static void a_mirror_that_is_down_is_left_alone_for_a_while(void **state)
{
    struct test_clock clock = { .clock.mono_ms = test_now, .now_ms = 1000000 };
    struct rig_cfg cfg = { .mirror = true, .clock = &clock.clock };
    RIG_AUTO struct rig rig;

    (void)state;
    rig_start(&rig, &cfg);
    (void)image_in_both(&rig);
    fake_server_down(rig.mirror_server);
    assert_int_equal(get(&rig), 0);
    fake_server_up(rig.mirror_server);
    assert_int_equal(get(&rig), 0);
    assert_int_equal(mirror_count(&rig, MANIFEST), 0);
    clock.now_ms += 29999;
    assert_int_equal(get(&rig), 0);
    assert_int_equal(mirror_count(&rig, MANIFEST), 0);
    assert_int_equal(rig_count(&rig, MANIFEST), 3);
    clock.now_ms += 1;
    assert_int_equal(get(&rig), 0);
    assert_int_equal(mirror_count(&rig, MANIFEST), 1);
    assert_int_equal(rig_count(&rig, MANIFEST), 3);
}

static void a_mirror_that_hangs_leaves_time_for_the_source(void **state)
{
    RIG_AUTO struct rig rig;
    int64_t begun;

    (void)state;
    rig_start(&rig, &with_mirror);
    (void)image_in_both(&rig);
    mirror_fault(&rig, MANIFEST, 0, FAKE_STALL, 0);
    begun = ofs_mono_ms();
    rig.call.deadline_ms = begun + 3000;
    assert_int_equal(get(&rig), 0);
    assert_in_range(ofs_mono_ms() - begun, 1400, 2900);
    /* It waited long enough to know, so the next one does not wait. */
    begun = ofs_mono_ms();
    rig.call.deadline_ms = begun + 3000;
    assert_int_equal(get(&rig), 0);
    assert_true(ofs_mono_ms() - begun < 1000);
}

static void the_catalog_comes_from_the_source_alone(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, &with_mirror);
    fake_registry_repo(rig.fake, "a");
    fake_registry_repo(rig.fake_mirror, "b");
    assert_int_equal(ofs_registry_catalog(rig.r, &rig.call, &names, &rig.err),
                     0);
    assert_int_equal(names.n, 1);
    assert_string_equal(names.at[0], "a");
    assert_int_equal(mirror_count(&rig, "* *"), 0);
}

static void tokens_of_the_source_do_not_go_to_the_mirror(void **state)
{
    const struct rig_cfg cfg = {
        .mirror = true,
        .fake = { .auth = FAKE_AUTH_BEARER },
    };
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &cfg);
    (void)fake_registry_image(rig.fake, "a/b", "1.0", 1, 1, MIB);
    assert_int_equal(get(&rig), 0);
    blob = image_in_both(&rig);
    assert_int_equal(get(&rig), 0);
    assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
    for (unsigned i = 0; i < mirror_count(&rig, "* *"); i++)
        assert_int_equal(
            fake_request_has(fake_server_request(rig.mirror_server, "* *", i),
                             "Authorization"),
            0);
    assert_true(fake_registry_tokens(rig.fake) >= 1);
}

static void when_both_fail_the_sources_words_are_told(void **state)
{
    RIG_AUTO struct rig rig;

    (void)state;
    rig_start(&rig, &with_mirror);
    fake_registry_repo(rig.fake, "a/b");
    mirror_fault(&rig, MANIFEST, 0, FAKE_STATUS, 500);
    assert_int_equal(get(&rig), -ENOENT);
    assert_string_equal(rig.err.id, "MANIFEST_UNKNOWN");
}

static void a_mirror_serves_while_the_source_is_down(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &with_mirror);
    blob = image_in_both(&rig);
    fake_server_down(rig.server);
    assert_int_equal(get(&rig), 0);
    assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_the_mirror_has_the_source_is_not_asked_for),
        cmocka_unit_test(what_it_lacks_comes_from_the_source),
        cmocka_unit_test(a_mirror_that_answers_badly_is_passed_over),
        cmocka_unit_test(a_read_that_breaks_goes_on_at_the_source),
        cmocka_unit_test(a_mirror_that_sends_far_too_much_is_passed_over),
        cmocka_unit_test(a_mirror_may_be_passed_over_on_request),
        cmocka_unit_test(a_sink_that_fails_is_not_fed_by_the_source),
        cmocka_unit_test(half_a_list_of_the_mirror_is_forgotten),
        cmocka_unit_test(a_mirror_that_is_down_is_left_alone_for_a_while),
        cmocka_unit_test(a_mirror_that_hangs_leaves_time_for_the_source),
        cmocka_unit_test(the_catalog_comes_from_the_source_alone),
        cmocka_unit_test(tokens_of_the_source_do_not_go_to_the_mirror),
        cmocka_unit_test(when_both_fail_the_sources_words_are_told),
        cmocka_unit_test(a_mirror_serves_while_the_source_is_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
