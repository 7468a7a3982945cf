/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum { ROUNDS = 300, LEFT_OVERS = 1500 };

/* A directory of its own below the one the test is run in. */
static char root[] = "test_file.XXXXXX";
static int root_fd = -1;

static int setup(void **state)
{
    (void)state;
    if (!mkdtemp(root))
        return -1;
    root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return root_fd < 0 ? -1 : 0;
}

/* Removes what a directory holds; returns how many names that were. */
static int empty(int dirfd)
{
    int fd = openat(dirfd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), n = 0;
    DIR *dir = fdopendir(fd);
    const struct dirent *e;

    if (!dir)
        return -1;
    while ((e = readdir(dir))) {
        if (strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0)
            continue;
        n++;
        if (unlinkat(dirfd, e->d_name, 0) < 0) {
            OFS_AUTOCLOSE int sub =
                openat(dirfd, e->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

            (void)empty(sub);
            (void)unlinkat(dirfd, e->d_name, AT_REMOVEDIR);
        }
    }
    (void)closedir(dir);
    return n;
}

static int each_teardown(void **state)
{
    (void)state;
    return empty(root_fd) < 0;
}

static int teardown(void **state)
{
    (void)state;
    (void)close(root_fd);
    return rmdir(root);
}

static void a_replaced_file_reads_back(void **state)
{
    static char big[100 * 1000];
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(sizeof(big));
    struct stat st;

    (void)state;
    for (size_t i = 0; i < sizeof(big); i++)
        big[i] = (char)(i * 7);
    for (int durable = 0; durable < 2; durable++) {
        assert_int_equal(ofs_file_replace(root_fd, "f", "old", 3, durable), 0);
        assert_int_equal(
            ofs_file_replace(root_fd, "f", big, sizeof(big), durable), 0);
        ofs_buf_reset(&b);
        assert_int_equal(ofs_file_read(root_fd, "f", &b), 0);
        assert_int_equal(b.len, sizeof(big));
        assert_memory_equal(b.data, big, sizeof(big));
    }
    assert_int_equal(fstatat(root_fd, "f", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(empty(root_fd), 1);
}

static void an_empty_file_is_a_file(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1);

    (void)state;
    assert_int_equal(ofs_file_replace(root_fd, "f", NULL, 0, false), 0);
    assert_int_equal(ofs_file_read(root_fd, "f", &b), 0);
    assert_int_equal(b.len, 0);
}

static void paths_may_have_directories(void **state)
{
    OFS_AUTOFREE char *path = NULL;
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10);

    (void)state;
    assert_int_equal(mkdirat(root_fd, "d", 0700), 0);
    assert_int_equal(ofs_file_replace(root_fd, "d/f", "1", 1, true), 0);
    assert_true(asprintf(&path, "%s/d/f", root) > 0);
    assert_int_equal(ofs_file_read(AT_FDCWD, path, &b), 0);
    assert_string_equal(ofs_buf_str(&b), "1");
}

static void reading_has_a_limit_and_tells_what_failed(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4);

    (void)state;
    assert_int_equal(ofs_file_replace(root_fd, "f", "12345", 5, false), 0);
    assert_int_equal(ofs_file_read(root_fd, "f", &b), -EFBIG);
    ofs_buf_reset(&b);
    assert_int_equal(ofs_file_read(root_fd, "none", &b), -ENOENT);
    assert_int_equal(ofs_file_read(root_fd, ".", &b), -EISDIR);
    assert_int_equal(ofs_file_read(root_fd, "f/x", &b), -ENOTDIR);
}

static void a_pipe_can_be_read(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10);
    char path[64];
    int fds[2];

    (void)state;
    assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
    assert_int_equal(write(fds[1], "piped", 5), 5);
    assert_int_equal(close(fds[1]), 0);
    (void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fds[0]);
    assert_int_equal(ofs_file_read(AT_FDCWD, path, &b), 0);
    assert_string_equal(ofs_buf_str(&b), "piped");
    assert_int_equal(close(fds[0]), 0);
}

