/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORIGIN_H
#define OFS_ORIGIN_H

/* What a draft is a copy of, and the bytes of that. */

#include "remote.h"

#include "ocirfs/push.h"

/* As long as nothing else was written to the draft. */
struct ofs_origin {
    char *repo; /* owned; NULL: it is a plain file */
    struct ofs_digest digest;
    uint64_t size; /* bytes of the whole; the draft has its first ones */
    bool manifest;
    struct ofs_source *source; /* a reference; may be NULL */
};
void ofs_origin_done(struct ofs_origin *o);
int ofs_origin_copy(const struct ofs_origin *o, /* -ENOMEM */
                    struct ofs_origin *ret) OFS_MUST_CHECK;
int ofs_origin_of(const struct ofs_clone *of, /* -ENOMEM */
                  struct ofs_origin *ret) OFS_MUST_CHECK;

/* A manifest is small, so all of it; a blob comes through the store. */
struct ofs_origin_reader {
    struct ofs_buf manifest;
    struct ofs_blob *blob; /* NULL: it is a manifest */
};
/* Done after a failure, too. */
int ofs_origin_open(const struct ofs_remote *remote, struct ofs_call *call,
                    const struct ofs_origin *o, struct ofs_origin_reader *ret,
                    struct ofs_err *err) OFS_MUST_CHECK;
void ofs_origin_reader_done(struct ofs_origin_reader *rd);
/* *ret_n 0: the end. */
int ofs_origin_read(struct ofs_origin_reader *rd, struct ofs_call *call,
                    void *buf, size_t len, uint64_t off, size_t *ret_n,
                    struct ofs_err *err) OFS_MUST_CHECK;

#endif
