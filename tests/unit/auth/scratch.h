/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TEST_SCRATCH_H
#define OFS_TEST_SCRATCH_H

/*
 * A directory of a test's own with credential files and helpers, which are
 * small shell scripts.  For the test's own thread.
 */

#include "ocirfs/call.h"
#include "ocirfs/clock.h"
#include "ocirfs/file.h"
#include "ocirfs/str.h"

#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <sys/stat.h>

static char scratch_dir[] = "/tmp/ofs-auth-XXXXXX";

static inline int scratch_setup(void **state)
{
    (void)state;
    memcpy(scratch_dir + sizeof(scratch_dir) - 7, "XXXXXX", 6);
    return mkdtemp(scratch_dir) ? 0 : -1;
}

static inline int scratch_remove(const char *path, const struct stat *st,
                                 int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline int scratch_teardown(void **state)
{
    (void)state;
    return nftw(scratch_dir, scratch_remove, 8, FTW_DEPTH | FTW_PHYS);
}

/* Below the directory; owned by the caller. */
static inline char *scratch_path(const char *name)
{
    return ofs_strf("%s/%s", scratch_dir, name);
}

static inline void scratch_write(const char *name, const char *text,
                                 mode_t mode)
{
    OFS_AUTOFREE char *path = scratch_path(name);
    char *slash = strrchr(path, '/');

    *slash = '\0';
    assert_int_equal(ofs_mkdirs(path), 0);
    *slash = '/';
    assert_int_equal(
        ofs_file_replace(AT_FDCWD, path, text, strlen(text), false), 0);
    assert_int_equal(chmod(path, mode), 0);
}

/* docker-credential-<suffix>, with this as the script's text. */
static inline void scratch_helper(const char *suffix, const char *script)
{
    OFS_AUTOFREE char *name = ofs_strf("bin/docker-credential-%s", suffix);
    OFS_AUTOFREE char *text =
        ofs_strf("#!/bin/sh\nDIR='%s'\n%s\n", scratch_dir, script);

    scratch_write(name, text, 0700);
}

/* Wait until the file has a whole line; its text, owned. */
static inline char *scratch_wait_line(const char *name)
{
    OFS_AUTOFREE char *path = scratch_path(name);
    int64_t until = ofs_mono_ms() + 20 * 1000;

    while (ofs_mono_ms() < until) {
        struct ofs_buf b = OFS_BUF_INIT(4096);

        if (ofs_file_read(AT_FDCWD, path, &b) == 0 && b.len > 0 &&
            b.data[b.len - 1] == '\n')
            return ofs_buf_take(&b);
        ofs_buf_done(&b);
        (void)sched_yield();
    }
    return NULL;
}

/* Lines of a file; 0 when it is not there. */
static inline unsigned scratch_lines(const char *name)
{
    OFS_AUTOFREE char *path = scratch_path(name);
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(64 * 1024);
    unsigned n = 0;

    if (ofs_file_read(AT_FDCWD, path, &b) < 0)
        return 0;
    for (size_t i = 0; i < b.len; i++)
        n += b.data[i] == '\n';
    return n;
}

#endif
