/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/options.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static const struct ofs_env user = { .home = "/home/u",
                                     .uid = 1000,
                                     .gid = 100 };

enum { MAX_ARGS = 8 };

static int parse(const char *const *args, const struct ofs_env *env,
                 struct ofs_options *ret, struct ofs_err *err)
{
    char *argv[MAX_ARGS + 1];
    int argc = 0;

    for (; args[argc]; argc++) {
        argv[argc] = strdup(args[argc]);
        assert_non_null(argv[argc]);
    }
    argv[argc] = NULL;
    int r = ofs_options_parse(argc, argv, env, ret, err);

    for (int i = 0; i < argc; i++)
        free(argv[i]);
    return r;
}

static void source_and_mountpoint_suffice(void **state)
{
    const char *const args[] = { "ocirfs", "https://r.example", "/mnt", NULL };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 };

    (void)state;
    assert_int_equal(parse(args, &user, &o, NULL), 0);
    assert_string_equal(o.source, "https://r.example");
    assert_string_equal(o.mountpoint, "/mnt");
    assert_int_equal(o.ttl_ms, 10000);
    assert_int_equal(o.timeout_ms, 30000);
    assert_string_equal(o.cache_dir, "/home/u/.cache/ocirfs");
    assert_int_equal(o.uid, 1000);
    assert_int_equal(o.gid, 100);
    assert_false(o.foreground);
}

static void mount_passes_options_behind_the_names(void **state)
{
    const char *const args[] = {
        "mount.fuse.ocirfs",
        "https://r.example",
        "/mnt",
        "-o",
        "rw,_netdev,x-systemd.automount,ttl=5m,repos=a/b:c,allow_other,bg",
        NULL
    };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 };

    (void)state;
    assert_int_equal(parse(args, &user, &o, NULL), 0);
    assert_int_equal(o.ttl_ms, 300000);
    assert_int_equal(o.repos.n, 2);
    assert_string_equal(o.repos.at[0], "a/b");
    assert_string_equal(o.repos.at[1], "c");
    assert_true(o.bg);
    assert_int_equal(o.kernel.n, 1);
    assert_string_equal(o.kernel.at[0], "allow_other");
}

static void what_may_be_changed_is_ours(void **state)
{
    const char *const args[] = {
        "ocirfs",
        "s",
        "m",
        "-o",
        "ro,allow_delete,no_overwrite,staging_size=3G,nodev",
        NULL
    };
    const char *const none[] = { "ocirfs", "s", "m", NULL };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 }, plain = { 0 };

    (void)state;
    assert_int_equal(parse(args, &user, &o, NULL), 0);
    assert_true(o.read_only && o.allow_delete && o.no_overwrite);
    assert_int_equal(o.staging_bytes, 3ull << 30);
    assert_int_equal(o.kernel.n, 1); /* the kernel is told of ro later */
    assert_int_equal(parse(none, &user, &plain, NULL), 0);
    assert_false(plain.read_only || plain.allow_delete || plain.no_overwrite);
    assert_int_equal(plain.staging_bytes, 20ull << 30);
}

static void an_escaped_comma_belongs_to_the_value(void **state)
{
    const char *const args[] = { "ocirfs", "s", "m", "-ocache=/a\\,b,ttl=1",
                                 NULL };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 };

    (void)state;
    assert_int_equal(parse(args, &user, &o, NULL), 0);
    assert_string_equal(o.cache_dir, "/a,b");
    assert_int_equal(o.ttl_ms, 1000);
}

static void a_helper_takes_f_for_fake(void **state)
{
    const char *const args[] = { "/sbin/mount.ocirfs", "s", "m", "-f", NULL };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 };

    (void)state;
    assert_int_equal(parse(args, &user, &o, NULL), 0);
    assert_true(o.fake);
    assert_false(o.foreground);
}

