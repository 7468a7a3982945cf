/* SPDX-License-Identifier: Apache-2.0 */
#include "tape.h"

enum { TAPE_BYTES = 128 * 1024 };

int ofs_tape_init(struct ofs_tape *t)
{
    t->buf = malloc(TAPE_BYTES);
    return t->buf ? 0 : ofs_err_nomem(t->err, "an archive");
}

void ofs_tape_done(struct ofs_tape *t)
{
    free(t->buf);
    t->buf = NULL;
}

/* Something in the buffer, unless the end was reached. */
static int wind(struct ofs_tape *t)
{
    int r = 0;

    if (t->at < t->len || t->ended)
        return 0;
    t->at = t->len = 0;
    r = t->read(t->arg, t->buf, TAPE_BYTES, &t->len, t->err);
    if (r == 0)
        t->ended = t->len < TAPE_BYTES;
    return r;
}

int ofs_tape_read(struct ofs_tape *t, void *to, size_t len, size_t *ret_n)
{
    size_t done = 0, n;
    int r;

    do {
        r = wind(t);
        if (r < 0)
            return r;
        n = t->len - t->at < len - done ? t->len - t->at : len - done;
        if (to)
            memcpy((uint8_t *)to + done, t->buf + t->at, n);
        t->at += n;
        t->off += n;
        done += n;
    } while (n > 0 && done < len);
    *ret_n = done;
    return 0;
}

int ofs_tape_full(struct ofs_tape *t, void *to, size_t len)
{
    size_t n = 0;
    int r = ofs_tape_read(t, to, len, &n);

    if (r == 0 && n < len)
        r = ofs_err_set(t->err, -EBADMSG, "the archive is cut short");
    return r;
}

int ofs_tape_skip(struct ofs_tape *t, uint64_t len)
{
    int r = 0;

    while (r == 0 && len > 0) {
        size_t n = len < TAPE_BYTES ? (size_t)len : TAPE_BYTES;

        r = ofs_tape_full(t, NULL, n);
        len -= n;
    }
    return r;
}

int ofs_tape_drain(struct ofs_tape *t)
{
    size_t n = TAPE_BYTES;
    int r = 0;

    while (r == 0 && n == TAPE_BYTES)
        r = ofs_tape_read(t, NULL, TAPE_BYTES, &n);
    return r;
}
