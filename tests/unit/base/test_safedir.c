/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ocirfs/cleanup.h"
#include "ocirfs/safedir.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { SOMEBODY = 12345 };

/* ROOT/a/b with what is wrong on the way; "%" in a path is ROOT. */
static char root[64];

static const char *at(const char *path, char out[256])
{
    if (path[0] == '%')
        (void)snprintf(out, 256, "%s%s", root, path + 1);
    else
        (void)snprintf(out, 256, "%s", path);
    return out;
}

static int setup(void **state)
{
    (void)state;
    (void)snprintf(root, sizeof(root), "/tmp/ofs-safedir-XXXXXX");
    return mkdtemp(root) ? 0 : -1;
}

static int teardown(void **state)
{
    char command[128];

    (void)state;
    (void)snprintf(command, sizeof(command), "rm -rf %s", root);
    return system(command); /* NOLINT(cert-env33-c) */
}

static void make(const char *path, mode_t mode, uid_t uid)
{
    char full[256];

    assert_int_equal(mkdir(at(path, full), 0700), 0);
    assert_int_equal(chown(full, uid, uid), 0);
    assert_int_equal(chmod(full, mode), 0);
}

static void make_link(const char *path, const char *target, uid_t uid)
{
    char full[256], to[256];

    assert_int_equal(symlink(at(target, to), at(path, full)), 0);
    assert_int_equal(lchown(full, uid, uid), 0);
}

static int try(const char *path, struct ofs_err *err)
{
    char full[256];
    int fd = ofs_safe_dir(at(path, full), err);

    if (fd >= 0)
        (void)close(fd);
    return fd < 0 ? fd : 0;
}

static void make_ground(void)
{
    make("%/mine", 0755, 0);
    make("%/theirs", 0755, SOMEBODY);
    make("%/theirs/mine", 0700, 0);
    make("%/open", 0777, 0);
    make("%/group", 0775, SOMEBODY);
    make("%/sticky", 01777, 0);
    make("%/sticky/theirs", 0700, SOMEBODY);
    make_link("%/sticky/trap", "%/mine", SOMEBODY);
    make_link("%/mine/ours", "%/sticky", 0);
    make_link("%/mine/away", "../theirs/mine", 0);
    make_link("%/mine/loop", "loop", 0);
    make_link("%/mine/dots", ".././mine//sub", 0);
}

static const struct {
    const char *path;
    int result;
    const char *word;
} rows[] = {
    { "%/mine", 0, "" },
    { "%/mine/new/and/more/", 0, "" },
    { "%/mine/../mine/./x", 0, "" },
    { "%/mine/dots/y", 0, "" },
    { "%/sticky/new", 0, "" },
    { "%/mine/ours/new2", 0, "" },
    { "%/theirs", -EACCES, "'theirs' belongs to user 12345" },
    { "%/theirs/mine/x", -EACCES, "'theirs' belongs to user 12345" },
    { "%/theirs/new", -EACCES, "only root" },
    { "%/open/x", -EACCES, "others may write to 'open'" },
    { "%/group/x", -EACCES, "'group' belongs" },
    { "%/sticky/theirs/x", -EACCES, "'theirs'" },
    { "%/sticky/trap/x", -EACCES, "'trap' belongs to user 12345" },
    { "%/mine/away", -EACCES, "'theirs'" },
    { "%/mine/loop", -ELOOP, "" },
    { "/proc/version", -ENOTDIR, "" },
    { "", -ENOENT, "" },
};

/* proves S73 */
static void root_goes_where_nobody_else_leads(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip();
    make_ground();
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err err = { 0 };
        int r = try(rows[i].path, &err);

        if (r != rows[i].result || !strstr(err.text, rows[i].word))
            fail_msg("%s: %d '%s'", rows[i].path, r, err.text);
    }
}

static void what_is_made_is_private(void **state)
{
    struct stat st;
    char full[256];

    (void)state;
    assert_int_equal(try("%/a/b", NULL), 0);
    assert_int_equal(stat(at("%/a", full), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(stat(at("%/a/b", full), &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
}

/* A group of root's is no other one; another may be let in by a group. */
static void a_group_counts_as_others(void **state)
{
    char full[256];

    (void)state;
    if (geteuid() != 0)
        skip();
    make("%/g", 0775, 0);
    assert_int_equal(try("%/g/x", NULL), 0);
    assert_int_equal(chown(at("%/g", full), 0, SOMEBODY), 0);
    assert_int_equal(try("%/g/x", NULL), -EACCES);
    assert_int_equal(chmod(full, 01775), 0);
    assert_int_equal(try("%/g/x", NULL), 0);
}

/* It is their own affair, as umask 002 is. */
static void ordinary_users_are_not_asked(void **state)
{
    uid_t before = geteuid();
    char full[256];

    (void)state;
    make_ground();
    assert_int_equal(chmod(root, 0777), 0);
    if (before == 0 && seteuid(SOMEBODY) < 0)
        skip();
    assert_int_equal(try("%/open/x", NULL), 0);
    assert_int_equal(try("%/theirs/new", NULL), 0);
    assert_int_equal(try("%/sticky/trap", NULL), 0);
    assert_int_equal(try("%/mine/new", NULL), -EACCES);
    assert_int_equal(access(at("%/theirs/new", full), F_OK), 0);
    assert_int_equal(seteuid(before), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(root_goes_where_nobody_else_leads,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_made_is_private, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(a_group_counts_as_others, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(ordinary_users_are_not_asked, setup,
                                        teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
