/* SPDX-License-Identifier: Apache-2.0 */
#include "holders.h"

#include "ocirfs/buf.h"
#include "ocirfs/file.h"
#include "ocirfs/process.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>

enum {
    MAX_ABOVE = 16,   /* a shell in a script of make in a session ... */
    MAX_FILES = 1024, /* that one process has open */
    TEXT_MAX = 8192,
};

bool ofs_holders_in_fdinfo(const char *text, uint64_t ino)
{
    uint64_t flags, is;

    return ofs_process_number(text, "\nflags:\t", 8, &flags) &&
           (flags & O_ACCMODE) != O_RDONLY &&
           ofs_process_number(text, "\nino:\t", 10, &is) && is == ino;
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

bool ofs_holders_above(int process, uint64_t ino)
{
    for (int n = 0; n < MAX_ABOVE && process > 1; n++) {
        if (holds(process, ino))
            return true;
        process = ofs_process_parent(process);
    }
    return false;
}
