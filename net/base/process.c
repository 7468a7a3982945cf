/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/process.h"

#include "ocirfs/buf.h"
#include "ocirfs/file.h"

#include <fcntl.h>
#include <stdio.h>

enum { STATUS_BYTES = 8192 };

bool ofs_process_number(const char *text, const char *name, unsigned base,
                        uint64_t *ret)
{
    const char *at = strstr(text, name);
    uint64_t n = 0;

    if (!at)
        return false;
    for (at += strlen(name); *at >= '0' && *at <= '9'; at++)
        n = n * base + (uint64_t)(*at - '0');
    *ret = n;
    return *at == '\n';
}

/* What its status says behind `name`; 0: nothing. */
static int look_up(int process, const char *name)
{
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(STATUS_BYTES);
    uint64_t n = 0;
    char path[64];

    (void)snprintf(path, sizeof(path), "/proc/%d/status", process);
    if (process <= 0 || ofs_file_read(AT_FDCWD, path, &text) < 0 ||
        strstr(ofs_buf_str(&text), "\nState:\tZ") ||
        !ofs_process_number(ofs_buf_str(&text), name, 10, &n) || n > INT32_MAX)
        return 0;
    return (int)n;
}

int ofs_process_of(int thread)
{
    int process = look_up(thread, "\nTgid:\t");

    return process > 0 ? process : thread;
}

int ofs_process_parent(int process)
{
    return look_up(process, "\nPPid:\t");
}
