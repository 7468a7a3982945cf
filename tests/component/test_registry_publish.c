/* SPDX-License-Identifier: Apache-2.0 */
#include "upload_rig.h"

#include "ocirfs/mediatype.h"
#include "ocirfs/reg_publish.h"

/* Manifests into a registry, and tags out of it. */

#define ANY    "* /v2/a/b/manifests/*"
#define HEAD   "HEAD /v2/a/b/manifests/*"
#define PUT    "PUT /v2/a/b/manifests/*"
#define DELETE "DELETE /v2/a/b/manifests/*"

/* A manifest of nothing but a config that may be there. */
struct paper {
    char bytes[512];
    size_t len;
    struct ofs_digest digest, config;
};

static void paper_init(struct paper *p, const char *note)
{
    char config[OFS_DIGEST_TEXT_MAX];

    assert_int_equal(ofs_digest_of(OFS_SHA256, "{}", 2, &p->config), 0);
    p->len = (size_t)snprintf(
        p->bytes, sizeof(p->bytes),
        "{\"schemaVersion\":2,\"mediaType\":\"%s\",\"config\":{\"mediaType\":"
        "\"application/vnd.oci.image.config.v1+json\",\"digest\":\"%s\","
        "\"size\":2},\"layers\":[],\"annotations\":{\"note\":\"%s\"}}",
        OFS_MT_OCI_MANIFEST, ofs_digest_format(&p->config, config), note);
    assert_int_equal(ofs_digest_of(OFS_SHA256, p->bytes, p->len, &p->digest),
                     0);
}

static int put(struct rig *rig, const struct paper *p, const char *tag)
{
    const struct ofs_manifest_put ask = {
        .repo = RIG_REPO,
        .tag = tag,
        .digest = &p->digest,
        .media_type = OFS_MT_OCI_MANIFEST,
        .bytes = p->bytes,
        .len = p->len,
    };

    rig->err = (struct ofs_err){ 0 };
    return ofs_registry_manifest_put(rig->r, &rig->call, &ask, &rig->err);
}

static bool names(struct rig *rig, const char *tag, const struct paper *p)
{
    struct ofs_digest is;

    return fake_registry_tagged(rig->fake, RIG_REPO, tag, &is) &&
           ofs_digest_eq(&is, &p->digest);
}

static void start(struct rig *rig, const struct rig_cfg *cfg, struct paper *p)
{
    rig_start(rig, cfg);
    paper_init(p, "one");
    (void)fake_registry_blob(rig->fake, RIG_REPO, "{}", 2);
}

static void a_tag_is_put_and_shown(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, NULL, &p);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_true(names(&rig, "1.0", &p));
    assert_int_equal(rig_count(&rig, ANY), 3); /* HEAD, PUT, HEAD */
    assert_string_equal(rig_header(&rig, PUT, 0, "Content-Type"),
                        OFS_MT_OCI_MANIFEST);
    assert_string_equal(fake_server_request(rig.server, PUT, 0)->body, p.bytes);
}

/* Where the registry's own host sends a PUT, its body goes as well. */
static void a_put_is_followed_on_its_own_host(void **state)
{
    static const struct {
        int64_t status;
        const char *to;
        int r;
    } rows[] = {
        { 307, "/v2/a/b/manifests/1.0?moved", 0 },
        { 308, "/v2/a/b/manifests/1.0?moved", 0 },
        { 302, "/v2/a/b/manifests/1.0?moved", -EIO },
        { 307, "http://localhost:1/v2/a/b/manifests/1.0", -EIO },
        { 307, "ftp://127.0.0.1/x", -EIO },
        { 307, "/v2/a/b/manifests/1.0", -EIO },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        RIG_AUTO struct rig rig;
        struct paper p;
        int r;

        start(&rig,
              &(struct rig_cfg){
                  .fake = { .auth = FAKE_AUTH_BEARER, .narrow_tokens = true } },
              &p);
        fake_server_fault(rig.server, &(struct fake_fault){
                                          .match = "PUT /v2/a/b/manifests/1.0",
                                          .nth = rows[i].r == 0,
                                          .kind = FAKE_REDIRECT,
                                          .n = rows[i].status,
                                          .text = rows[i].to });
        r = put(&rig, &p, "1.0");
        if (r != rows[i].r || names(&rig, "1.0", &p) != (r == 0))
            fail_msg("row %zu: %d %s", i, r, rig.err.text);
    }
}

