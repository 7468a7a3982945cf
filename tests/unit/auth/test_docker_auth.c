/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/docker_auth.h"
#include "scratch.h"

#include "ocirfs/base64.h"

enum { LONG_MS = 60 * 1000 };

static const char counting[] =
    "echo run >>\"$DIR/runs\"; "
    "echo '{\"Username\":\"helped\",\"Secret\":\"s'$(wc -l <\"$DIR/runs\")'\"}'";
static const char not_found[] =
    "echo run >>\"$DIR/runs\"; "
    "echo 'credentials not found in native keychain'; exit 1";

/* All of the environment, below the test's directory. */
struct env {
    char *runtime, *config, *home, *path;
    struct ofs_docker_auth_cfg cfg;
};

static void env_done(struct env *e)
{
    free(e->runtime);
    free(e->config);
    free(e->home);
    free(e->path);
}

static struct env env_make(void)
{
    struct env e = {
        .runtime = scratch_path("run"),
        .config = scratch_path("config"),
        .home = scratch_path("home"),
        .path = ofs_strf("%s/bin:/usr/bin:/bin", scratch_dir),
    };

    e.cfg = (struct ofs_docker_auth_cfg){
        .xdg_runtime_dir = e.runtime,
        .xdg_config_home = e.config,
        .home = e.home,
        .path = e.path,
    };
    return e;
}

static int find_in(struct ofs_docker_auth *a, const char *host,
                   const char *repo, struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_call_done) struct ofs_call call;

    ofs_call_init(&call, LONG_MS);
    return ofs_docker_auth_find(a, &call, host, repo, ret, err);
}

static int find(const struct ofs_docker_auth_cfg *cfg, const char *host,
                struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_docker_auth_freep)
    struct ofs_docker_auth *a = ofs_docker_auth_new(cfg, err);

    assert_non_null(a);
    return find_in(a, host, "ns/app", ret, err);
}

/* {"auths":{"h":{"auth":"<user>:pw"}}} and more members behind. */
static void write_config(const char *name, const char *user, const char *more)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    OFS_AUTOFREE char *pair = ofs_strf("%s:pw", user);

    (void)ofs_buf_adds(&b, "{\"auths\":{\"h\":{\"auth\":\"");
    (void)ofs_base64_encode(&b, pair, strlen(pair));
    (void)ofs_buf_addf(&b, "\"}}%s}", more);
    scratch_write(name, ofs_buf_str(&b), 0600);
}

/* The user found for `h`, "" for nobody. */
static char *user_of(const struct ofs_docker_auth_cfg *cfg)
{
    OFS_AUTOCRED struct ofs_cred c = { 0 };

    assert_int_equal(find(cfg, "h", &c, NULL), 0);
    return strdup(c.user ? c.user : "");
}

static void assert_user(const struct ofs_docker_auth_cfg *cfg, const char *want)
{
    OFS_AUTOFREE char *got = user_of(cfg);

    assert_string_equal(got, want);
}

static void the_first_place_with_a_hit_wins(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTOFREE char *option = scratch_path("option.json");
    OFS_AUTOFREE char *variable = scratch_path("variable.json");

    (void)state;
    assert_user(&e.cfg, "");
    scratch_write("home/.dockercfg", "{\"h\":{\"auth\":\"b2xkOnB3\"}}", 0600);
    assert_user(&e.cfg, "old");
    write_config("home/.docker/config.json", "docker", "");
    assert_user(&e.cfg, "docker");
    write_config("config/containers/auth.json", "config", "");
    assert_user(&e.cfg, "config");
    write_config("run/containers/auth.json", "runtime", "");
    assert_user(&e.cfg, "runtime");
    e.cfg.docker_auth_config = "{\"auths\":{\"h\":{\"auth\":\"ZW52OnB3\"}}}";
    assert_user(&e.cfg, "env");
    write_config("variable.json", "variable", "");
    e.cfg.registry_auth_file = variable;
    assert_user(&e.cfg, "variable");
    write_config("option.json", "option", "");
    e.cfg.auth_file = option;
    assert_user(&e.cfg, "option");
}

