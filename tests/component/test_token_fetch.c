/* SPDX-License-Identifier: Apache-2.0 */
#include "token_rig.h"

/* What is sent to whom, and what becomes of the answers. */

#define SECRET "hunter2secret"

static const struct fake_request *last(struct token_rig *rig, const char *match)
{
    unsigned n = fake_server_count(rig->server, match);

    assert_true(n > 0);
    return fake_server_request(rig->server, match, n - 1);
}

static void nobody_asks_without_authorization(void **state)
{
    struct token_rig *rig = *state;

    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_header(last(rig, GET), "Authorization", NULL);
    assert_string_equal(last(rig, GET)->query,
                        "service=svc&scope=repository%3Ans%2Fa%3Apull");
    assert_string_equal(rig->asked + strcspn(rig->asked, " "), " ns/a");
    assert_true(ofs_str_starts(rig->asked, "127.0.0.1:"));
}

static void user_and_password_go_to_the_token_server(void **state)
{
    struct token_rig *rig = *state;

    token_rig_cred(rig, 0, OFS_CRED_BASIC, "user", "pass");
    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_header(last(rig, GET), "Authorization", "Basic dXNlcjpwYXNz");
}

static void an_identity_token_goes_into_a_form(void **state)
{
    struct token_rig *rig = *state;
    const struct fake_request *req;

    token_rig_cred(rig, 0, OFS_CRED_IDENTITY, NULL, "re fresh");
    assert_renew(rig, PULL_A " " PULL_B, BEARER, "", "Bearer tok-1");
    req = last(rig, POST);
    assert_header(req, "Content-Type", "application/x-www-form-urlencoded");
    assert_header(req, "Authorization", NULL);
    assert_string_equal(req->query, "");
    assert_string_equal(req->body,
                        "grant_type=refresh_token&refresh_token=re%20fresh"
                        "&service=svc&client_id=ocirfs"
                        "&scope=repository%3Ans%2Fa%3Apull%20"
                        "repository%3Ans%2Fb%3Apull");
    assert_int_equal(fake_server_count(rig->server, GET), 0);
}

static void a_server_without_post_is_asked_with_get(void **state)
{
    static const int64_t statuses[] = { 404, 405 };
    struct token_rig *rig = *state;

    token_rig_cred(rig, 0, OFS_CRED_IDENTITY, NULL, "x");
    for (size_t i = 0; i < OFS_COUNT_OF(statuses); i++) {
        const struct fake_fault no = { .match = POST,
                                       .kind = FAKE_STATUS,
                                       .n = statuses[i] };
        OFS_AUTOFREE char *got = NULL;

        fake_server_no_faults(rig->server);
        fake_server_fault(rig->server, &no);
        got = token_rig_renew(rig, i ? PULL_A : PULL_B, BEARER, "");
        assert_true(ofs_str_starts(got, "Bearer tok-"));
        assert_header(last(rig, GET), "Authorization", "Basic Ong=");
    }
}

static void a_form_is_not_sent_where_a_redirect_points(void **state)
{
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *to = ofs_strf("%s/elsewhere", rig->origin);
    const struct fake_fault redirect = { .match = POST,
                                         .kind = FAKE_REDIRECT,
                                         .text = to };
    OFS_AUTOFREE char *got = NULL;

    token_rig_cred(rig, 0, OFS_CRED_IDENTITY, NULL, SECRET);
    fake_server_fault(rig->server, &redirect);
    got = token_rig_renew(rig, PULL_A, BEARER, "");
    assert_true(ofs_str_starts(got, "-5: the token server at 127.0.0.1:"));
    assert_int_equal(fake_server_count(rig->server, "* /elsewhere"), 0);
}

static void basic_is_answered_with_user_and_password(void **state)
{
    struct token_rig *rig = *state;

    token_rig_cred(rig, 0, OFS_CRED_BASIC, "user", "pass");
    assert_renew(rig, PULL_A, BASIC, "", "Basic dXNlcjpwYXNz");
    assert_get(rig, PULL_B, "Basic dXNlcjpwYXNz");
    atomic_fetch_add(&rig->now_ms, (int64_t)1000 * 3600 * 1000);
    assert_get(rig, PULL_B, "Basic dXNlcjpwYXNz");
    assert_int_equal(atomic_load(&rig->n_found), 2);
    assert_int_equal(fake_server_count(rig->server, "* /*"), 0);
}

