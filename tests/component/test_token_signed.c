/* SPDX-License-Identifier: Apache-2.0 */
#include "token_rig.h"

#include "ocirfs/file.h"
#include "ocirfs/ora_auth.h"

#include <fcntl.h>

/* A principal of Oracle's cloud at a token server; tests/system has one that
 * checks its signatures. */

#define MARK "78:ad:d9:5e:f5:7f:58:7b:d1:f4:96:c4:ac:a1:a0:77"
/* {"sub":"{\"userId\":\"anon-1\"}"} as OCIR gives it for a wrong signature. */
#define ANONYMOUS                                                              \
    "{\"token\":\"e30.eyJzdWIiOiJ7XCJ1c2VySWRcIjpcImFub24tMVwifSJ9.x\"}"

static struct ofs_ora_auth *sign_in(struct token_rig *rig)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf pem = OFS_BUF_INIT(64 * 1024);
    struct ofs_ora_auth *auth = NULL;
    struct ofs_ora_auth_cfg cfg = {
        .kind = "api_key",
        .env = { .cli_user = "user",
                 .cli_tenancy = "tenancy",
                 .cli_fingerprint = MARK },
        .clock = &rig->clock,
    };

    assert_int_equal(ofs_file_read(AT_FDCWD,
                                   OFS_TEST_DATA
                                   "/vectors/signing/throwaway-test-key.pem",
                                   &pem),
                     0);
    cfg.env.cli_key_content = ofs_buf_str(&pem);
    if (ofs_ora_auth_open(&cfg, &rig->call, &auth, &rig->err) < 0)
        fail_msg("%s", rig->err.text);
    return auth;
}

static int find_password(void *arg, struct ofs_call *call, const char *host,
                         const char *repo, struct ofs_cred *ret,
                         struct ofs_err *err)
{
    static char pass[] = "pass";
    const struct ofs_secret s = { pass, strlen(pass) };

    (void)call;
    (void)host;
    (void)repo;
    return *(bool *)arg
               ? ofs_cred_make(OFS_CRED_BASIC, "user", &s, "login", ret, err)
               : 0;
}

/* `login`: is there one, too? */
static struct ofs_ora_auth *begin(struct token_rig *rig, bool *login)
{
    struct ofs_ora_auth *auth = sign_in(rig);

    assert_int_equal(ofs_cred_sign(auth, "api_key", &rig->creds[0]), 0);
    ofs_tokens_free(rig->tokens);
    rig->cfg.more_creds.find = find_password;
    rig->cfg.more_creds.arg = login;
    rig->tokens = ofs_tokens_new(&rig->cfg, &rig->err);
    assert_non_null(rig->tokens);
    return auth;
}

static const struct fake_request *nth(struct token_rig *rig, unsigned i)
{
    assert_true(fake_server_count(rig->server, GET) > i);
    return fake_server_request(rig->server, GET, i);
}

static void assert_signed(const struct fake_request *req)
{
    OFS_AUTOFREE char *value = fake_request_header(req, "Authorization");
    OFS_AUTOFREE char *date = fake_request_header(req, "x-date");

    assert_non_null(value);
    assert_true(ofs_str_starts(value, "Signature version=\"1\",keyId=\"tenancy/"
                                      "user/" MARK "\",algorithm="
                                      "\"rsa-sha256\",headers=\"x-date "
                                      "(request-target) host\",signature=\""));
    assert_non_null(date);
}

static void the_request_is_signed_and_stays_at_home(void **state)
{
    struct token_rig *rig = *state;
    bool login = true;
    OFS_AUTO(ofs_ora_auth_freep) struct ofs_ora_auth *auth = begin(rig, &login);

    (void)auth; /* kept for as long as it signs */
    assert_renew(rig, PULL_A,
                 "Bearer realm=\"http://localhost:1/token\",service=\"svc\"",
                 "", "Bearer tok-1");
    assert_signed(nth(rig, 0));
    assert_string_equal(nth(rig, 0)->query,
                        "service=svc&scope=repository%3Ans%2Fa%3Apull");
    assert_get(rig, PULL_A " " PULL_B, "Bearer tok-2");
    assert_string_equal(nth(rig, 1)->query,
                        "service=svc&scope=repository%3Ans%2Fa%3Apull"
                        "&scope=repository%3Ans%2Fb%3Apull");
    assert_get(rig, "repository:ns/a:pull,push", "Bearer tok-3");
    assert_string_equal(nth(rig, 2)->query,
                        "service=svc&scope=repository%3Ans%2Fa%3Apull%2Cpush");
}

static void trouble_is_asked_again_and_a_scope_left_out(void **state)
{
    struct token_rig *rig = *state;
    const struct fake_fault busy = {
        .match = GET, .kind = FAKE_STATUS, .nth = 1, .n = 503
    };
    const struct fake_fault scope = {
        .match = GET, .nth = 2, .kind = FAKE_STATUS, .n = 400
    };
    bool login = false;
    OFS_AUTO(ofs_ora_auth_freep) struct ofs_ora_auth *auth = begin(rig, &login);

    (void)auth; /* kept for as long as it signs */
    fake_server_fault(rig->server, &busy);
    fake_server_fault(rig->server, &scope);
    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_int_equal(fake_server_count(rig->server, GET), 3);
    for (unsigned i = 0; i < 3; i++)
        assert_signed(nth(rig, i));
    assert_string_equal(nth(rig, 2)->query, "service=svc");
}

static void a_signature_that_is_nobodys_is_told_and_a_login_helps(void **state)
{
    struct token_rig *rig = *state;
    bool login = false;
    OFS_AUTO(ofs_ora_auth_freep) struct ofs_ora_auth *auth = begin(rig, &login);
    OFS_AUTOFREE char *told = NULL;

    (void)auth; /* kept for as long as it signs */
    fake_server_canned(rig->server, GET, 200, NULL, ANONYMOUS);
    told = token_rig_renew(rig, PULL_A, BEARER, "");
    assert_true(ofs_str_starts(told, "-13: "));
    assert_non_null(strstr(told, "does not take our signature (api_key) and "
                                 "gives an anonymous token: is the API key "
                                 "uploaded"));
    assert_non_null(strstr(told, MARK));
    assert_int_equal(fake_server_count(rig->server, GET), 1);

    login = true;
    assert_renew(rig, PULL_B, BASIC, "", "Basic dXNlcjpwYXNz");
}

static void a_named_login_comes_first(void **state)
{
    struct token_rig *rig = *state;
    bool login = true;
    OFS_AUTO(ofs_ora_auth_freep) struct ofs_ora_auth *auth = begin(rig, &login);
    const struct ofs_cred_source principal = rig->cfg.creds;

    (void)auth; /* kept for as long as it signs */
    ofs_tokens_free(rig->tokens);
    rig->cfg.creds = rig->cfg.more_creds;
    rig->cfg.more_creds = principal;
    rig->tokens = ofs_tokens_new(&rig->cfg, &rig->err);
    assert_renew(rig, PULL_A, BEARER, "", "Bearer tok-1");
    assert_header(nth(rig, 0), "Authorization", "Basic dXNlcjpwYXNz");
    login = false;
    assert_get(rig, PULL_B, "Bearer tok-2");
    assert_signed(nth(rig, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TOKEN_TEST(the_request_is_signed_and_stays_at_home),
        TOKEN_TEST(trouble_is_asked_again_and_a_scope_left_out),
        TOKEN_TEST(a_signature_that_is_nobodys_is_told_and_a_login_helps),
        TOKEN_TEST(a_named_login_comes_first),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