/* Not the errno of a missing repository, nor of wrong bytes. */
static void parts_that_the_registry_lost_are_its_fault(void **state)
{
    static const int statuses[] = { 400, 404 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(statuses); i++) {
        RIG_AUTO struct rig rig;
        struct paper p;

        start(&rig, NULL, &p);
        fake_server_fault(
            rig.server,
            &(struct fake_fault){
                .match = PUT,
                .kind = FAKE_STATUS,
                .n = statuses[i],
                .text = "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\","
                        "\"message\":\"blob unknown to registry\"}]}" });
        assert_int_equal(put(&rig, &p, "1.0"), -EIO);
        assert_non_null(strstr(rig.err.text, "blob unknown to registry"));
    }
}

static void what_the_tag_is_already_is_not_put(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, NULL, &p);
    assert_int_equal(put(&rig, &p, NULL), 0);
    assert_int_equal(put(&rig, &p, NULL), 0);
    assert_int_equal(rig_count(&rig, PUT), 1);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_int_equal(rig_count(&rig, PUT), 2);
}

static void a_tag_moves(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p, q;

    (void)state;
    start(&rig, NULL, &p);
    paper_init(&q, "two");
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_int_equal(put(&rig, &q, "1.0"), 0);
    assert_true(names(&rig, "1.0", &q));
    assert_true(fake_registry_has(rig.fake, RIG_REPO, &p.digest));
}

static void one_token_is_enough(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig,
          &(struct rig_cfg){
              .fake = { .auth = FAKE_AUTH_BEARER, .narrow_tokens = true } },
          &p);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_int_equal(fake_registry_tokens(rig.fake), 1);
}

static void a_missing_part_is_named_so(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, NULL, &p);
    fake_registry_remove(rig.fake, RIG_REPO, &p.config);
    assert_int_equal(put(&rig, &p, "1.0"), -EIO);
    assert_string_equal(rig.err.id, "MANIFEST_BLOB_UNKNOWN");
    assert_int_equal(rig_count(&rig, PUT), 1);
}

/* What is not ours to overcome. */
static const struct {
    int64_t status;
    const char *text;
    int r;
} refusals[] = {
    { 400, "{\"errors\":[{\"code\":\"MANIFEST_INVALID\"}]}", -EINVAL },
    { 404, "{\"errors\":[{\"code\":\"MANIFEST_BLOB_UNKNOWN\"}]}", -EIO },
    { 413, NULL, -EFBIG },
    { 403, NULL, -EACCES },
    { 403, "{\"errors\":[{\"message\":\"quota exceeded\"}]}", -EDQUOT },
    { 409, "{\"errors\":[{\"message\":\"tag is immutable\"}]}", -EPERM },
};

static void a_refusal_is_the_answer(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(refusals); i++) {
        struct fake_fault fault = { .match = PUT,
                                    .kind = FAKE_STATUS,
                                    .n = refusals[i].status,
                                    .text = refusals[i].text };
        RIG_AUTO struct rig rig;
        struct paper p;
        int r;

        start(&rig, NULL, &p);
        fake_server_fault(rig.server, &fault);
        r = put(&rig, &p, "1.0");
        if (r != refusals[i].r || rig.err.code != r)
            fail_msg("row %zu: %d %s", i, r, rig.err.text);
        assert_int_equal(rig_count(&rig, PUT), 1);
    }
}

static void say_who(void *arg, const char *repo, bool writes,
                    struct ofs_buf *ret)
{
    (void)arg;
    (void)ofs_buf_addf(ret, "ask to %s %s", writes ? "write" : "read", repo);
}

/* Where somebody knows what to do about it, also "no such repository" is a
 * refusal to who wants to write there. */
static void whoever_is_refused_is_told_what_to_do(void **state)
{
    struct rig_cfg cfg = { .advise = say_who };
    struct ofs_manifest_info info = { 0 };
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, &cfg, &p);
    rig_fault(&rig, PUT, 1, FAKE_STATUS, 403);
    assert_int_equal(put(&rig, &p, "1.0"), -EACCES);
    assert_non_null(strstr(rig.err.text, "; ask to write " RIG_REPO));
    rig_fault(&rig, PUT, 1, FAKE_STATUS, 404);
    assert_int_equal(put(&rig, &p, "1.0"), -EACCES);
    assert_int_equal(rig.err.code, -EACCES);
    assert_non_null(strstr(rig.err.text, "; ask to write " RIG_REPO));
    rig_fault(&rig, "GET /v2/a/b/manifests/*", 1, FAKE_STATUS, 403);
    assert_int_equal(ofs_registry_manifest_get(rig.r, &rig.call, RIG_REPO,
                                               "1.0", &info, &rig.err),
                     -EACCES);
    assert_non_null(strstr(rig.err.text, "; ask to read " RIG_REPO));
    assert_int_equal(ofs_registry_manifest_get(rig.r, &rig.call, RIG_REPO,
                                               "1.0", &info, &rig.err),
                     -ENOENT);
}