static void basic_without_credentials_is_a_clear_sentence(void **state)
{
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *want = ofs_strf(
        "-13: %s wants a user and a password, and no credentials for it were "
        "found",
        rig->origin + strlen("http://"));
    OFS_AUTOFREE char *identity = ofs_strf(
        "-13: %s wants a user and a password, and auth.json has only an "
        "identity token for it",
        rig->origin + strlen("http://"));

    assert_renew(rig, PULL_A, BASIC, "", want);
    assert_get(rig, PULL_A, "");
    assert_renew(rig, PULL_A, BASIC, "", want);
    /* The user logs in. */
    token_rig_cred(rig, 0, OFS_CRED_BASIC, "u", "p");
    assert_renew(rig, PULL_A, BASIC, "", "Basic dTpw");
    token_rig_cred(rig, 0, OFS_CRED_IDENTITY, NULL, "x");
    assert_renew(rig, PULL_B, BASIC, "", identity);
}

static void a_token_for_the_registry_itself_is_used_as_it_is(void **state)
{
    struct token_rig *rig = *state;

    token_rig_cred(rig, 0, OFS_CRED_BEARER, NULL, "ready");
    assert_renew(rig, PULL_A, BEARER, "", "Bearer ready");
    assert_renew(rig, PULL_B, BASIC, "", "Bearer ready");
    assert_int_equal(fake_server_count(rig->server, "* /*"), 0);
}

static void what_was_refused_makes_the_source_be_asked_anew(void **state)
{
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *want =
        ofs_strf("-13: %s refuses the credentials for it (from auth.json)",
                 rig->origin + strlen("http://"));

    token_rig_cred(rig, 0, OFS_CRED_BEARER, NULL, "old");
    token_rig_cred(rig, 1, OFS_CRED_BEARER, NULL, "new");
    assert_renew(rig, PULL_A, BEARER, "", "Bearer old");
    assert_renew(rig, PULL_A, BEARER, "Bearer old", "Bearer new");
    assert_renew(rig, PULL_A, BEARER, "Bearer new", want);
    assert_int_equal(fake_server_count(rig->server, "* /*"), 0);
}

/* Refuses everything but this. */
static void check_basic(void *arg, const struct fake_request *req,
                        struct fake_response *resp)
{
    struct token_rig *rig = arg;
    OFS_AUTOFREE char *got = fake_request_header(req, "Authorization");
    static const char body[] =
        "{\"errors\":[{\"code\":\"UNAUTHORIZED\",\"message\":\"who are you\"}]}";

    if (got && strcmp(got, "Basic dTpuZXc=") == 0) /* u:new */
        token_rig_give(rig, req, resp);
    else
        fake_response_body(resp, 401, "application/json", body,
                           sizeof(body) - 1);
}

static void
credentials_refused_by_the_token_server_are_asked_anew_once(void **state)
{
    struct token_rig *rig = *state;
    const char *host = rig->origin + strlen("http://");
    OFS_AUTOFREE char *want = ofs_strf(
        "-13: the token server at %s refused the credentials for %s (from "
        "auth.json): who are you",
        host, host);

    fake_server_route(rig->server, "* /token", check_basic, rig);
    token_rig_cred(rig, 0, OFS_CRED_BASIC, "u", SECRET);
    token_rig_cred(rig, 1, OFS_CRED_BASIC, "u", "new");
    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_int_equal(fake_server_count(rig->server, GET), 2);
    token_rig_cred(rig, 1, OFS_CRED_BASIC, "u", SECRET);
    assert_renew(rig, PULL_B, BEARER, "", want);
    assert_int_equal(rig->err.http_status, 401);
    assert_int_equal(fake_server_count(rig->server, GET), 3);
}

