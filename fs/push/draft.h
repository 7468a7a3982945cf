/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DRAFT_H
#define OFS_DRAFT_H

/*
 * What the other parts of push ask of a draft; what its writers ask is in
 * push.h.  Thread-safe.
 */

#include "stream.h"

#include "ocirfs/push.h"

/* What a draft is a copy of, as long as nothing else was written to it. */
struct ofs_origin {
    char *repo; /* owned; NULL: it is a plain file */
    struct ofs_digest digest;
    uint64_t size; /* bytes of the whole; the draft has its first ones */
    bool manifest;
    struct ofs_source *source; /* a reference; may be NULL */
};
void ofs_origin_done(struct ofs_origin *o);

struct ofs_draft {
    struct ofs_push *push; /* immutable, as all up to refs; outlives it */
    char *repo;
    uint64_t number; /* of its file */
    int fd;
    bool frozen; /* belongs to a job: nobody writes to it */
    atomic_uint refs;
    atomic_uint n_records; /* that name the file: it stays on disk */

    struct ofs_mutex mtx;   /* guards all below */
    uint64_t size, charged; /* bytes */
    unsigned writers;       /* write now */
    bool written;           /* ever */
    bool straight;         /* all writes came one at a time, each at the end: */
    struct ofs_hash *hash; /* SHA-256 of all of it, then */
    bool may_stream;
    struct ofs_digest aim; /* alg 0: unknown */
    struct ofs_stream *stream;
    struct ofs_origin origin;
};

/* A file that is there.  Counted in the budget, whether it fits or not; it is
 * deleted with the draft unless a record names it (n_records). */
int ofs_draft_adopt(struct ofs_push *p, const char *repo, uint64_t number,
                    struct ofs_draft **ret, struct ofs_err *err) OFS_MUST_CHECK;
/* A new one with these bytes that nobody will write to. */
int ofs_draft_made(struct ofs_push *p, const char *repo, const void *bytes,
                   size_t len, struct ofs_draft **ret,
                   struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_content {
    uint64_t size; /* bytes */
    struct ofs_digest digest;
};
/* Size and digest of what is in it now; reads the file if it must. */
int ofs_draft_content(struct ofs_draft *d, struct ofs_call *call,
                      enum ofs_digest_alg alg, struct ofs_content *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* All of it, appended to `b`; -EFBIG beyond its limit. */
int ofs_draft_load(struct ofs_draft *d, struct ofs_call *call,
                   struct ofs_buf *b, struct ofs_err *err) OFS_MUST_CHECK;
/* Nothing was ever written to it. */
bool ofs_draft_is_blank(struct ofs_draft *d);
bool ofs_draft_is_plain(struct ofs_draft *d); /* a copy of nothing */
/* Is it a copy of the whole of something?  Then what of; -ENOENT no. */
int ofs_draft_origin(struct ofs_draft *d,
                     struct ofs_origin *ret) OFS_MUST_CHECK;
/* Fetch what it is a copy of, so that it is a plain file. */
int ofs_draft_make_plain(struct ofs_draft *d, struct ofs_call *call,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* The upload that runs already, with a reference; NULL: none. */
struct ofs_stream *ofs_draft_stream(struct ofs_draft *d);
/* It will not be a blob, or not in that repository. */
void ofs_draft_unstream(struct ofs_draft *d);

/* Read the file; plain drafts only. */
int ofs_draft_pread(struct ofs_draft *d, void *buf, size_t len, uint64_t off,
                    size_t *ret_n, struct ofs_err *err) OFS_MUST_CHECK;

#endif
