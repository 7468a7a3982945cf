/* SPDX-License-Identifier: Apache-2.0 */
#include "decoder.h"

static const struct ofs_codec *const codecs[OFS_N_PACKINGS] = {
    [OFS_PACKING_NONE] = &ofs_codec_plain,
    [OFS_PACKING_GZIP] = &ofs_codec_gzip,
    [OFS_PACKING_ZSTD] = &ofs_codec_zstd,
};

struct ofs_decoder {
    const struct ofs_codec *codec;
    void *state; /* owned by the codec */
    struct ofs_feed feed;
    uint64_t out;
    bool ended;
    ofs_point_fn *take; /* NULL: nobody wants points */
    void *take_arg;
    uint64_t span, last; /* bytes; where the last point was */
    uint8_t *window;     /* owned; OFS_WINDOW_MAX */
};

enum ofs_packing ofs_packing_sniff(const uint8_t *data, size_t len)
{
    static const uint8_t zstd[] = { 0x28, 0xb5, 0x2f, 0xfd };
    static const uint8_t skipped[] = { 0x2a, 0x4d, 0x18 };

    if (len >= 2 && data[0] == 0x1f && data[1] == 0x8b)
        return OFS_PACKING_GZIP;
    if (len >= 4 &&
        (memcmp(data, zstd, 4) == 0 ||
         ((data[0] & 0xf0) == 0x50 && memcmp(data + 1, skipped, 3) == 0)))
        return OFS_PACKING_ZSTD;
    return OFS_PACKING_NONE;
}

int ofs_packing_of(const struct ofs_packed *from, struct ofs_call *call,
                   enum ofs_packing *ret, struct ofs_err *err)
{
    uint8_t head[4];
    size_t n = 0;
    int r = from->read(from->arg, call, head, sizeof(head), 0, &n, err);

    if (r == 0)
        *ret = ofs_packing_sniff(head, n);
    return r;
}

void ofs_decoder_free(struct ofs_decoder *d)
{
    if (!d)
        return;
    d->codec->close(d->state);
    ofs_feed_done(&d->feed);
    free(d->window);
    free(d);
}

int ofs_decoder_open(enum ofs_packing packing, const struct ofs_packed *from,
                     const struct ofs_point *at, struct ofs_call *call,
                     struct ofs_decoder **ret, struct ofs_err *err)
{
    static const struct ofs_point start = { .head = true };
    OFS_AUTO(ofs_decoder_freep) struct ofs_decoder *d = calloc(1, sizeof(*d));
    int r;

    if (!d)
        return ofs_err_nomem(err, "a decoder");
    if (!at)
        at = &start;
    d->codec = codecs[packing];
    d->out = d->last = at->out;
    r = ofs_feed_init(&d->feed, from, at->in - (at->bits > 0), err);
    d->feed.call = call;
    if (r == 0)
        r = d->codec->open(at, &d->feed, &d->state, err);
    if (r == 0)
        *ret = ofs_take(&d);
    return r;
}

void ofs_decoder_mark(struct ofs_decoder *d, uint64_t span, ofs_point_fn *take,
                      void *arg)
{
    d->span = span;
    d->take = take;
    d->take_arg = arg;
}

static int offer_point(struct ofs_decoder *d, struct ofs_err *err)
{
    struct ofs_point p = { .in = d->feed.off, .out = d->out };
    int r;

    if (p.in == d->feed.from->size)
        return 0;
    if (!d->window)
        d->window = malloc(OFS_WINDOW_MAX);
    if (!d->window)
        return ofs_err_nomem(err, "a checkpoint");
    if (!d->codec->point(d->state, &p, d->window))
        return 0;
    d->last = d->out;
    r = d->take(d->take_arg, &p);
    return r < 0 ? ofs_err_set(err, r, "a checkpoint cannot be kept") : 0;
}

static int step(struct ofs_decoder *d, struct ofs_codec_out *out,
                struct ofs_err *err)
{
    size_t left = out->left;
    bool stop = d->take && d->out - d->last >= d->span;
    int r = d->codec->step(d->state, &d->feed, out, stop, err);

    if (r < 0)
        return r;
    d->out += left - out->left;
    d->ended = r == OFS_CODEC_END;
    return stop && !d->ended ? offer_point(d, err) : 0;
}

int ofs_decoder_read(struct ofs_decoder *d, struct ofs_call *call, void *buf,
                     size_t len, size_t *ret_n, struct ofs_err *err)
{
    struct ofs_codec_out out = { buf, len };
    int r = 0;

    d->feed.call = call;
    while (r == 0 && out.left > 0 && !d->ended)
        r = step(d, &out, err);
    if (r == 0)
        *ret_n = len - out.left;
    return r;
}

uint64_t ofs_decoder_at(const struct ofs_decoder *d)
{
    return d->out;
}

uint64_t ofs_decoder_used(const struct ofs_decoder *d)
{
    return d->feed.off;
}