static void nobody_refused_is_a_clear_sentence(void **state)
{
    struct token_rig *rig = *state;
    const char *host = rig->origin + strlen("http://");
    OFS_AUTOFREE char *want = ofs_strf(
        "-13: the token server at %s gives %s no anonymous token, and no "
        "credentials for it were found: who are you",
        host, host);

    fake_server_route(rig->server, "* /token", check_basic, rig);
    assert_renew(rig, PULL_A, BEARER, "", want);
    assert_int_equal(fake_server_count(rig->server, GET), 1);
}

static void a_token_servers_trouble_is_not_the_registrys(void **state)
{
    static const struct {
        int64_t status;
        int want;
    } rows[] = {
        { 403, -EACCES }, { 404, -EIO },   { 405, -EIO }, { 408, -ETIMEDOUT },
        { 410, -EIO },    { 429, -EBUSY }, { 500, -EIO }, { 501, -EIO },
        { 503, -EBUSY },  { 400, -EIO },   { 302, -EIO }, { 504, -ETIMEDOUT },
    };
    struct token_rig *rig = *state;

    token_rig_cred(rig, 0, OFS_CRED_BASIC, "u", SECRET);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const struct fake_fault fault = { .match = GET,
                                          .kind = FAKE_STATUS,
                                          .n = rows[i].status,
                                          .text = "{\"message\":\"" SECRET
                                                  " is wrong\"}",
                                          .header = "Retry-After: 7" };
        OFS_AUTOFREE char *got = NULL, *begin = NULL;

        fake_server_no_faults(rig->server);
        fake_server_fault(rig->server, &fault);
        got = token_rig_renew(rig, PULL_A, BEARER, "");
        begin = ofs_strf("%d: the token server at 127.0.0.1:", rows[i].want);
        assert_true(ofs_str_starts(got, begin));
        assert_null(strstr(got, SECRET));
        assert_int_equal(rig->err.http_status, rows[i].status);
        assert_int_equal(rig->err.retry_after_ms, 7000);
    }
}

static void an_answer_that_is_none_is_refused(void **state)
{
    static const struct {
        enum fake_fault_kind kind;
        int64_t n;
        const char *text;
        int want;
    } rows[] = {
        { FAKE_BODY, 0, "<html>" SECRET "</html>", -EBADMSG },
        { FAKE_BODY, 0, "{}", -EBADMSG },
        { FAKE_BODY, 0, "", -EBADMSG },
        { FAKE_BODY, 0, "{\"token\":\"" SECRET "\\nX: y\"}", -EBADMSG },
        { FAKE_DEEP_JSON, 0, NULL, -EBADMSG },
        { FAKE_HUGE, 2 * 1024 * 1024, NULL, -EFBIG },
        { FAKE_RESET_NOW, 0, NULL, -EIO },
        { FAKE_SHORT_BODY, 3, NULL, -EIO },
    };
    struct token_rig *rig = *state;

    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const struct fake_fault fault = { .match = GET,
                                          .kind = rows[i].kind,
                                          .n = rows[i].n,
                                          .text = rows[i].text };
        OFS_AUTOFREE char *got = NULL, *begin = NULL;

        fake_server_no_faults(rig->server);
        fake_server_fault(rig->server, &fault);
        got = token_rig_renew(rig, PULL_A, BEARER, "");
        begin = ofs_strf("%d: ", rows[i].want);
        assert_true(ofs_str_starts(got, begin));
        assert_null(strstr(got, SECRET));
    }
}

/* OCIR answers 400 to scopes that it does not like. */
static void a_scope_that_is_refused_is_left_out(void **state)
{
    static const struct fake_fault bad = { .match = "GET /token?*scope=*",
                                           .kind = FAKE_STATUS,
                                           .n = 400 };
    struct token_rig *rig = *state;

    fake_server_fault(rig->server, &bad);
    assert_renew(rig, "registry:catalog:*", BEARER, "", "Bearer tok-1");
    assert_string_equal(last(rig, GET)->query, "service=svc");
    assert_int_equal(fake_server_count(rig->server, GET), 2);
}

