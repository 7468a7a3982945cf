/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STREAM_H
#define OFS_STREAM_H

/*
 * A blob that is sent while it is still being written.  Everything here is a
 * wager on the ordinary case: any failure only means that the commit sends
 * the staged copy from its beginning.
 *
 *     writer: more(100) more(200) ... seal(size, digest)   wait()
 *     thread: [HEAD, mount]  POST  PATCH ............. end  PUT ──┘
 *
 * The bytes are read from the file, in which those below `more` do not change
 * any more; who changes them spoils the stream first.  Nothing is buffered.
 * Thread-safe.
 */

#include "sending.h"

#include "ocirfs/reg_uploads.h"
#include "ocirfs/workers.h"

struct ofs_stream;

/* What streams share; immutable. */
struct ofs_stream_cfg {
    struct ofs_registry *registry;
    struct ofs_workers *workers; /* as many streams at a time as it has threads
                                    and room */
    struct ofs_senders *senders;
    int (*where)(void *arg, const struct ofs_digest *digest,
                 struct ofs_strv *ret); /* as in push.h; NULL: nowhere */
    void *where_arg;
};

/*
 * Start sending what is in `fd`, of which `ready` bytes are written.  `aim`:
 * its digest, NULL when unknown.  -EBUSY: too many at a time; -ENOMEM,
 * -EMFILE.
 */
int ofs_stream_start(const struct ofs_stream_cfg *cfg, const char *repo, int fd,
                     const struct ofs_digest *aim, uint64_t ready,
                     struct ofs_stream **ret) OFS_MUST_CHECK;
void ofs_stream_more(struct ofs_stream *s, uint64_t ready);
/* No more comes: it is `size` bytes with this digest. */
void ofs_stream_seal(struct ofs_stream *s, uint64_t size,
                     const struct ofs_digest *digest);
/* It was wrong to send this; wait() fails soon.  Does not block. */
void ofs_stream_spoil(struct ofs_stream *s);
/*
 * Wait for a sealed one.  0: the registry has the blob; -EINTR, -ETIMEDOUT of
 * the call; else what went wrong.
 */
int ofs_stream_wait(struct ofs_stream *s, struct ofs_call *call,
                    enum ofs_pushed *ret_how,
                    struct ofs_err *err) OFS_MUST_CHECK;
/* The thread has a reference too: spoil what is not wanted any more. */
struct ofs_stream *ofs_stream_ref(struct ofs_stream *s);
void ofs_stream_unref(struct ofs_stream *s); /* NULL is nothing */
OFS_DEFINE_AUTO(struct ofs_stream, ofs_stream_unref)

#endif
