/* SPDX-License-Identifier: Apache-2.0 */
#include "holders.h"

#include "ocirfs/buf.h"
#include "ocirfs/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum {
    MAX_ABOVE = 16,   /* a shell in a script of make in a session ... */
    MAX_FILES = 1024, /* that one process has open */
    TEXT_MAX = 8192,
};

/* The number behind "name:\t" at the beginning of a line; false: none. */
static bool number_of(const char *text, const char *name, unsigned base,
                      uint64_t *ret)
{
    const char *line = strstr(text, name);
    uint64_t n = 0;

    if (!line)
        return false;
    for (line += strlen(name); *line >= '0' && *line <= '9'; line++)
        n = n * base + (uint64_t)(*line - '0');
    *ret = n;
    return *line == '\n';
}

bool ofs_holders_in_fdinfo(const char *text, uint64_t ino)
{
    uint64_t flags, is;

    return number_of(text, "\nflags:\t", 8, &flags) &&
           (flags & O_ACCMODE) != O_RDONLY &&
           number_of(text, "\nino:\t", 10, &is) && is == ino;
}

static void close_list(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static bool holds(int process, uint64_t ino)
{
    OFS_AUTO(close_list) DIR *dir = NULL;
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(TEXT_MAX);
    const struct dirent *e;
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/fdinfo", process);
    dir = opendir(path);
    for (int n = 0; dir && n < MAX_FILES && (e = readdir(dir)); n++) {
        ofs_buf_reset(&text);
        if (e->d_name[0] != '.' &&
            ofs_file_read(dirfd(dir), e->d_name, &text) == 0 &&
            ofs_holders_in_fdinfo(ofs_buf_str(&text), ino))
            return true;
    }
    return false;
}

/* 0: there is none, or it is not to be seen. */
static int parent_of(int process)
{
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(TEXT_MAX);
    uint64_t parent = 0;
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/status", process);
    if (ofs_file_read(AT_FDCWD, path, &text) < 0 ||
        !number_of(ofs_buf_str(&text), "\nPPid:\t", 10, &parent) ||
        parent > INT32_MAX)
        return 0;
    return (int)parent;
}

bool ofs_holders_above(int process, uint64_t ino)
{
    for (int n = 0; n < MAX_ABOVE && process > 1; n++) {
        if (holds(process, ino))
            return true;
        process = parent_of(process);
    }
    return false;
}
