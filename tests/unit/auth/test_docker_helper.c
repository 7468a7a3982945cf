/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "docker_helper.h"
#include "scratch.h"

#include "ocirfs/metrics.h"

enum { LONG_MS = 60 * 1000 };

static int get(int64_t timeout_ms, const char *host, struct ofs_cred *ret,
               struct ofs_err *err)
{
    OFS_AUTOFREE char *path = scratch_path("bin");
    const struct ofs_docker_helper_cfg cfg = { path, timeout_ms };
    OFS_AUTO(ofs_call_done) struct ofs_call call;

    ofs_call_init(&call, LONG_MS);
    return ofs_docker_helper_get(&cfg, &call, "t", host, ret, err);
}

static void answers_become_credentials(void **state)
{
    static const struct {
        const char *script;
        enum ofs_cred_kind kind;
        const char *user, *secret;
    } rows[] = {
        { "read -r host; printf '{\"ServerURL\":\"%s\",\"Username\":\"u\","
          "\"Secret\":\"for %s %s\"}' \"$host\" \"$host\" \"$*\"",
          OFS_CRED_BASIC, "u", "for iad.ocir.io get" },
        { "cat >/dev/null; echo '{\"Username\":\"<token>\",\"Secret\":\"r\"}'",
          OFS_CRED_IDENTITY, NULL, "r" },
        { "echo '{\"Username\":\"BEARER_TOKEN\",\"Secret\":\"eyJ.x\"}'",
          OFS_CRED_BASIC, "BEARER_TOKEN", "eyJ.x" },
        { "echo '{\"Username\":\"\",\"Secret\":\"\"}'", OFS_CRED_NONE, NULL,
          NULL },
        { "echo 'credentials not found in native keychain'; exit 1",
          OFS_CRED_NONE, NULL, NULL },
        { "printf 'credentials not found in native keychain'; exit 7",
          OFS_CRED_NONE, NULL, NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };
        struct ofs_err err = { 0 };

        scratch_helper("t", rows[i].script);
        assert_int_equal(get(0, "iad.ocir.io", &c, &err), 0);
        assert_int_equal(c.kind, rows[i].kind);
        if (rows[i].user)
            assert_string_equal(c.user, rows[i].user);
        if (rows[i].secret)
            assert_string_equal(c.secret.text, rows[i].secret);
        if (rows[i].kind != OFS_CRED_NONE)
            assert_string_equal(c.origin, "docker-credential-t");
    }
}

/* Each has "hunter2" in what it writes. */
static void failures_are_told_without_a_secret(void **state)
{
    static const struct {
        const char *script;
        int want;
        const char *words;
    } rows[] = {
        { "echo 'hunter2 garbage'", -EBADMSG, "docker-credential-t: not JSON" },
        { "echo '{\"Username\":\"hunter2\"}'", -EBADMSG,
          "'Secret' is missing" },
        { "echo '{\"Username\":[],\"Secret\":\"hunter2\"}'", -EBADMSG,
          "'Username'" },
        { "printf '{\"Username\":\"a:b\",\"Secret\":\"hunter2\"}'", -EBADMSG,
          "colon" },
        { "printf '{\"Username\":\"u\",\"Secret\":\"hunter2\\\\u0000\"}'",
          -EBADMSG, "'Secret'" },
        { "true # hunter2", -EBADMSG, "not JSON" },
        { "yes hunter2 | head -c 1000000", -EBADMSG,
          "wrote more than 65536 bytes" },
        { "echo 'the keyring is locked'; exit 1", -EIO,
          "docker-credential-t: the keyring is locked" },
        { "echo 'no credentials server URL'; exit 1", -EIO,
          "no credentials server URL" },
        { "echo '{\"Secret\":\"hunter2\"} and more'; exit 4", -EIO,
          "failed with exit status 4" },
        { "echo hunter2; exit 4", -EIO, "failed with exit status 4" },
        { "echo 'no: hunter2aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa'; exit 4", -EIO,
          "failed with exit status 4" },
        { "printf 'hunter2\\nline'; exit 4", -EIO, "exit status 4" },
        { "exit 5", -EIO, "failed with exit status 5" },
        { "kill -15 $$", -EIO, "was ended by signal 15" },
        /* The words alone do not make it: it said that it went well. */
        { "echo 'credentials not found in native keychain'", -EBADMSG,
          "not JSON" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };
        struct ofs_err err = { 0 };

        scratch_helper("t", rows[i].script);
        assert_int_equal(get(0, "h", &c, &err), rows[i].want);
        assert_int_equal(err.code, rows[i].want);
        assert_non_null(strstr(err.text, rows[i].words));
        assert_non_null(strstr(err.text, "docker-credential-t"));
        assert_null(strstr(err.text, "hunter2"));
        assert_int_equal(c.kind, OFS_CRED_NONE);
    }
}

