/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CODEC_H
#define OFS_CODEC_H

/*
 * One way of packing.  A codec knows its format and nothing of checkpoints'
 * distance, of threads or of who reads.
 */

#include "feed.h"

#include <stdbool.h>

enum { OFS_WINDOW_MAX = 32 * 1024 };

/* Where decoding can begin. */
struct ofs_point {
    uint64_t in;           /* first packed byte that was not used */
    uint64_t out;          /* as many unpacked bytes lie before */
    const uint8_t *window; /* the last of those; borrowed */
    uint32_t window_len;
    uint8_t bits; /* gzip: unused ones of the byte before `in` */
    bool head;    /* a gzip member or a zstd frame begins here */
};

struct ofs_codec_out {
    uint8_t *at;
    size_t left;
};

enum ofs_codec_more {
    OFS_CODEC_MORE = 0,
    OFS_CODEC_END = 1, /* nothing follows */
};

struct ofs_codec {
    /* The feed stands at `at->in`, or before it when there are bits. */
    int (*open)(const struct ofs_point *at, struct ofs_feed *feed,
                void **ret_state, struct ofs_err *err);
    void (*close)(void *state);
    /*
     * Go on until `out` is full or the fed bytes are used; `stop`: return
     * where a point can be taken, too.  enum ofs_codec_more, or -EBADMSG.
     */
    int (*step)(void *state, struct ofs_feed *feed, struct ofs_codec_out *out,
                bool stop, struct ofs_err *err);
    /* Can decoding begin here?  Fills head, bits and window. */
    bool (*point)(void *state, struct ofs_point *ret,
                  uint8_t window[OFS_WINDOW_MAX]);
};

extern const struct ofs_codec ofs_codec_plain, ofs_codec_gzip, ofs_codec_zstd;

#endif
