/* SPDX-License-Identifier: Apache-2.0 */
#include "token_rig.h"

/* What is remembered, for how long, and who fetches. */

static void before_a_challenge_nothing_is_sent(void **state)
{
    struct token_rig *rig = *state;

    assert_get(rig, PULL_A, "");
    assert_int_equal(fake_server_count(rig->server, "* /*"), 0);
    assert_int_equal(atomic_load(&rig->n_found), 0);
}

static void a_challenge_is_remembered_for_all_scopes(void **state)
{
    struct token_rig *rig = *state;
    int64_t hits = ofs_metric_get("ocirfs_token_hits_total");
    int64_t fetches = ofs_metric_get("ocirfs_token_fetches_total");

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_get(rig, PULL_A, "Bearer tok-1");
    assert_get(rig, PULL_B, "Bearer tok-2");
    assert_get(rig, PULL_A, "Bearer tok-1");
    assert_get(rig, "", "Bearer tok-3");
    assert_int_equal(fake_server_count(rig->server, GET), 3);
    assert_int_equal(ofs_metric_get("ocirfs_token_hits_total"), hits + 2);
    assert_int_equal(ofs_metric_get("ocirfs_token_fetches_total"), fetches + 3);
}

static void tokens_are_renewed_before_they_end(void **state)
{
    static const struct {
        const char *extra;
        int64_t use_ms;
    } rows[] = {
        { ",\"expires_in\":300", 270 * 1000 },
        { ",\"expires_in\":3600", 3240 * 1000 },
        { "", 50 * 1000 },
        { ",\"expires_in\":60", 50 * 1000 },
        { ",\"expires_in\":5", 2500 },
        { ",\"expires_in\":1,\"issued_at\":\"2001-01-01T00:00:00Z\"", 500 },
    };
    struct token_rig *rig = *state;

    assert_renew(rig, "", BEARER, "", "Bearer tok-1");
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOFREE char *scope = ofs_strf("repository:r%zu:pull", i);
        OFS_AUTOFREE char *first = NULL, *still = NULL, *next = NULL;

        atomic_store(&rig->extra, rows[i].extra);
        first = token_rig_get(rig, scope);
        atomic_fetch_add(&rig->now_ms, rows[i].use_ms - 1);
        still = token_rig_get(rig, scope);
        assert_string_equal(first, still);
        atomic_fetch_add(&rig->now_ms, 1);
        next = token_rig_get(rig, scope);
        assert_string_not_equal(first, next);
    }
}

static void
a_token_is_used_to_its_end_when_no_new_one_is_to_be_had(void **state)
{
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *got = NULL;

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    fake_server_down(rig->server);
    atomic_fetch_add(&rig->now_ms, 271 * 1000);
    assert_get(rig, PULL_A, "Bearer tok-1");
    atomic_fetch_add(&rig->now_ms, 29 * 1000);
    got = token_rig_get(rig, PULL_A);
    assert_true(ofs_str_starts(got, "-111: "));
    fake_server_up(rig->server);
    assert_get(rig, PULL_A, "Bearer tok-2");
}

/* Otherwise each caller would wait for a dead server in turn. */
static void a_failed_early_renewal_is_not_tried_again_at_once(void **state)
{
    static const struct fake_fault busy = { .match = GET,
                                            .kind = FAKE_STATUS,
                                            .n = 500 };
    struct token_rig *rig = *state;

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    fake_server_fault(rig->server, &busy);
    atomic_fetch_add(&rig->now_ms, 271 * 1000);
    for (int i = 0; i < 5; i++)
        assert_get(rig, PULL_A, "Bearer tok-1");
    assert_int_equal(fake_server_count(rig->server, GET), 2);
    atomic_fetch_add(&rig->now_ms, 10 * 1000);
    assert_get(rig, PULL_A, "Bearer tok-1");
    assert_int_equal(fake_server_count(rig->server, GET), 3);
}