static void an_immutable_tag_is_not_moved(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p, q;

    (void)state;
    start(&rig, &(struct rig_cfg){ .fake.immutable = true }, &p);
    paper_init(&q, "two");
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_int_equal(put(&rig, &q, "1.0"), -EPERM);
    assert_true(names(&rig, "1.0", &p));
}

/* Survived: it is there in the end. */
static const struct {
    const char *match;
    enum fake_fault_kind kind;
    int64_t n;
} passing[] = {
    { HEAD, FAKE_STATUS, 503 },   { HEAD, FAKE_RESET_NOW, 0 },
    { HEAD, FAKE_STATUS, 405 },   { HEAD, FAKE_EXPIRE_TOKENS, 0 },
    { PUT, FAKE_STATUS, 500 },    { PUT, FAKE_STATUS, 429 },
    { PUT, FAKE_STATUS, 409 },    { PUT, FAKE_RESET_NOW, 0 },
    { PUT, FAKE_LOSE_ANSWER, 0 }, { PUT, FAKE_EXPIRE_TOKENS, 0 },
    { PUT, FAKE_STATUS, 202 },
};

static void every_request_may_fail_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(passing); i++) {
        RIG_AUTO struct rig rig;
        struct paper p;
        int r;

        start(&rig, &(struct rig_cfg){ .fake.auth = FAKE_AUTH_BEARER }, &p);
        rig_fault(&rig, passing[i].match, 1, passing[i].kind, passing[i].n);
        r = put(&rig, &p, "1.0");
        /* A success that is not true is no success. */
        if (passing[i].n == 202 ? r != -EBUSY : r < 0)
            fail_msg("row %zu: %s", i, rig.err.text);
        if (r == 0)
            assert_true(names(&rig, "1.0", &p));
    }
}

/* Facts "ocir-api", 9.5: the conflict may be with ourselves. */
static void a_conflict_that_was_a_success_is_one(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, NULL, &p);
    rig_fault(&rig, PUT, 1, FAKE_LOSE_ANSWER, 0);
    rig_fault(&rig, PUT, 2, FAKE_STATUS, 409);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_int_equal(rig_count(&rig, PUT), 2);
}

static void an_answer_that_never_comes_is_looked_for(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, &(struct rig_cfg){ .stall_ms = 1500 }, &p);
    rig_fault(&rig, PUT, 1, FAKE_STALL_ANSWER, 0);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
}

static void what_is_no_name_is_not_asked(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, NULL, &p);
    assert_int_equal(put(&rig, &p, "no/tag"), -EINVAL);
    assert_int_equal(rig_count(&rig, "* *"), 0);
}

/* --- one at a time --- */

struct putting {
    struct rig *rig;
    struct paper p;
    struct ofs_call call;
    const char *tag;
    int r;
    pthread_t thread;
};

static void *put_run(void *arg)
{
    struct putting *t = arg;
    const struct ofs_manifest_put ask = {
        .repo = RIG_REPO,
        .tag = t->tag,
        .digest = &t->p.digest,
        .media_type = OFS_MT_OCI_MANIFEST,
        .bytes = t->p.bytes,
        .len = t->p.len,
    };
    struct ofs_err err;

    t->r = ofs_registry_manifest_put(t->rig->r, &t->call, &ask, &err);
    return NULL;
}

static void put_start(struct putting *t, struct rig *rig, const char *tag)
{
    *t = (struct putting){ .rig = rig, .tag = tag };
    paper_init(&t->p, tag);
    ofs_call_init(&t->call, RIG_CALL_MS);
    assert_int_equal(pthread_create(&t->thread, NULL, put_run, t), 0);
}

static int put_join(struct putting *t)
{
    (void)pthread_join(t->thread, NULL);
    ofs_call_done(&t->call);
    return t->r;
}

static void puts_to_a_repository_wait_for_each_other(void **state)
{
    RIG_AUTO struct rig rig;
    struct putting first, second, third;
    struct paper p;

    (void)state;
    start(&rig, NULL, &p);
    rig_fault(&rig, PUT, 1, FAKE_STALL, 0);
    put_start(&first, &rig, "first");
    assert_true(fake_server_wait_stalled(rig.server, 1, RIG_CALL_MS));
    put_start(&second, &rig, "second");
    put_start(&third, &rig, "third");
    /* Who gives up leaves the queue. */
    ofs_call_cancel(&third.call);
    assert_int_equal(put_join(&third), -EINTR);
    assert_int_equal(rig_count(&rig, PUT), 1);
    fake_server_release(rig.server);
    assert_int_equal(put_join(&first), 0);
    assert_int_equal(put_join(&second), 0);
    assert_int_equal(rig_count(&rig, PUT), 2);
    assert_int_equal(fake_server_peak(rig.server), 1);
}

