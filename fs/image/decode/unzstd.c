/* SPDX-License-Identifier: Apache-2.0 */

/*
 * zstd by libzstd.  Within a frame there is no place to begin; between frames
 * there is.  Source: RFC 8878.
 */
#include "unzstd.h"

#include "codec.h"

#include <zstd.h>

enum {
    WINDOW_LOG_MAX = 27, /* 128 MiB; what asks for more is not for us */
    PACK_LEVEL = 3,
    MAGIC_BYTES = 4,
};

struct unzstd {
    ZSTD_DCtx *ctx; /* owned */
    bool between;   /* two frames, or at the end */
    bool first;
};

static void unzstd_close(void *state)
{
    struct unzstd *u = state;

    if (!u)
        return;
    (void)ZSTD_freeDCtx(u->ctx);
    free(u);
}

static void unzstd_closep(struct unzstd **u)
{
    unzstd_close(*u);
}

static int unzstd_open(const struct ofs_point *at, struct ofs_feed *feed,
                       void **ret_state, struct ofs_err *err)
{
    OFS_AUTO(unzstd_closep) struct unzstd *u = calloc(1, sizeof(*u));

    (void)feed;
    if (!u)
        return ofs_err_nomem(err, "a decoder");
    u->ctx = ZSTD_createDCtx();
    if (!u->ctx || ZSTD_isError(ZSTD_DCtx_setParameter(
                       u->ctx, ZSTD_d_windowLogMax, WINDOW_LOG_MAX)))
        return ofs_err_nomem(err, "a decoder");
    u->between = true;
    u->first = at->in == 0;
    *ret_state = ofs_take(&u);
    return 0;
}

/* A frame's magic number, or that of one to be skipped. */
static bool is_frame(const struct ofs_feed *feed)
{
    const uint8_t *p = feed->at;

    if (feed->left < MAGIC_BYTES)
        return false;
    if (p[0] == 0x28)
        return p[1] == 0xb5 && p[2] == 0x2f && p[3] == 0xfd;
    return (p[0] & 0xf0) == 0x50 && p[1] == 0x2a && p[2] == 0x4d &&
           p[3] == 0x18;
}

static int next_frame(struct unzstd *u, struct ofs_feed *feed,
                      struct ofs_err *err)
{
    int r = ofs_feed_need(feed, MAGIC_BYTES, err);

    if (r < 0)
        return r;
    if (!is_frame(feed))
        return u->first ? ofs_err_set(err, -EBADMSG, "not zstd")
                        : OFS_CODEC_END;
    u->between = u->first = false;
    return OFS_CODEC_MORE;
}

static int unzstd_step(void *state, struct ofs_feed *feed,
                       struct ofs_codec_out *out, bool stop,
                       struct ofs_err *err)
{
    struct unzstd *u = state;
    ZSTD_outBuffer to = { out->at, out->left, 0 };
    ZSTD_inBuffer from;
    size_t more;
    int r;

    (void)stop;
    if (u->between)
        return next_frame(u, feed, err);
    r = ofs_feed_need(feed, 1, err);
    if (r < 0)
        return r;
    from = (ZSTD_inBuffer){ feed->at, feed->left, 0 };
    more = ZSTD_decompressStream(u->ctx, &to, &from);
    if (ZSTD_isError(more))
        return ofs_err_set(err, -EBADMSG, "zstd: %s", ZSTD_getErrorName(more));
    if (more > 0 && from.size == 0 && to.pos == 0)
        return ofs_err_set(err, -EBADMSG, "zstd: ends early");
    ofs_feed_use(feed, from.pos);
    out->at += to.pos;
    out->left -= to.pos;
    u->between = more == 0;
    return OFS_CODEC_MORE;
}

static bool unzstd_point(void *state, struct ofs_point *ret,
                         uint8_t window[OFS_WINDOW_MAX])
{
    const struct unzstd *u = state;

    ret->head = true;
    ret->bits = 0;
    ret->window = window;
    ret->window_len = 0;
    return u->between;
}

const struct ofs_codec ofs_codec_zstd = {
    .open = unzstd_open,
    .close = unzstd_close,
    .step = unzstd_step,
    .point = unzstd_point,
};

int ofs_zstd_pack(struct ofs_buf *b, const void *data, size_t len)
{
    size_t room = ZSTD_compressBound(len), n;
    OFS_AUTOFREE void *packed = malloc(room);

    if (!packed)
        return -ENOMEM;
    n = ZSTD_compress(packed, room, data, len, PACK_LEVEL);
    return ZSTD_isError(n) ? -ENOMEM : ofs_buf_add(b, packed, n);
}

int ofs_zstd_unpack(const void *packed, size_t packed_len, void *out,
                    size_t len)
{
    size_t n = ZSTD_decompress(out, len, packed, packed_len);

    return ZSTD_isError(n) || n != len ? -EBADMSG : 0;
}