static void a_call_that_may_not_wait_gets_what_is_there(void **state)
{
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *got = NULL;

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    rig->call.may_wait = false;
    assert_get(rig, PULL_A, "Bearer tok-1");
    atomic_fetch_add(&rig->now_ms, 271 * 1000);
    assert_get(rig, PULL_A, "Bearer tok-1");
    got = token_rig_get(rig, PULL_B);
    assert_true(ofs_str_starts(got, "-11: "));
    assert_int_equal(fake_server_count(rig->server, GET), 1);
}

static void a_refused_token_is_renewed_once_for_all(void **state)
{
    struct token_rig *rig = *state;

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_renew(rig, PULL_A, BEARER, "Bearer tok-1", "Bearer tok-2");
    /* The second who had tok-1, a moment later. */
    assert_renew(rig, PULL_A, BEARER, "Bearer tok-1", "Bearer tok-2");
    assert_get(rig, PULL_A, "Bearer tok-2");
    assert_int_equal(fake_server_count(rig->server, GET), 2);
}

static void a_refused_token_does_not_come_back(void **state)
{
    static const struct fake_fault busy = { .match = GET,
                                            .kind = FAKE_STATUS,
                                            .n = 500 };
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *renewed = NULL, *got = NULL;

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    fake_server_fault(rig->server, &busy);
    renewed = token_rig_renew(rig, PULL_A, BEARER, "Bearer tok-1");
    assert_true(ofs_str_starts(renewed, "-5: "));
    got = token_rig_get(rig, PULL_A);
    assert_true(ofs_str_starts(got, "-5: "));
}

/* As where the scope of a mount or of a prefix is not the one we know of. */
static void the_scope_of_the_challenge_is_asked_for_as_well(void **state)
{
    struct token_rig *rig = *state;
    const struct fake_request *req;

    assert_renew(rig, PULL_A, BEARER ",scope=\"" PULL_A "\"", "",
                 "Bearer tok-1");
    assert_renew(rig, PULL_A,
                 BEARER ",scope=\"" PULL_A " repository:x/ns/a:pull\","
                        "error=\"insufficient_scope\"",
                 "Bearer tok-1", "Bearer tok-2");
    req = fake_server_request(rig->server, GET, 1);
    assert_string_equal(req->query,
                        "service=svc&scope=repository%3Ans%2Fa%3Apull"
                        "&scope=repository%3Ax%2Fns%2Fa%3Apull");
    atomic_fetch_add(&rig->now_ms, 300 * 1000);
    assert_get(rig, PULL_A, "Bearer tok-3");
    assert_string_equal(fake_server_request(rig->server, GET, 2)->query,
                        req->query);
}

static void a_wider_scope_is_not_served_by_a_narrower_token(void **state)
{
    struct token_rig *rig = *state;

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_renew(rig, PULL_A, BEARER ",scope=\"" PULL_B "\"", "Bearer old",
                 "Bearer tok-2");
}

static void values_are_kept_in_bounds(void **state)
{
    struct token_rig *rig = *state;
    unsigned before;

    token_rig_cred(rig, 0, OFS_CRED_BASIC, "u", "p");
    assert_renew(rig, "s0", BASIC, "", "Basic dTpw");
    for (unsigned i = 1; i < 4096; i++) {
        OFS_AUTOFREE char *scope = ofs_strf("s%u", i);

        assert_get(rig, scope, "Basic dTpw");
    }
    assert_get(rig, "s0", "Basic dTpw");
    before = atomic_load(&rig->n_found);
    assert_int_equal(before, 4096);
    assert_get(rig, "one too many", "Basic dTpw");
    assert_get(rig, "s0", "Basic dTpw");
    assert_int_equal(atomic_load(&rig->n_found), before + 1);
    assert_get(rig, "s1", "Basic dTpw"); /* the least recently used one */
    assert_int_equal(atomic_load(&rig->n_found), before + 2);
}

struct asker {
    struct token_rig *rig;
    struct ofs_call call;
    pthread_t thread;
    bool renews;
    int r;
    struct ofs_secret value;
    struct ofs_err err;
};