static void a_named_file_stands_alone_and_must_be_there(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTOFREE char *option = scratch_path("option.json");
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    write_config("home/.docker/config.json", "docker", "");
    scratch_write("option.json", "{\"auths\":{}}", 0600);
    e.cfg.auth_file = option;
    assert_user(&e.cfg, "");
    assert_int_equal(unlink(option), 0);
    assert_int_equal(find(&e.cfg, "h", &c, &err), -ENOENT);
    assert_non_null(strstr(err.text, option));
}

static void files_are_read_anew_each_time(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTO(ofs_docker_auth_freep)
    struct ofs_docker_auth *a = ofs_docker_auth_new(&e.cfg, NULL);
    OFS_AUTOCRED struct ofs_cred first = { 0 }, second = { 0 };

    (void)state;
    assert_int_equal(find_in(a, "h", NULL, &first, NULL), 0);
    assert_int_equal(first.kind, OFS_CRED_NONE);
    write_config("run/containers/auth.json", "late", "");
    assert_int_equal(find_in(a, "h", "", &second, NULL), 0);
    assert_string_equal(second.user, "late");
}

static void a_malformed_file_is_an_error_with_its_name(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    write_config("home/.docker/config.json", "docker", "");
    scratch_write("run/containers/auth.json", "{\"auths\": hunter2", 0600);
    assert_int_equal(find(&e.cfg, "h", &c, &err), -EBADMSG);
    assert_non_null(strstr(err.text, "run/containers/auth.json: not JSON"));
    assert_null(strstr(err.text, "hunter2"));
}

static void
a_malformed_variable_is_told_when_nothing_else_is_found(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    e.cfg.docker_auth_config = "hunter2";
    assert_int_equal(find(&e.cfg, "h", &c, &err), -EBADMSG);
    assert_true(ofs_str_starts(err.text, "DOCKER_AUTH_CONFIG: not JSON"));
    write_config("home/.docker/config.json", "docker", "");
    assert_user(&e.cfg, "docker");
}

static void a_giant_file_is_refused(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTOFREE char *path = scratch_path("run/containers/auth.json");
    OFS_AUTOCRED struct ofs_cred c = { 0 };

    (void)state;
    scratch_write("run/containers/auth.json", "{}", 0600);
    assert_int_equal(truncate(path, 2 * 1024 * 1024), 0);
    assert_int_equal(find(&e.cfg, "h", &c, NULL), -EBADMSG);
}

/* root may look at everything, so this is a loop of links instead. */
static void only_a_file_that_is_absent_is_passed_over(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTOFREE char *path = scratch_path("run/containers/auth.json");
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    scratch_write("run/containers/x", "", 0600);
    assert_int_equal(symlink("auth.json", path), 0);
    assert_int_equal(find(&e.cfg, "h", &c, &err), -ELOOP);
    assert_non_null(strstr(err.text, path));
    assert_int_equal(unlink(path), 0);
    scratch_write("config", "a file where a directory should be", 0600);
    assert_user(&e.cfg, "");
}

static void helpers_come_before_entries(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();

    (void)state;
    scratch_helper("t", counting);
    write_config("run/containers/auth.json", "plain",
                 ",\"credHelpers\":{\"h\":\"t\"}");
    assert_user(&e.cfg, "helped");
    write_config("run/containers/auth.json", "plain", ",\"credsStore\":\"t\"");
    assert_user(&e.cfg, "plain");
    scratch_write("run/containers/auth.json", "{}", 0600);
    write_config("home/.docker/config.json", "plain", ",\"credsStore\":\"t\"");
    assert_user(&e.cfg, "helped");
    write_config("home/.docker/config.json", "plain",
                 ",\"credsStore\":\"t\",\"credHelpers\":{\"h\":\"\"}");
    assert_user(&e.cfg, "plain");
}

static void where_a_helper_has_nothing_the_search_goes_on(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();

    (void)state;
    scratch_helper("t", not_found);
    write_config("home/.docker/config.json", "next", "");
    scratch_write("run/containers/auth.json",
                  "{\"credHelpers\":{\"h\":\"t\"},\"auths\":{\"h\":{}}}", 0600);
    assert_user(&e.cfg, "next");
    write_config("run/containers/auth.json", "own",
                 ",\"credHelpers\":{\"h\":\"t\"}");
    assert_user(&e.cfg, "own");
}

