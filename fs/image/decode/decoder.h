/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DECODER_H
#define OFS_DECODER_H

/*
 * A layer's unpacked bytes, in order, from its beginning or from a checkpoint.
 * One thread at a time.
 */

#include "codec.h"

enum ofs_packing {
    OFS_PACKING_NONE,
    OFS_PACKING_GZIP,
    OFS_PACKING_ZSTD,
    OFS_N_PACKINGS
};

struct ofs_decoder;

/* By the first bytes; media types are often wrong. */
enum ofs_packing ofs_packing_sniff(const uint8_t *data, size_t len);
/* The same of a layer that is there to be read. */
int ofs_packing_of(const struct ofs_packed *from, struct ofs_call *call,
                   enum ofs_packing *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* `at`: NULL for the beginning; it may go after return. */
int ofs_decoder_open(enum ofs_packing packing, const struct ofs_packed *from,
                     const struct ofs_point *at, struct ofs_call *call,
                     struct ofs_decoder **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
void ofs_decoder_free(struct ofs_decoder *d);
OFS_DEFINE_AUTO(struct ofs_decoder, ofs_decoder_free)

/*
 * `len` bytes; *ret_n is less only at the end.  -EBADMSG: damaged or cut
 * short; after a failure the decoder is good for nothing.
 */
int ofs_decoder_read(struct ofs_decoder *d, struct ofs_call *call, void *buf,
                     size_t len, size_t *ret_n,
                     struct ofs_err *err) OFS_MUST_CHECK;
uint64_t ofs_decoder_at(const struct ofs_decoder *d); /* bytes handed out */
/* Packed bytes that were used: less than all when others follow the stream. */
uint64_t ofs_decoder_used(const struct ofs_decoder *d);

/*
 * Offer a checkpoint to `take` whenever `span` more bytes were unpacked, and
 * one can be had.  What `take` returns, if negative, ends the read.
 */
typedef int ofs_point_fn(void *arg, const struct ofs_point *p);
void ofs_decoder_mark(struct ofs_decoder *d, uint64_t span, ofs_point_fn *take,
                      void *arg);

#endif
