/* SPDX-License-Identifier: Apache-2.0 */
/* What the control plane's list of images saves, and what it must not spoil. */
#include "ocir_rig.h"

#define IMAGES    "GET /20160918/container/images"
#define MANIFESTS "GET /v2/ns/app/manifests/*"
#define HEADS     "HEAD /v2/ns/app/manifests/*"
#define BLOBS     "GET /v2/ns/app/blobs/*"

enum { PUSHED_S = 1772746300 }; /* 2026-03-05T21:31:40Z */

struct tags {
    struct ofs_digest digest[3];
};

static const char *const names[] = { "a", "b", "c" };

static void seed(struct fake_oracle *cloud, struct fake_registry *fake)
{
    (void)fake;
    fake_oracle_repository(cloud, "app", FAKE_ORACLE_TENANCY);
}

/* The list of images says that names[i] is digest[i]. */
static void list_says(struct orig *o, const struct tags *tags)
{
    OFS_AUTOBUF struct ofs_buf body = OFS_BUF_INIT(4096);
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_adds(&body, "{\"items\":[");
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++)
        (void)ofs_buf_addf(
            &body,
            "%s{\"id\":\"ocid1.i.%zu\",\"compartmentId\":\"x\",\"digest\":"
            "\"%s\",\"displayName\":\"app:%s\",\"repositoryId\":"
            "\"ocid1.r.app\",\"repositoryName\":\"app\",\"version\":\"%s\","
            "\"lifecycleState\":\"AVAILABLE\","
            "\"timeCreated\":\"2026-03-05T21:31:40Z\"}",
            i ? "," : "", i, ofs_digest_format(&tags->digest[i], text),
            names[i], names[i]);
    (void)ofs_buf_adds(&body, "]}");
    fake_server_canned(o->server, IMAGES, 200,
                       "Content-Type: application/json\r\n",
                       ofs_buf_str(&body));
}

static void begin(struct orig *o, struct tags *tags)
{
    orig_start(o, &(struct orig_cfg){ .seed = seed });
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++)
        tags->digest[i] =
            fake_registry_image(o->t.fake, "ns/app", names[i], i + 1, 1, 100)
                .manifest;
    list_says(o, tags);
}

static void stat_all(struct orig *o)
{
    trig_ls_is(&o->t, "/app", "a b blobs c index.json oci-layout");
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++) {
        char path[32];

        (void)snprintf(path, sizeof(path), "/app/%s", names[i]);
        assert_int_equal(trig_stat(&o->t, path).attr.mtime_s, PUSHED_S);
    }
}

static void the_time_of_a_push_needs_no_configuration(void **state)
{
    struct tags tags;
    ORIG_AUTO struct orig o;

    (void)state;
    begin(&o, &tags);
    stat_all(&o);
    assert_int_equal(trig_count(&o.t, BLOBS), 0);
    assert_int_equal(trig_count(&o.t, MANIFESTS), 3);
    assert_int_equal(orig_count(&o, IMAGES), 1);
}

static void a_list_confirms_many_tags_at_once(void **state)
{
    struct tags tags;
    ORIG_AUTO struct orig o;

    (void)state;
    begin(&o, &tags);
    stat_all(&o);
    trig_pass(&o.t, TRIG_TTL_MS);
    trig_clear(&o.t);
    stat_all(&o);
    /* The first one alone does not tell that all are wanted. */
    assert_true(trig_count(&o.t, HEADS) + trig_count(&o.t, MANIFESTS) <= 1);
}

/* proves S26: the list of images is older than the registry. */
static void a_list_that_lags_does_not_move_a_tag_back(void **state)
{
    struct tags tags;
    struct ofs_digest moved;
    ORIG_AUTO struct orig o;

    (void)state;
    begin(&o, &tags);
    stat_all(&o);
    moved = fake_registry_image(o.t.fake, "ns/app", "b", 9, 1, 100).manifest;
    /* Whoever opens it is told by the registry, however fresh the list. */
    trig_pass(&o.t, TRIG_TTL_MS);
    (void)trig_stat(&o.t, "/app/a");
    (void)trig_stat(&o.t, "/app/c");
    trig_reads(&o.t, "/app/b", &moved);
    /* And then the list is not believed any more. */
    trig_pass(&o.t, TRIG_TTL_MS);
    trig_ls_is(&o.t, "/app", "a b blobs c index.json oci-layout");
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++) {
        char path[32];

        (void)snprintf(path, sizeof(path), "/app/%s", names[i]);
        (void)trig_stat(&o.t, path);
    }
    trig_reads(&o.t, "/app/b", &moved);
}

static void without_the_list_times_are_those_of_images(void **state)
{
    struct tags tags;
    ORIG_AUTO struct orig o;

    (void)state;
    begin(&o, &tags);
    orig_refuse(&o, IMAGES, 404, "NotAuthorizedOrNotFound");
    assert_int_equal(trig_stat(&o.t, "/app/a").attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(trig_stat(&o.t, "/app/b").attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(orig_count(&o, IMAGES), 1);
    assert_int_equal(o.n_warned, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_time_of_a_push_needs_no_configuration),
        cmocka_unit_test(a_list_confirms_many_tags_at_once),
        cmocka_unit_test(a_list_that_lags_does_not_move_a_tag_back),
        cmocka_unit_test(without_the_list_times_are_those_of_images),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