/* --- out --- */

static int untag(struct rig *rig, const char *tag)
{
    rig->err = (struct ofs_err){ 0 };
    return ofs_registry_tag_delete(rig->r, &rig->call, RIG_REPO, tag,
                                   &rig->err);
}

static const struct rig_cfg deletes[] = {
    { .fake = { .auth = FAKE_AUTH_BEARER, .narrow_tokens = true } },
    { .fake = { .auth = FAKE_AUTH_BEARER,
                .narrow_tokens = true,
                .no_tag_delete = true } },
};

static void a_tag_goes_and_its_digest_stays(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(deletes); i++) {
        RIG_AUTO struct rig rig;
        struct paper p;

        start(&rig, &deletes[i], &p);
        assert_int_equal(put(&rig, &p, "1.0"), 0);
        assert_int_equal(put(&rig, &p, "1.1"), 0);
        if (untag(&rig, "1.0") < 0)
            fail_msg("row %zu: %s", i, rig.err.text);
        assert_false(names(&rig, "1.0", &p));
        assert_true(names(&rig, "1.1", &p));
        assert_true(fake_registry_has(rig.fake, RIG_REPO, &p.digest));
        assert_int_equal(untag(&rig, "1.0"), -ENOENT);
        assert_int_equal(untag(&rig, "no/tag"), -ENOENT);
    }
}

static void where_nothing_is_deleted_the_tag_stays(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, &(struct rig_cfg){ .fake.no_delete = true }, &p);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    assert_int_equal(untag(&rig, "1.0"), -ENOTSUP);
    assert_true(names(&rig, "1.0", &p));
    assert_int_equal(rig_count(&rig, PUT), 1);
}

/* The last step of the way around fails: the tag is what it was. */
static void a_tag_that_cannot_be_deleted_is_put_back(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, &(struct rig_cfg){ .fake.no_tag_delete = true }, &p);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    rig_fault(&rig, "DELETE /v2/a/b/manifests/sha256:*", 2, FAKE_STATUS, 403);
    assert_int_equal(untag(&rig, "1.0"), -EACCES);
    assert_true(names(&rig, "1.0", &p));
}

static void a_deletion_whose_answer_got_lost_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(deletes); i++) {
        RIG_AUTO struct rig rig;
        struct paper p;

        start(&rig, &deletes[i], &p);
        assert_int_equal(put(&rig, &p, "1.0"), 0);
        rig_fault(&rig, DELETE, i == 0 ? 1 : 3, FAKE_LOSE_ANSWER, 0);
        if (untag(&rig, "1.0") < 0)
            fail_msg("row %zu: %s", i, rig.err.text);
        assert_false(names(&rig, "1.0", &p));
    }
}

static void a_deletion_that_is_not_one_is_told(void **state)
{
    RIG_AUTO struct rig rig;
    struct paper p;

    (void)state;
    start(&rig, NULL, &p);
    assert_int_equal(put(&rig, &p, "1.0"), 0);
    rig_fault(&rig, DELETE, 1, FAKE_STATUS, 202);
    assert_int_equal(untag(&rig, "1.0"), -EBUSY);
    rig_fault(&rig, DELETE, 1, FAKE_STATUS, 403);
    assert_int_equal(untag(&rig, "1.0"), -EACCES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tag_is_put_and_shown),
        cmocka_unit_test(a_put_is_followed_on_its_own_host),
        cmocka_unit_test(parts_that_the_registry_lost_are_its_fault),
        cmocka_unit_test(what_the_tag_is_already_is_not_put),
        cmocka_unit_test(a_tag_moves),
        cmocka_unit_test(one_token_is_enough),
        cmocka_unit_test(a_missing_part_is_named_so),
        cmocka_unit_test(a_refusal_is_the_answer),
        cmocka_unit_test(whoever_is_refused_is_told_what_to_do),
        cmocka_unit_test(an_immutable_tag_is_not_moved),
        cmocka_unit_test(every_request_may_fail_once),
        cmocka_unit_test(a_conflict_that_was_a_success_is_one),
        cmocka_unit_test(an_answer_that_never_comes_is_looked_for),
        cmocka_unit_test(what_is_no_name_is_not_asked),
        cmocka_unit_test(puts_to_a_repository_wait_for_each_other),
        cmocka_unit_test(a_tag_goes_and_its_digest_stays),
        cmocka_unit_test(where_nothing_is_deleted_the_tag_stays),
        cmocka_unit_test(a_tag_that_cannot_be_deleted_is_put_back),
        cmocka_unit_test(a_deletion_whose_answer_got_lost_is_one),
        cmocka_unit_test(a_deletion_that_is_not_one_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
