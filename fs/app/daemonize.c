/* SPDX-License-Identifier: Apache-2.0 */
#include "daemonize.h"

#include "ocirfs/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

static int wait_for_child(pid_t child, int fd, int *ret_status)
{
    char ready;
    ssize_t n;
    int status;

    do
        n = read(fd, &ready, 1);
    while (n < 0 && errno == EINTR);
    if (n == 1) {
        *ret_status = 0;
        return 1;
    }
    while (waitpid(child, &status, 0) < 0)
        if (errno != EINTR)
            return -errno;
    *ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 1;
    return 1;
}

int ofs_daemon_begin(struct ofs_daemon *d, int *ret_status)
{
    int ends[2];
    pid_t child;

    if (pipe2(ends, O_CLOEXEC) < 0)
        return -errno;
    child = fork();
    if (child < 0) {
        int code = -errno;

        (void)close(ends[0]);
        (void)close(ends[1]);
        return code;
    }
    if (child > 0) {
        (void)close(ends[1]);
        return wait_for_child(child, ends[0], ret_status);
    }
    (void)close(ends[0]);
    /* Until we are ready the caller's death is ours. */
    (void)prctl(PR_SET_PDEATHSIG, SIGTERM);
    d->pipe = ends[1];
    return 0;
}

void ofs_daemon_ready(struct ofs_daemon *d)
{
    OFS_AUTOCLOSE int null = -1;

    if (d->pipe < 0)
        return;
    (void)prctl(PR_SET_PDEATHSIG, 0);
    (void)setsid();
    (void)!chdir("/");
    null = open("/dev/null", O_RDWR | O_CLOEXEC);
    for (int fd = 0; null >= 0 && fd <= 2; fd++)
        (void)dup2(null, fd);
    (void)!write(d->pipe, "r", 1);
    (void)close(d->pipe);
    d->pipe = -1;
}
