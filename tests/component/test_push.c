/* SPDX-License-Identifier: Apache-2.0 */
#include "push_rig.h"

static void a_layout_becomes_a_tag(void **state)
{
    struct prig p;

    (void)state;
    prig_start(&p, NULL);
    assert_int_equal(prig_layout(&p, "prod/app"), 0);
    assert_true(prig_is_set(&p, "prod/app"));
    assert_int_equal(prig_pending(&p), 0);
    assert_int_equal(fake_registry_sessions(p.rig.fake), 0);
    /* The layer went over the wire once, while it was written. */
    assert_int_equal(rig_count(&p.rig, "PATCH *"), 1);
    prig_stop(&p);
}

static void what_is_there_already_is_not_sent_again(void **state)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct prig p;

    (void)state;
    prig_start(&p, NULL);
    assert_int_equal(prig_layout(&p, "app"), 0);
    fake_server_clear(p.rig.server);
    d = prig_write(&p, "app", &p.layer_digest, p.layer, PRIG_LAYER);
    assert_int_equal(
        ofs_push_blob(p.push, &p.rig.call, d, "app", &p.layer_digest, &p.err),
        0);
    ofs_draft_unref(ofs_take(&d));
    assert_int_equal(prig_tag(&p, "app"), 0);
    assert_int_equal(rig_count(&p.rig, "POST *"), 0);
    assert_int_equal(rig_count(&p.rig, "PUT *"), 0);
    prig_stop(&p);
}

static void a_copy_moves_no_layer(void **state)
{
    struct prig p;

    (void)state;
    prig_start(&p, NULL);
    assert_int_equal(prig_layout(&p, "a"), 0);
    fake_server_clear(p.rig.server);
    assert_int_equal(ofs_push_copy(p.push, &p.rig.call, "a", &p.digest,
                                   "stage/b", "1.5", &p.err),
                     0);
    assert_true(prig_is_set(&p, "stage/b"));
    assert_int_equal(rig_count(&p.rig, "GET */blobs/*"), 0);
    assert_int_equal(rig_count(&p.rig, "PATCH *"), 0);
    assert_int_equal(rig_count(&p.rig, "POST */blobs/uploads/*"), 2);
    p.where = "a";
    assert_int_equal(prig_tag(&p, "c"), 0);
    assert_true(prig_is_set(&p, "c"));
    assert_int_equal(rig_count(&p.rig, "GET */blobs/*"), 0);
    prig_stop(&p);
}

static void where_nothing_can_be_mounted_a_copy_is_an_upload(void **state)
{
    const struct rig_cfg cfg = { .fake = { .no_mounts = true } };
    struct prig p;

    (void)state;
    prig_start(&p, &cfg);
    assert_int_equal(prig_layout(&p, "a"), 0);
    assert_int_equal(
        ofs_push_copy(p.push, &p.rig.call, "a", &p.digest, "b", "1.5", &p.err),
        0);
    assert_true(prig_is_set(&p, "b"));
    prig_stop(&p);
}

/* What is asked to remember the tag, and to guard it, need not be asked again
 * (R17). */
static void a_tag_costs_three_requests(void **state)
{
    struct prig p;

    (void)state;
    prig_start(&p, NULL);
    assert_int_equal(prig_blob(&p, "app", p.layer, PRIG_LAYER), 0);
    assert_int_equal(prig_blob(&p, "app", p.config, strlen(p.config)), 0);
    fake_server_clear(p.rig.server);
    assert_int_equal(prig_tag(&p, "app"), 0);
    assert_true(prig_is_set(&p, "app"));
    assert_int_equal(rig_count(&p.rig, "HEAD */manifests/1.5"), 2);
    assert_int_equal(rig_count(&p.rig, "PUT */manifests/1.5"), 1);
    assert_int_equal(rig_count(&p.rig, "* */manifests/*"), 3);
    prig_stop(&p);
}

static void what_is_nowhere_is_named(void **state)
{
    struct prig p;

    (void)state;
    prig_start(&p, NULL);
    assert_int_equal(prig_tag(&p, "app"), -ENOENT);
    assert_non_null(strstr(p.err.text, "sha256:"));
    assert_false(prig_is_set(&p, "app"));
    assert_int_equal(prig_pending(&p), 0);
    prig_stop(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layout_becomes_a_tag),
        cmocka_unit_test(what_is_there_already_is_not_sent_again),
        cmocka_unit_test(a_copy_moves_no_layer),
        cmocka_unit_test(where_nothing_can_be_mounted_a_copy_is_an_upload),
        cmocka_unit_test(a_tag_costs_three_requests),
        cmocka_unit_test(what_is_nowhere_is_named),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