static void one_that_hangs_is_given_up(void **state)
{
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    scratch_helper("t", "exec sleep 1000");
    assert_int_equal(get(100, "h", &c, &err), -EIO);
    assert_string_equal(err.text, "docker-credential-t did not end within "
                                  "100 ms");
}

static void it_is_looked_for_in_absolute_directories_only(void **state)
{
    static const struct {
        const char *path; /* '@' is the test's directory */
        int want;
    } rows[] = {
        { "@/bin", 0 },
        { "/nowhere:@/bin:/usr/bin", 0 },
        { "::@/bin", 0 },
        { "@/not-executable:@/directory:@/bin", 0 },
        { "@/not-executable:@/directory", -EIO },
        { "bin:./bin:", -EIO },
        { "", -EIO },
    };
    OFS_AUTO(ofs_call_done) struct ofs_call call;
    OFS_AUTOFREE char *old = getcwd(NULL, 0);

    (void)state;
    ofs_call_init(&call, LONG_MS);
    scratch_helper("t", "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
    scratch_write("not-executable/docker-credential-t", "x", 0600);
    scratch_write("directory/docker-credential-t/x", "x", 0600);
    assert_int_equal(chdir(scratch_dir), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };
        OFS_AUTOBUF struct ofs_buf path = OFS_BUF_INIT(4096);
        struct ofs_docker_helper_cfg cfg = { 0 };
        struct ofs_err err = { 0 };

        for (const char *p = rows[i].path; *p; p++)
            if (*p == '@')
                (void)ofs_buf_adds(&path, scratch_dir);
            else
                (void)ofs_buf_addc(&path, *p);
        cfg.path = ofs_buf_str(&path);
        assert_int_equal(ofs_docker_helper_get(&cfg, &call, "t", "h", &c, &err),
                         rows[i].want);
        if (rows[i].want)
            assert_string_equal(err.text,
                                "there is no docker-credential-t in PATH");
    }
    assert_int_equal(chdir(old), 0);
}

/* No argument but "get", nothing of the host in the command line. */
static void the_command_line_tells_nothing(void **state)
{
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    OFS_AUTOFREE char *line = NULL;

    (void)state;
    scratch_helper("t", "tr '\\0' ' ' </proc/$$/cmdline >\"$DIR/line\";"
                        "echo >>\"$DIR/line\";"
                        "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
    assert_int_equal(get(0, "secret.example", &c, NULL), 0);
    line = scratch_wait_line("line");
    assert_non_null(strstr(line, "docker-credential-t get \n"));
    assert_null(strstr(line, "secret.example"));
}

static void runs_are_counted(void **state)
{
    int64_t before = ofs_metric_get("ocirfs_helper_runs_total");
    OFS_AUTOCRED struct ofs_cred c = { 0 };

    (void)state;
    scratch_helper("t", "exit 1");
    (void)!get(0, "h", &c, NULL);
    assert_int_equal(ofs_metric_get("ocirfs_helper_runs_total"), before + 1);
}

struct asker {
    pthread_t thread;
    int r;
    struct ofs_cred cred;
};

static void *ask(void *arg)
{
    struct asker *a = arg;

    a->r = get(0, "h", &a->cred, NULL);
    return NULL;
}

static void many_threads_may_ask_at_once(void **state)
{
    struct asker askers[8] = { 0 };

    (void)state;
    scratch_helper("t", "echo '{\"Username\":\"u\",\"Secret\":\"s\"}'");
    for (size_t i = 0; i < OFS_COUNT_OF(askers); i++)
        assert_int_equal(
            pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(askers); i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_int_equal(askers[i].r, 0);
        assert_string_equal(askers[i].cred.secret.text, "s");
        ofs_cred_done(&askers[i].cred);
    }
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(answers_become_credentials),
        TEST(failures_are_told_without_a_secret),
        TEST(one_that_hangs_is_given_up),
        TEST(it_is_looked_for_in_absolute_directories_only),
        TEST(the_command_line_tells_nothing),
        TEST(runs_are_counted),
        TEST(many_threads_may_ask_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