/* {"sub":"{\"userId\":\"anon-1\"}"} as OCIR gives it for wrong credentials. */
static void an_anonymous_token_is_refused_when_we_said_who_we_are(void **state)
{
    static const char jwt[] =
        "{\"token\":\"e30.eyJzdWIiOiJ7XCJ1c2VySWRcIjpcImFub24tMVwifSJ9.c2ln\"}";
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *anonymous = NULL, *known = NULL;

    fake_server_canned(rig->server, GET, 200, NULL, jwt);
    anonymous = token_rig_renew(rig, PULL_A, BEARER, "");
    assert_true(ofs_str_starts(anonymous, "Bearer e30."));
    token_rig_cred(rig, 0, OFS_CRED_BASIC, "u", "p");
    known = token_rig_renew(rig, PULL_B, BEARER, "");
    assert_true(ofs_str_starts(known, "-13: the token server at "));
    assert_non_null(strstr(known, ": it gave an anonymous token"));
}

static void a_realm_that_must_not_be_talked_to_gets_nothing(void **state)
{
    static const char *const realms[] = {
        "http://auth.example/token",
        "ftp://127.0.0.1/token",
        "/token",
        "http://u:p@127.0.0.1/token",
    };
    struct token_rig *rig = *state;

    token_rig_cred(rig, 0, OFS_CRED_BASIC, "u", SECRET);
    for (size_t i = 0; i < OFS_COUNT_OF(realms); i++) {
        OFS_AUTOFREE char *line = ofs_strf("Bearer realm=\"%s\"", realms[i]);
        OFS_AUTOFREE char *got = token_rig_renew(rig, PULL_A, line, "");

        assert_true(ofs_str_starts(got, "-74: "));
    }
    assert_int_equal(atomic_load(&rig->n_found), 0);
    assert_get(rig, PULL_A, "");
}

static void what_is_no_challenge_is_told(void **state)
{
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *want =
        ofs_strf("-71: %s: asks neither for Bearer nor for Basic",
                 rig->origin + strlen("http://"));

    assert_renew(rig, PULL_A, "Negotiate", "", want);
    assert_get(rig, PULL_A, "");
}

static void trouble_of_the_source_is_told(void **state)
{
    struct token_rig *rig = *state;

    rig->find_result = -EBADMSG;
    assert_renew(rig, PULL_A, BEARER, "", "-74: the source has trouble");
    assert_int_equal(fake_server_count(rig->server, "* /*"), 0);
}

/* A server that gives what was refused a moment ago. */
static void the_same_token_again_is_no_renewal(void **state)
{
    struct token_rig *rig = *state;
    OFS_AUTOFREE char *got = NULL;

    fake_server_canned(rig->server, GET, 200, NULL, "{\"token\":\"same\"}");
    assert_renew(rig, PULL_A, BEARER, "", "Bearer same");
    got = token_rig_renew(rig, PULL_A, BEARER, "Bearer same");
    assert_true(ofs_str_starts(got, "-13: "));
    assert_null(strstr(got, "same"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKEN_TEST(nobody_asks_without_authorization),
        TOKEN_TEST(user_and_password_go_to_the_token_server),
        TOKEN_TEST(an_identity_token_goes_into_a_form),
        TOKEN_TEST(a_server_without_post_is_asked_with_get),
        TOKEN_TEST(a_form_is_not_sent_where_a_redirect_points),
        TOKEN_TEST(basic_is_answered_with_user_and_password),
        TOKEN_TEST(basic_without_credentials_is_a_clear_sentence),
        TOKEN_TEST(a_token_for_the_registry_itself_is_used_as_it_is),
        TOKEN_TEST(what_was_refused_makes_the_source_be_asked_anew),
        TOKEN_TEST(credentials_refused_by_the_token_server_are_asked_anew_once),
        TOKEN_TEST(nobody_refused_is_a_clear_sentence),
        TOKEN_TEST(a_token_servers_trouble_is_not_the_registrys),
        TOKEN_TEST(an_answer_that_is_none_is_refused),
        TOKEN_TEST(a_scope_that_is_refused_is_left_out),
        TOKEN_TEST(an_anonymous_token_is_refused_when_we_said_who_we_are),
        TOKEN_TEST(a_realm_that_must_not_be_talked_to_gets_nothing),
        TOKEN_TEST(what_is_no_challenge_is_told),
        TOKEN_TEST(trouble_of_the_source_is_told),
        TOKEN_TEST(the_same_token_again_is_no_renewal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