static void a_failed_replacement_leaves_nothing(void **state)
{
    char too_long[PATH_MAX + 1], long_name[300];

    (void)state;
    memset(too_long, 'x', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    memset(long_name, 'x', sizeof(long_name) - 1);
    long_name[sizeof(long_name) - 1] = '\0';
    assert_int_equal(ofs_file_replace(root_fd, "no/f", "1", 1, false), -ENOENT);
    assert_int_equal(ofs_file_replace(root_fd, too_long, "1", 1, false),
                     -ENAMETOOLONG);
    assert_int_equal(ofs_file_replace(root_fd, long_name, "1", 1, true),
                     -ENAMETOOLONG);
    assert_int_equal(empty(root_fd), 0);
    assert_int_equal(mkdirat(root_fd, "d", 0700), 0);
    assert_int_equal(ofs_file_replace(root_fd, "d", "1", 1, false), -EISDIR);
    assert_int_equal(empty(root_fd), 1);
}

static void litter(int from, int n)
{
    for (int i = from; i < from + n; i++) {
        char name[64];
        int fd;

        (void)snprintf(name, sizeof(name), OFS_FILE_TMP_PREFIX "%ld-%d",
                       (long)getpid(), i);
        fd = openat(root_fd, name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
        assert_true(fd >= 0);
        assert_int_equal(close(fd), 0);
    }
}

static void left_overs_of_a_killed_process_do_not_matter(void **state)
{
    (void)state;
    litter(0, 200);
    assert_int_equal(ofs_file_replace(root_fd, "f", "1", 1, false), 0);
}

static void endless_left_overs_are_an_error(void **state)
{
    (void)state;
    litter(0, LEFT_OVERS);
    assert_int_equal(ofs_file_replace(root_fd, "f", "1", 1, false), -EEXIST);
}

static void *replace_often(void *arg)
{
    int r = 0;

    for (int i = 0; i < ROUNDS && r == 0; i++)
        r = ofs_file_replace(root_fd, "f", i % 2 ? "odd" : "even",
                             i % 2 ? 3 : 4, false);
    atomic_store((atomic_int *)arg, r == 0 ? 1 : r);
    return NULL;
}

static void a_reader_sees_the_old_or_the_new(void **state)
{
    atomic_int done = 0;
    pthread_t thread;

    (void)state;
    assert_int_equal(ofs_file_replace(root_fd, "f", "odd", 3, false), 0);
    assert_int_equal(pthread_create(&thread, NULL, replace_often, &done), 0);
    while (atomic_load(&done) == 0) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10);

        assert_int_equal(ofs_file_read(root_fd, "f", &b), 0);
        if (strcmp(ofs_buf_str(&b), "odd") != 0)
            assert_string_equal(ofs_buf_str(&b), "even");
    }
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&done), 1);
}

