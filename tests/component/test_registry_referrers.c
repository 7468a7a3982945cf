/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"

#define API "GET /v2/a/b/referrers/*"
#define TAG "GET /v2/a/b/manifests/sha256-*"
#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const char none[] = "{\"schemaVersion\":2,\"mediaType\":"
                           "\"" OFS_MT_OCI_INDEX "\",\"manifests\":[]}";

struct answer {
    struct ofs_buf json;
    struct ofs_manifest m;
};

static void answer_done(struct answer *a)
{
    ofs_buf_done(&a->json);
    ofs_manifest_done(&a->m);
}

#define ANSWER_AUTO OFS_AUTO(answer_done)

static struct ofs_digest subject(void)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_parse("sha256:" HEX, &d, NULL), 0);
    return d;
}

static int ask(struct rig *rig, struct answer *ret)
{
    struct ofs_digest d = subject();
    int r;

    ofs_buf_init(&ret->json, OFS_MANIFEST_MAX_BYTES);
    r = ofs_registry_referrers(rig->r, &rig->call, "a/b", &d, &ret->json,
                               &rig->err);
    if (r == 0)
        assert_int_equal(ofs_manifest_decode(ret->json.data, ret->json.len,
                                             NULL, &ret->m, &rig->err),
                         0);
    return r;
}

static void refer(struct rig *rig, char first)
{
    struct ofs_digest d = subject();
    OFS_AUTOFREE char *json =
        ofs_strf("{\"mediaType\":\"" OFS_MT_OCI_MANIFEST "\",\"digest\":"
                 "\"sha256:%c%s\",\"size\":9,\"artifactType\":\"x/sbom\","
                 "\"annotations\":{\"k\":\"%c\"}}",
                 first, &HEX[1], first);

    assert_non_null(json);
    fake_registry_referrer(rig->fake, "a/b", &d, json);
}

static void one_page_is_given_as_it_came(void **state)
{
    RIG_AUTO struct rig rig;
    ANSWER_AUTO struct answer a = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    refer(&rig, 'b');
    refer(&rig, 'c');
    assert_int_equal(ask(&rig, &a), 0);
    assert_int_equal(a.m.n_layers, 2);
    assert_string_equal(a.m.layers[0].artifact_type, "x/sbom");
    assert_int_equal(rig_count(&rig, "* *"), 1);
}

static void pages_become_one_index(void **state)
{
    const struct rig_cfg cfg = { .fake = { .page = 2 } };
    RIG_AUTO struct rig rig;
    ANSWER_AUTO struct answer a = { 0 };

    (void)state;
    rig_start(&rig, &cfg);
    for (char c = 'b'; c <= 'f'; c++)
        refer(&rig, c);
    assert_int_equal(ask(&rig, &a), 0);
    assert_int_equal(a.m.n_layers, 5);
    assert_string_equal(ofs_annotation_get(&a.m.layers[4].annotations, "k"),
                        "f");
    assert_int_equal(rig_count(&rig, API), 3);
}

static void none_is_an_empty_index(void **state)
{
    RIG_AUTO struct rig rig;
    ANSWER_AUTO struct answer a = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    fake_registry_repo(rig.fake, "a/b");
    assert_int_equal(ask(&rig, &a), 0);
    assert_int_equal(a.m.n_layers, 0);
    assert_int_equal(rig_count(&rig, "* *"), 1);
}

static void without_the_api_the_tag_tells(void **state)
{
    static const char index[] =
        "{\"schemaVersion\":2,\"mediaType\":\"" OFS_MT_OCI_INDEX "\","
        "\"manifests\":[{\"mediaType\":\"a/b\",\"digest\":\"sha256:" HEX "\","
        "\"size\":5}]}";
    const struct rig_cfg cfg = { .fake = { .no_referrers = true } };
    RIG_AUTO struct rig rig;
    ANSWER_AUTO struct answer before = { 0 }, after = { 0 };
    struct ofs_digest d;

    (void)state;
    rig_start(&rig, &cfg);
    fake_registry_repo(rig.fake, "a/b");
    assert_int_equal(ask(&rig, &before), 0);
    assert_string_equal(ofs_buf_str(&before.json), none);
    d = fake_registry_manifest(rig.fake, "a/b", OFS_MT_OCI_INDEX, index,
                               strlen(index));
    fake_registry_tag(rig.fake, "a/b", "sha256-" HEX, &d, 0);
    assert_int_equal(ask(&rig, &after), 0);
    assert_string_equal(ofs_buf_str(&after.json), index);
    assert_int_equal(rig_count(&rig, API), 1);
    assert_int_equal(rig_count(&rig, TAG), 2);
}

static void a_tag_that_is_no_index_tells_nothing(void **state)
{
    const struct rig_cfg cfg = { .fake = { .no_referrers = true } };
    RIG_AUTO struct rig rig;
    ANSWER_AUTO struct answer a = { 0 };

    (void)state;
    rig_start(&rig, &cfg);
    (void)fake_registry_image(rig.fake, "a/b", "sha256-" HEX, 1, 1, 10);
    assert_int_equal(ask(&rig, &a), 0);
    assert_string_equal(ofs_buf_str(&a.json), none);
}

static const struct {
    int status;
    const char *body;
    int r;
    unsigned tags; /* requests for the tag */
} answers[] = {
    { 404, "404 page not found", 0, 1 },
    { 400, "", 0, 1 },
    { 405, "", 0, 1 },
    { 501, "", 0, 1 },
    { 403, "", 0, 1 },
    { 200, "<html>a web page</html>", 0, 1 },
    { 200, "{}", 0, 1 },
    { 507, "", -EDQUOT, 0 },
    { 500, "", -EIO, 0 },
};

static void odd_answers_mean_no_api_or_failure(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(answers); i++) {
        const struct rig_cfg cfg = { .max_attempts = 1 };
        RIG_AUTO struct rig rig;
        ANSWER_AUTO struct answer a = { 0 };
        int r;

        rig_start(&rig, &cfg);
        fake_registry_repo(rig.fake, "a/b");
        fake_server_fault(rig.server, &(struct fake_fault){
                                          .match = API,
                                          .kind = FAKE_STATUS,
                                          .n = answers[i].status,
                                          .text = answers[i].body,
                                      });
        r = ask(&rig, &a);
        if (r != answers[i].r || rig_count(&rig, TAG) != answers[i].tags)
            fail_msg("row %zu: %d: %s", i, r, rig.err.text);
    }
}

static void a_page_that_fails_is_not_taken_for_the_end(void **state)
{
    const struct rig_cfg cfg = { .fake = { .page = 2 } };
    RIG_AUTO struct rig rig;
    ANSWER_AUTO struct answer a = { 0 };

    (void)state;
    rig_start(&rig, &cfg);
    for (char c = 'b'; c <= 'f'; c++)
        refer(&rig, c);
    rig_fault(&rig, API, 2, FAKE_STATUS, 404);
    assert_int_equal(ask(&rig, &a), -ENOENT);
    assert_int_equal(rig_count(&rig, TAG), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_page_is_given_as_it_came),
        cmocka_unit_test(pages_become_one_index),
        cmocka_unit_test(none_is_an_empty_index),
        cmocka_unit_test(without_the_api_the_tag_tells),
        cmocka_unit_test(a_tag_that_is_no_index_tells_nothing),
        cmocka_unit_test(odd_answers_mean_no_api_or_failure),
        cmocka_unit_test(a_page_that_fails_is_not_taken_for_the_end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