static void the_cache_follows_the_environment(void **state)
{
    const char *const args[] = { "ocirfs", "s", "m", NULL };
    const struct ofs_env root = { .home = "/root" };
    const struct ofs_env xdg = { .xdg_cache_home = "/c", .uid = 1 };
    const struct ofs_env none = { .uid = 1 };
    struct ofs_options o = { 0 };

    (void)state;
    assert_int_equal(parse(args, &root, &o, NULL), 0);
    assert_string_equal(o.cache_dir, "/var/cache/ocirfs");
    ofs_options_done(&o);
    assert_int_equal(parse(args, &xdg, &o, NULL), 0);
    assert_string_equal(o.cache_dir, "/c/ocirfs");
    ofs_options_done(&o);
    assert_int_equal(parse(args, &none, &o, NULL), -EINVAL);
}

static void what_is_wrong_is_named(void **state)
{
    static const struct {
        const char *option, *says;
    } rows[] = {
        { "tll=5", "unknown option 'tll'; did you mean 'ttl'?" },
        { "allow-others", "did you mean 'allow_other'?" },
        { "zzz", "'ocirfs --help' lists them" },
        { "remount", "umount, then mount again" },
        { "ttl=5d", "'5d' is not a time like 500ms" },
        { "ttl=25h", "24h at most" },
        { "cache_size=10", "'10' is not a size like 500M" },
        { "mirror=https://joe:hush@m", "without a user or password" },
        { "mirror=joe:hush@m", "without a user or password" },
        { "identity=https://joe@m/x", "without a user or password" },
        { "ttl", "needs a value" },
        { "ttl=soon", "'soon' is not a time like 500ms" },
        { "ttl=-1", "'-1' is not a time" },
        { "ttl=99999999999999999999", "is not a time" },
        { "timeout=0", "0 is no time" },
        { "bg=yes", "takes no value" },
        { "cache_size=1X", "'1X' is not a size like 500M" },
        { "cache-fsfree=101", "'101' is not a number from 0 to 100" },
        { "verify=maybe", "'maybe' is not 'lazy', 'strict' or 'always'" },
        { "uid=root", "'root' is not a number" },
        { "umask=9", "'9' is not an octal number" },
        { "umask=7777", "'7777' is not an octal number" },
        { "repos=a::b", "'a::b' is not a list of names" },
        { "log=loud", "'loud' is not 'error', 'warn'" },
        { "mirror=", "option 'mirror' needs a URL" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const char *const args[] = { "ocirfs",       "s", "m", "-o",
                                     rows[i].option, NULL };
        struct ofs_options o = { 0 };
        struct ofs_err err = { 0 };

        if (parse(args, &user, &o, &err) != -EINVAL ||
            !strstr(err.text, rows[i].says))
            fail_msg("%s: '%s'", rows[i].option, err.text);
        assert_null(strstr(err.text, "hush"));
        assert_null(o.source);
    }
}

static void a_source_must_fit_its_options(void **state)
{
    static const struct {
        const char *source, *option, *says; /* NULL: it is right */
    } rows[] = {
        { "https://r.example", "auth=api_key", "option 'auth' is for OCIR" },
        { "https://r.example", "compartment=prod", "'compartment' is for" },
        { "http://localhost:5000", "config=/c", "'config' is for OCIR" },
        { "https://r.example", "auth=api_key,region=gru", NULL },
        { "gru", "auth=api_key,compartment=prod", NULL },
        { "https://r.example", "ttl=5", NULL },
        { "https://joe:hush@r.example", "ttl=5", "no user and password" },
        { "https://joe@r.example/x", "ttl=5", "no user and password" },
        { "https://r.example/a@b", "ttl=5", NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const char *const args[] = { "ocirfs", rows[i].source, "m",
                                     "-o",     rows[i].option, NULL };
        OFS_AUTOOPTIONS struct ofs_options o = { 0 };
        struct ofs_err err = { 0 };
        int r = parse(args, &user, &o, &err);

        if ((r == 0) != !rows[i].says ||
            (r < 0 && !strstr(err.text, rows[i].says)))
            fail_msg("%s: '%s'", rows[i].option, err.text);
        assert_null(strstr(err.text, "hush"));
    }
}

static void both_spellings_and_what_mount_passes_are_taken(void **state)
{
    const char *const args[] = {
        "ocirfs",
        "s",
        "m",
        "-o",
        "cache_fsfree=7,allow-delete,norelatime,lazytime,sync,strictatime,"
        "nodiratime,dev",
        NULL
    };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 };

    (void)state;
    assert_int_equal(parse(args, &user, &o, NULL), 0);
    assert_int_equal(o.cache_fsfree_pct, 7);
    assert_true(o.allow_delete);
    assert_int_equal(o.kernel.n, 2);
}

static void values_are_read_as_people_write_them(void **state)
{
    const char *const args[] = {
        "ocirfs",
        "s",
        "m",
        "-o",
        "cache_size=20G,cache-fsfree=7%,umask=027,uid=5,gid=6,timeout=500ms,"
        "verify=strict,log=error",
        NULL
    };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 };

    (void)state;
    assert_int_equal(parse(args, &user, &o, NULL), 0);
    assert_true(o.cache_bytes == 20ull << 30);
    assert_int_equal(o.cache_fsfree_pct, 7);
    assert_int_equal(o.umask, 027);
    assert_int_equal(o.uid, 5);
    assert_int_equal(o.gid, 6);
    assert_int_equal(o.timeout_ms, 500);
    assert_int_equal(o.verify, OFS_VERIFY_STRICT);
    assert_int_equal(o.log_level, OFS_ERROR);
}

