/* SPDX-License-Identifier: Apache-2.0 */

/*
 * gzip by zlib.  A member ends where the next one may begin; what follows the
 * last one is zeros (padding) or not gzip, and is no part of the stream, as
 * gzip(1) has it.  Whoever expects more finds the stream too short.
 *
 * Sources: RFC 1951, RFC 1952; zlib.h on inflate(), Z_BLOCK and data_type.
 */
#include "codec.h"

#include <limits.h>

#define ZLIB_CONST /* next_in is not written to */
#include <zlib.h>

enum {
    GZIP_WRAPPED = 31, /* windowBits: gzip header and trailer, 32 KiB */
    GZIP_RAW = -15,    /* deflate alone */
    TRAILER_BYTES = 8,
    TYPE_BITS = 7,    /* data_type: unused bits of the last byte */
    TYPE_LAST = 64,   /* in the last block */
    TYPE_BORDER = 128 /* between two blocks */
};

enum place {
    BETWEEN, /* before a member, or the end */
    HEAD,    /* a member is about to begin: its magic is the next byte */
    INSIDE,
};

struct gunzip {
    z_stream z;
    enum place place;
    bool raw;   /* begun within a member: zlib leaves the trailer to us */
    bool first; /* no member was seen yet */
};

static void gunzip_close(void *state)
{
    struct gunzip *g = state;

    if (!g)
        return;
    (void)inflateEnd(&g->z);
    free(g);
}

static void gunzip_closep(struct gunzip **g)
{
    gunzip_close(*g);
}

/* Bits of the byte before the point, and what copies may reach back to. */
static int enter_block(struct gunzip *g, const struct ofs_point *at,
                       struct ofs_feed *feed, struct ofs_err *err)
{
    int r;

    if (at->bits > 0) {
        r = ofs_feed_need(feed, 1, err);
        if (r < 0)
            return r;
        if (feed->left == 0)
            return ofs_err_set(err, -EBADMSG, "a point beyond the layer's end");
        if (inflatePrime(&g->z, at->bits, *feed->at >> (8 - at->bits)) != Z_OK)
            return ofs_err_set(err, -EBADMSG, "zlib refuses a point's bits");
        ofs_feed_use(feed, 1);
    }
    if (at->window_len > 0 &&
        inflateSetDictionary(&g->z, at->window, at->window_len) != Z_OK)
        return ofs_err_set(err, -EBADMSG, "zlib refuses a point's window");
    g->place = INSIDE;
    g->first = false;
    return 0;
}

static int gunzip_open(const struct ofs_point *at, struct ofs_feed *feed,
                       void **ret_state, struct ofs_err *err)
{
    OFS_AUTO(gunzip_closep) struct gunzip *g = calloc(1, sizeof(*g));
    int r = 0;

    if (!g)
        return ofs_err_nomem(err, "a decoder");
    g->raw = !at->head;
    g->first = at->in == 0;
    g->place = BETWEEN;
    if (inflateInit2(&g->z, at->head ? GZIP_WRAPPED : GZIP_RAW) != Z_OK) {
        free(ofs_take(&g)); /* not begun: nothing for inflateEnd() */
        return ofs_err_nomem(err, "a decoder");
    }
    if (!at->head)
        r = enter_block(g, at, feed, err);
    if (r == 0)
        *ret_state = ofs_take(&g);
    return r;
}

/* To the magic of the next member. */
static int next_member(struct gunzip *g, struct ofs_feed *feed,
                       struct ofs_err *err)
{
    int r;

    for (;;) {
        r = ofs_feed_need(feed, 2, err);
        if (r < 0)
            return r;
        if (g->first || feed->left == 0 || *feed->at != 0)
            break;
        ofs_feed_use(feed, 1);
    }
    if (feed->left < 2 || feed->at[0] != 0x1f || feed->at[1] != 0x8b)
        return g->first ? ofs_err_set(err, -EBADMSG, "not gzip")
                        : OFS_CODEC_END;
    (void)inflateReset2(&g->z, GZIP_WRAPPED); /* fails on bad arguments only */
    g->raw = g->first = false;
    g->place = HEAD;
    return OFS_CODEC_MORE;
}

static int explain_zlib(const struct gunzip *g, int code, struct ofs_err *err)
{
    if (code == Z_MEM_ERROR)
        return ofs_err_nomem(err, "a decoder");
    return ofs_err_set(err, -EBADMSG, "gzip: %s",
                       g->z.msg ? g->z.msg : "damaged");
}

/* zlib leaves the trailer alone when it did not see the head. */
static int end_member(struct gunzip *g, struct ofs_feed *feed,
                      struct ofs_err *err)
{
    int r = 0;

    if (g->raw) {
        r = ofs_feed_need(feed, TRAILER_BYTES, err);
        if (r == 0 && feed->left < TRAILER_BYTES)
            r = ofs_err_set(err, -EBADMSG, "gzip: ends early");
        if (r == 0)
            ofs_feed_use(feed, TRAILER_BYTES);
    }
    g->place = BETWEEN;
    return r;
}

static int gunzip_step(void *state, struct ofs_feed *feed,
                       struct ofs_codec_out *out, bool stop,
                       struct ofs_err *err)
{
    struct gunzip *g = state;
    size_t room = out->left < INT_MAX ? out->left : INT_MAX;
    int r;

    if (g->place == BETWEEN)
        return next_member(g, feed, err);
    r = ofs_feed_need(feed, 1, err);
    if (r < 0)
        return r;
    g->place = INSIDE;
    g->z.next_in = feed->at;
    g->z.avail_in = (uInt)feed->left;
    g->z.next_out = out->at;
    g->z.avail_out = (uInt)room;
    r = inflate(&g->z, stop ? Z_BLOCK : Z_NO_FLUSH);
    if (r == Z_BUF_ERROR && feed->left == 0)
        return ofs_err_set(err, -EBADMSG, "gzip: ends early");
    ofs_feed_use(feed, feed->left - g->z.avail_in);
    out->at += room - g->z.avail_out;
    out->left -= room - g->z.avail_out;
    if (r == Z_STREAM_END)
        return end_member(g, feed, err);
    return r == Z_OK || r == Z_BUF_ERROR ? OFS_CODEC_MORE
                                         : explain_zlib(g, r, err);
}

static bool gunzip_point(void *state, struct ofs_point *ret,
                         uint8_t window[OFS_WINDOW_MAX])
{
    struct gunzip *g = state;
    uInt len = 0;

    ret->head = g->place == HEAD;
    ret->bits = 0;
    ret->window = window;
    ret->window_len = 0;
    if (g->place != INSIDE)
        return ret->head;
    if (!(g->z.data_type & TYPE_BORDER) || g->z.data_type & TYPE_LAST)
        return false;
    if (inflateGetDictionary(&g->z, window, &len) != Z_OK)
        return false;
    ret->bits = (uint8_t)(g->z.data_type & TYPE_BITS);
    ret->window_len = len;
    return true;
}

const struct ofs_codec ofs_codec_gzip = {
    .open = gunzip_open,
    .close = gunzip_close,
    .step = gunzip_step,
    .point = gunzip_point,
};