static void ranges_are_whole_or_an_error(void **state)
{
    OFS_AUTOCLOSE int fd =
        openat(root_fd, "f", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    char text[8] = "";

    (void)state;
    assert_int_equal(ofs_pwrite_full(fd, "abcdef", 6, 2), 0);
    assert_int_equal(ofs_pread_full(fd, text, 6, 2), 0);
    assert_string_equal(text, "abcdef");
    assert_int_equal(ofs_pread_full(fd, text, 8, 0), 0);
    assert_memory_equal(text, "\0\0abcdef", 8);
    assert_int_equal(ofs_pread_full(fd, text, 8, 1), -EIO);
    assert_int_equal(ofs_pread_full(fd, text, 0, 99), 0);
    assert_int_equal(ofs_pread_full(-1, text, 1, 0), -EBADF);
    assert_int_equal(ofs_pwrite_full(-1, text, 1, 0), -EBADF);
}

static void a_full_disk_is_told(void **state)
{
    OFS_AUTOCLOSE int fd = open("/dev/full", O_WRONLY | O_CLOEXEC);

    (void)state;
    assert_int_equal(ofs_pwrite_full(fd, "x", 1, 0), -ENOSPC);
}

static int mkdirs(const char *below)
{
    char path[256];

    (void)snprintf(path, sizeof(path), "%s/%s", root, below);
    return ofs_mkdirs(path);
}

static void directories_are_made_with_their_parents(void **state)
{
    struct stat st;

    (void)state;
    assert_int_equal(mkdirs("a/b//c/"), 0);
    assert_int_equal(fstatat(root_fd, "a/b/c", &st, 0), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    assert_int_equal(mkdirs("a/b/c"), 0);
    assert_int_equal(mkdirs("a/b/d"), 0);
    assert_int_equal(ofs_mkdirs("/"), 0);
    assert_int_equal(ofs_mkdirs("/proc/self"), 0);
    assert_int_equal(ofs_mkdirs(""), -ENOENT);
}

static void directories_stop_at_what_is_none(void **state)
{
    (void)state;
    assert_int_equal(ofs_file_replace(root_fd, "f", "1", 1, false), 0);
    assert_int_equal(mkdirs("f"), -ENOTDIR);
    assert_int_equal(mkdirs("f/x"), -ENOTDIR);
    assert_int_equal(symlinkat("nowhere", root_fd, "l"), 0);
    assert_int_equal(mkdirs("l"), -ENOTDIR);
    assert_true(ofs_mkdirs("/proc/none") < 0);
}

static void a_private_directory_is_ours_alone(void **state)
{
    struct ofs_err err = { 0 };
    struct stat st;
    int fd = ofs_private_dir(root_fd, "mine", &err);

    (void)state;
    assert_true(fd >= 0);
    assert_int_equal(fstat(fd, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0700);
    (void)close(fd);
    fd = ofs_private_dir(root_fd, "mine", &err);
    assert_true(fd >= 0);
    assert_int_equal(fchmod(fd, 0750), 0);
    (void)close(fd);
    assert_int_equal(ofs_private_dir(root_fd, "mine", &err), -EACCES);
    assert_non_null(strstr(err.text, "mine"));
    assert_int_equal(symlinkat("/tmp", root_fd, "link"), 0);
    assert_int_equal(ofs_private_dir(root_fd, "link", &err), -ENOTDIR);
    assert_int_equal(unlinkat(root_fd, "link", 0), 0);
    assert_int_equal(unlinkat(root_fd, "mine", AT_REMOVEDIR), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(a_replaced_file_reads_back, each_teardown),
        cmocka_unit_test_teardown(an_empty_file_is_a_file, each_teardown),
        cmocka_unit_test_teardown(paths_may_have_directories, each_teardown),
        cmocka_unit_test_teardown(reading_has_a_limit_and_tells_what_failed,
                                  each_teardown),
        cmocka_unit_test_teardown(a_pipe_can_be_read, each_teardown),
        cmocka_unit_test_teardown(a_failed_replacement_leaves_nothing,
                                  each_teardown),
        cmocka_unit_test_teardown(left_overs_of_a_killed_process_do_not_matter,
                                  each_teardown),
        cmocka_unit_test_teardown(endless_left_overs_are_an_error,
                                  each_teardown),
        cmocka_unit_test_teardown(a_reader_sees_the_old_or_the_new,
                                  each_teardown),
        cmocka_unit_test_teardown(ranges_are_whole_or_an_error, each_teardown),
        cmocka_unit_test_teardown(a_full_disk_is_told, each_teardown),
        cmocka_unit_test_teardown(directories_are_made_with_their_parents,
                                  each_teardown),
        cmocka_unit_test_teardown(directories_stop_at_what_is_none,
                                  each_teardown),
        cmocka_unit_test_teardown(a_private_directory_is_ours_alone,
                                  each_teardown),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