static void *ask(void *arg)
{
    struct asker *a = arg;
    OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };
    OFS_AUTOFREE char *line =
        ofs_strf("Bearer realm=\"%s/token\"", a->rig->origin);
    char old[] = "Bearer tok-1";
    const struct ofs_secret used = { old, strlen(old) };

    if (ofs_headers_add(&h, "WWW-Authenticate", 16, line, strlen(line)) < 0)
        return NULL;
    a->r = a->renews
               ? ofs_tokens_renew(a->rig->tokens, &a->call, a->rig->origin,
                                  PULL_A, &h, &used, &a->value, &a->err)
               : ofs_tokens_get(a->rig->tokens, &a->call, a->rig->origin,
                                PULL_A, &a->value, &a->err);
    return NULL;
}

static void start(struct asker *a, struct token_rig *rig, bool renews)
{
    *a = (struct asker){ .rig = rig, .renews = renews, .r = -EINVAL };
    ofs_call_init(&a->call, TOKEN_CALL_MS);
    assert_int_equal(pthread_create(&a->thread, NULL, ask, a), 0);
}

static int finish(struct asker *a)
{
    assert_int_equal(pthread_join(a->thread, NULL), 0);
    ofs_call_done(&a->call);
    return a->r;
}

static void stall(struct token_rig *rig)
{
    static const struct fake_fault fault = { .match = GET,
                                             .nth = 1,
                                             .kind = FAKE_STALL };

    fake_server_fault(rig->server, &fault);
}

static void one_thread_fetches_for_all(void **state)
{
    struct token_rig *rig = *state;
    struct asker askers[12];

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    stall(rig);
    for (size_t i = 0; i < OFS_COUNT_OF(askers); i++)
        start(&askers[i], rig, true);
    assert_true(fake_server_wait_stalled(rig->server, 1, TOKEN_CALL_MS));
    fake_server_release(rig->server);
    for (size_t i = 0; i < OFS_COUNT_OF(askers); i++) {
        assert_int_equal(finish(&askers[i]), 0);
        assert_string_equal(askers[i].value.text, "Bearer tok-2");
        ofs_secret_done(&askers[i].value);
    }
    assert_int_equal(fake_server_count(rig->server, GET), 2);
}

/* The one who fetches leaves; one of those who wait takes over. */
static void a_caller_may_give_up(void **state)
{
    struct token_rig *rig = *state;
    struct asker first, second;

    assert_renew(rig, "", BEARER, "", "Bearer tok-1");
    stall(rig);
    start(&first, rig, false);
    assert_true(fake_server_wait_stalled(rig->server, 1, TOKEN_CALL_MS));
    start(&second, rig, false);
    ofs_call_cancel(&first.call);
    assert_int_equal(finish(&first), -EINTR);
    assert_int_equal(finish(&second), 0);
    assert_true(ofs_str_starts(second.value.text, "Bearer tok-"));
    ofs_secret_done(&second.value);
    fake_server_release(rig->server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKEN_TEST(before_a_challenge_nothing_is_sent),
        TOKEN_TEST(a_challenge_is_remembered_for_all_scopes),
        TOKEN_TEST(tokens_are_renewed_before_they_end),
        TOKEN_TEST(a_token_is_used_to_its_end_when_no_new_one_is_to_be_had),
        TOKEN_TEST(a_failed_early_renewal_is_not_tried_again_at_once),
        TOKEN_TEST(a_call_that_may_not_wait_gets_what_is_there),
        TOKEN_TEST(a_refused_token_is_renewed_once_for_all),
        TOKEN_TEST(a_refused_token_does_not_come_back),
        TOKEN_TEST(the_scope_of_the_challenge_is_asked_for_as_well),
        TOKEN_TEST(a_wider_scope_is_not_served_by_a_narrower_token),
        TOKEN_TEST(values_are_kept_in_bounds),
        TOKEN_TEST(one_thread_fetches_for_all),
        TOKEN_TEST(a_caller_may_give_up),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
