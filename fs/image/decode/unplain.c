/* SPDX-License-Identifier: Apache-2.0 */
#include "codec.h"

static int plain_open(const struct ofs_point *at, struct ofs_feed *feed,
                      void **ret_state, struct ofs_err *err)
{
    (void)at;
    (void)feed;
    (void)err;
    *ret_state = NULL;
    return 0;
}

static void plain_close(void *state)
{
    (void)state;
}

static int plain_step(void *state, struct ofs_feed *feed,
                      struct ofs_codec_out *out, bool stop, struct ofs_err *err)
{
    size_t n;
    int r = ofs_feed_need(feed, 1, err);

    (void)state;
    (void)stop;
    if (r < 0)
        return r;
    if (feed->left == 0)
        return OFS_CODEC_END;
    n = feed->left < out->left ? feed->left : out->left;
    memcpy(out->at, feed->at, n);
    ofs_feed_use(feed, n);
    out->at += n;
    out->left -= n;
    return OFS_CODEC_MORE;
}

static bool plain_point(void *state, struct ofs_point *ret,
                        uint8_t window[OFS_WINDOW_MAX])
{
    (void)state;
    (void)ret;
    (void)window;
    return false; /* every offset is one, none need be kept */
}

const struct ofs_codec ofs_codec_plain = {
    .open = plain_open,
    .close = plain_close,
    .step = plain_step,
    .point = plain_point,
};
