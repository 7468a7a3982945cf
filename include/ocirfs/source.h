/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SOURCE_H
#define OFS_SOURCE_H

/*
 * Where bytes of a blob come from.  The store reads missing chunks through
 * this and so knows neither HTTP nor registries; tests give it an array.
 */

#include "ocirfs/call.h"

#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>

struct ofs_source;

/* Takes bytes in order; a negative errno ends the transfer. */
typedef int ofs_source_sink(void *arg, const void *data, size_t len);

struct ofs_source_ops {
    /*
     * Stream exactly [off, off + len) to `sink`, in order; the range lies
     * within the blob, len > 0.  The sink may be called on another thread,
     * one call at a time, and not after return.  Blocks as `call` allows;
     * thread-safe.  0, or a negative errno after fewer bytes: -ENOENT the blob
     * is gone, -EACCES not ours to read, -EBADMSG the peer broke the protocol
     * or has a blob of another size, the sink's own, or a network errno.
     *
     * `attempt` counts from 0; it is 1 when the bytes of attempt 0 turned out
     * to be damaged and another origin should be asked if there is one.
     */
    int (*read)(struct ofs_source *s, struct ofs_call *call, uint64_t off,
                uint64_t len, int attempt, ofs_source_sink *sink, void *arg,
                struct ofs_err *err);
    void (*free)(struct ofs_source *s); /* the last reference is gone */
};

struct ofs_source {
    const struct ofs_source_ops *ops;
    const char *name; /* for messages and transfers: "prod/app"; lives with s */
    atomic_uint refs; /* starts at 1 */
};

static inline struct ofs_source *ofs_source_ref(struct ofs_source *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

static inline void ofs_source_unref(struct ofs_source *s)
{
    if (s && atomic_fetch_sub(&s->refs, 1) == 1)
        s->ops->free(s);
}

OFS_DEFINE_AUTO(struct ofs_source, ofs_source_unref)

#endif
