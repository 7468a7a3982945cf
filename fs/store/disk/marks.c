/* SPDX-License-Identifier: Apache-2.0 */

/* The marks of an open blob file, and the right to write its chunks. */

#include "blobfile.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <sys/file.h>

void ofs_blobfile_marks(const struct ofs_blobfile *f, uint32_t first,
                        uint32_t n, uint8_t *ret)
{
    memset(ret, OFS_MARK_ABSENT, n);
    if (ofs_pread_full(f->map_fd, ret, n, OFS_MAP_HEAD_LEN + (uint64_t)first) <
        0)
        memset(ret, OFS_MARK_ABSENT, n);
    for (uint32_t i = 0; i < n; i++)
        if (ret[i] > OFS_MARK_PROVEN)
            ret[i] = OFS_MARK_ABSENT;
}

int ofs_blobfile_mark(const struct ofs_blobfile *f, uint32_t first, uint32_t n,
                      enum ofs_mark mark)
{
    uint8_t bytes[256];
    int r = 0;

    memset(bytes, (int)mark, n < sizeof(bytes) ? n : sizeof(bytes));
    while (n > 0 && r == 0) {
        uint32_t some = n < sizeof(bytes) ? n : (uint32_t)sizeof(bytes);

        r = ofs_pwrite_full(f->map_fd, bytes, some,
                            OFS_MAP_HEAD_LEN + (uint64_t)first);
        first += some;
        n -= some;
    }
    return r;
}

/*
 * Changing a flock lets go of the old one first, so it may be lost if another
 * process comes just then.  That one finds a whole map and a pinned blob is
 * no more than one that is not removed: our descriptors stay good.
 */
int ofs_blobfile_unmark(const struct ofs_blobfile *f, uint32_t chunk)
{
    int r = 0;

    if (flock(f->map_fd, LOCK_EX | LOCK_NB) < 0)
        r = errno == EWOULDBLOCK ? -EBUSY : -errno;
    if (r == 0)
        r = ofs_blobfile_mark(f, chunk, 1, OFS_MARK_ABSENT);
    if (flock(f->map_fd, LOCK_SH | LOCK_NB) < 0 && r == 0)
        r = -EBUSY;
    return r;
}

static int range_lock(const struct ofs_blobfile *f, int type, uint64_t off,
                      uint64_t len)
{
    struct flock fl = {
        .l_type = (short)type,
        .l_whence = SEEK_SET,
        .l_start = (off_t)off,
        .l_len = (off_t)len,
    };

    while (fcntl(f->data_fd, F_OFD_SETLK, &fl) < 0)
        if (errno != EINTR)
            return errno == EACCES ? -EAGAIN : -errno;
    return 0;
}

int ofs_blobfile_claim(const struct ofs_blobfile *f, uint64_t off, uint64_t len)
{
    return range_lock(f, F_WRLCK, off, len);
}

void ofs_blobfile_disclaim(const struct ofs_blobfile *f, uint64_t off,
                           uint64_t len)
{
    (void)range_lock(f, F_UNLCK, off, len);
}
