/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Buffers for reads.  A hundred operations may wait for data at once, each
 * with room for its answer; what malloc once gave such a thread would stay
 * resident.  So the buffers are mapped: untouched ones cost nothing, a few hot
 * ones are kept for the next read, and the rest goes back to the kernel.
 */
#include "ops_priv.h"

#include <sys/mman.h>

static size_t length_of(size_t len)
{
    return len <= OFS_IOBUF_BYTES ? OFS_IOBUF_BYTES : len;
}

void ofs_iobufs_init(struct ofs_iobufs *p)
{
    *p = (struct ofs_iobufs){ 0 };
    ofs_mutex_init(&p->mtx, OFS_RANK_WORKERS);
}

void ofs_iobufs_done(struct ofs_iobufs *p)
{
    while (p->n_kept > 0)
        (void)munmap(p->kept[--p->n_kept], OFS_IOBUF_BYTES);
    ofs_mutex_done(&p->mtx);
}

void *ofs_iobuf_get(struct ofs_iobufs *p, size_t len)
{
    void *buf;

    if (len <= OFS_IOBUF_BYTES) {
        OFS_GUARD(&p->mtx);
        if (p->n_kept > 0)
            return p->kept[--p->n_kept];
    }
    buf = mmap(NULL, length_of(len), PROT_READ | PROT_WRITE,
               MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    return buf == MAP_FAILED ? NULL : buf;
}

void ofs_iobuf_put(struct ofs_iobufs *p, void *buf, size_t len)
{
    if (len <= OFS_IOBUF_BYTES) {
        OFS_GUARD(&p->mtx);
        if (p->n_kept < OFS_IOBUF_KEPT) {
            p->kept[p->n_kept++] = buf;
            return;
        }
    }
    (void)munmap(buf, length_of(len));
}