static void a_helpers_failure_counts_unless_the_file_has_an_entry(void **state)
{
    static const struct {
        const char *script; /* NULL: no such helper */
        int want;
        const char *words;
    } rows[] = {
        { NULL, -EIO, "there is no docker-credential-t in PATH" },
        { "echo 'it is locked'; exit 1", -EIO, "it is locked" },
        { "echo hunter2", -EBADMSG, "not JSON" },
    };
    OFS_AUTO(env_done) struct env e = env_make();

    (void)state;
    write_config("home/.docker/config.json", "next", "");
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };
        struct ofs_err err = { 0 };

        if (rows[i].script)
            scratch_helper("t", rows[i].script);
        scratch_write("run/containers/auth.json",
                      "{\"credHelpers\":{\"h\":\"t\"}}", 0600);
        assert_int_equal(find(&e.cfg, "h", &c, &err), rows[i].want);
        assert_non_null(strstr(err.text, rows[i].words));
        assert_non_null(strstr(err.text, "run/containers/auth.json: "));
        write_config("run/containers/auth.json", "own",
                     ",\"credHelpers\":{\"h\":\"t\"}");
        assert_user(&e.cfg, "own");
    }
}

static void a_helpers_answer_serves_until_it_is_forgotten(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTO(ofs_docker_auth_freep)
    struct ofs_docker_auth *a = ofs_docker_auth_new(&e.cfg, NULL);
    static const struct {
        bool forget;
        const char *host, *repo, *secret;
    } rows[] = {
        { false, "h", "a", "s1" }, { false, "h", "b", "s1" },
        { false, "i", "a", "s2" }, { true, "h", "a", "s3" },
        { false, "i", "b", "s2" }, { false, "h", "b", "s3" },
    };

    (void)state;
    scratch_helper("t", counting);
    scratch_write("home/.docker/config.json", "{\"credsStore\":\"t\"}", 0600);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCRED struct ofs_cred c = { 0 };

        if (rows[i].forget)
            ofs_docker_auth_forget(a, rows[i].host);
        assert_int_equal(find_in(a, rows[i].host, rows[i].repo, &c, NULL), 0);
        assert_string_equal(c.secret.text, rows[i].secret);
    }
}

struct asker {
    struct ofs_docker_auth *a;
    pthread_t thread;
    int r;
    struct ofs_cred cred;
};

static void *ask(void *arg)
{
    struct asker *k = arg;

    k->r = find_in(k->a, "h", "x", &k->cred, NULL);
    return NULL;
}

static void one_helper_runs_for_all_who_ask(void **state)
{
    OFS_AUTO(env_done) struct env e = env_make();
    OFS_AUTO(ofs_docker_auth_freep)
    struct ofs_docker_auth *a = ofs_docker_auth_new(&e.cfg, NULL);
    struct asker askers[8] = { 0 };

    (void)state;
    scratch_helper("t", counting);
    scratch_write("home/.docker/config.json", "{\"credsStore\":\"t\"}", 0600);
    for (size_t i = 0; i < OFS_COUNT_OF(askers); i++) {
        askers[i].a = a;
        assert_int_equal(
            pthread_create(&askers[i].thread, NULL, ask, &askers[i]), 0);
    }
    for (size_t i = 0; i < OFS_COUNT_OF(askers); i++) {
        assert_int_equal(pthread_join(askers[i].thread, NULL), 0);
        assert_int_equal(askers[i].r, 0);
        assert_string_equal(askers[i].cred.secret.text, "s1");
        ofs_cred_done(&askers[i].cred);
    }
    assert_int_equal(scratch_lines("runs"), 1);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_first_place_with_a_hit_wins),
        TEST(a_named_file_stands_alone_and_must_be_there),
        TEST(files_are_read_anew_each_time),
        TEST(a_malformed_file_is_an_error_with_its_name),
        TEST(a_malformed_variable_is_told_when_nothing_else_is_found),
        TEST(a_giant_file_is_refused),
        TEST(only_a_file_that_is_absent_is_passed_over),
        TEST(helpers_come_before_entries),
        TEST(where_a_helper_has_nothing_the_search_goes_on),
        TEST(a_helpers_failure_counts_unless_the_file_has_an_entry),
        TEST(a_helpers_answer_serves_until_it_is_forgotten),
        TEST(one_helper_runs_for_all_who_ask),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
