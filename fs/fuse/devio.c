/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libfuse offers FUSE_CAP_PARALLEL_DIROPS, but before 3.17 leaves it out of
 * what it tells the kernel (its pull request 861).  The kernel then holds a
 * lock of the directory during each lookup and listing, and waits for that
 * lock uninterruptibly: while a registry is silent, one `stat` would hold up
 * every other name of the directory, and Ctrl-C would not end those.
 *
 * So the answer to INIT gets the flag on its way out.  It is the first that a
 * session sends: until then the kernel asks for nothing else.
 */
#include "ops_priv.h"

#include <linux/fuse.h>
#include <stddef.h>
#include <sys/uio.h>
#include <unistd.h>

static void allow_parallel_dirops(const struct iovec *iov, int count)
{
    const size_t least =
        offsetof(struct fuse_init_out, flags) + sizeof(uint32_t);
    const struct fuse_out_header *head = iov[0].iov_base;
    struct fuse_init_out *init;

    if (count != 2 || iov[0].iov_len != sizeof(*head) || head->error != 0 ||
        iov[1].iov_len < least)
        return;
    init = iov[1].iov_base;
    init->flags |= FUSE_PARALLEL_DIROPS;
}

static ssize_t send_reply(int fd, struct iovec *iov, int count, void *userdata)
{
    struct ofs_session *s = userdata;

    if (!atomic_exchange(&s->introduced, true))
        allow_parallel_dirops(iov, count);
    return writev(fd, iov, count);
}

static ssize_t receive(int fd, void *buf, size_t len, void *userdata)
{
    (void)userdata;
    return read(fd, buf, len);
}

int ofs_devio_use(struct ofs_session *s)
{
    static const struct fuse_custom_io io = { .writev = send_reply,
                                              .read = receive };

    return fuse_session_custom_io(s->fuse, &io, fuse_session_fd(s->fuse));
}
