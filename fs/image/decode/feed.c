/* SPDX-License-Identifier: Apache-2.0 */
#include "feed.h"

#include <assert.h>

enum { FEED_BYTES = 128 * 1024 };

int ofs_feed_init(struct ofs_feed *f, const struct ofs_packed *from,
                  uint64_t off, struct ofs_err *err)
{
    *f = (struct ofs_feed){ .from = from, .off = off };
    f->buf = malloc(FEED_BYTES);
    f->at = f->buf;
    return f->buf ? 0 : ofs_err_nomem(err, "a decoder");
}

void ofs_feed_done(struct ofs_feed *f)
{
    free(f->buf);
    f->buf = NULL;
}

int ofs_feed_need(struct ofs_feed *f, size_t n, struct ofs_err *err)
{
    size_t got;
    int r;

    if (f->left >= n)
        return 0;
    memmove(f->buf, f->at, f->left);
    f->at = f->buf;
    while (f->left < n && f->off + f->left < f->from->size) {
        r = f->from->read(f->from->arg, f->call, f->buf + f->left,
                          FEED_BYTES - f->left, f->off + f->left, &got, err);
        if (r < 0)
            return r;
        if (got == 0)
            return ofs_err_set(err, -EBADMSG, "the layer ends before its size");
        f->left += got;
    }
    return 0;
}

void ofs_feed_use(struct ofs_feed *f, size_t n)
{
    assert(n <= f->left);
    f->at += n;
    f->left -= n;
    f->off += n;
}