static void names_are_counted(void **state)
{
    const char *const none[] = { "ocirfs", NULL };
    const char *const one[] = { "ocirfs", "s", NULL };
    const char *const three[] = { "ocirfs", "a", "b", "c", NULL };
    const char *const flag[] = { "ocirfs", "-x", "a", "b", NULL };
    const char *const help[] = { "ocirfs", "--help", NULL };
    const char *const words[] = { "ocirfs", "help", NULL };
    const char *const place[] = { "ocirfs", "help", "/mnt", NULL };
    OFS_AUTOOPTIONS struct ofs_options o = { 0 }, w = { 0 }, p = { 0 };

    (void)state;
    assert_int_equal(parse(none, &user, &o, NULL), -EINVAL);
    assert_int_equal(parse(one, &user, &o, NULL), -EINVAL);
    assert_int_equal(parse(three, &user, &o, NULL), -EINVAL);
    assert_int_equal(parse(flag, &user, &o, NULL), -EINVAL);
    assert_int_equal(parse(help, &user, &o, NULL), 0);
    assert_true(o.help);
    assert_int_equal(parse(words, &user, &w, NULL), 0);
    assert_true(w.help);
    assert_int_equal(parse(place, &user, &p, NULL), 0);
    assert_false(p.help);
}

static void help_names_every_option_once(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(64 * 1024);

    (void)state;
    assert_int_equal(ofs_options_help(&b), 0);
    assert_non_null(strstr(ofs_buf_str(&b), "-o ttl=TIME"));
    assert_non_null(strstr(ofs_buf_str(&b), "-o cache-fsfree=PERCENT"));
    assert_non_null(strstr(ofs_buf_str(&b), "MOUNTPOINT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(source_and_mountpoint_suffice),
        cmocka_unit_test(mount_passes_options_behind_the_names),
        cmocka_unit_test(what_may_be_changed_is_ours),
        cmocka_unit_test(an_escaped_comma_belongs_to_the_value),
        cmocka_unit_test(a_helper_takes_f_for_fake),
        cmocka_unit_test(the_cache_follows_the_environment),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(a_source_must_fit_its_options),
        cmocka_unit_test(both_spellings_and_what_mount_passes_are_taken),
        cmocka_unit_test(values_are_read_as_people_write_them),
        cmocka_unit_test(names_are_counted),
        cmocka_unit_test(help_names_every_option_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
