/* SPDX-License-Identifier: Apache-2.0 */
#include "unpacked.h"

/* Of the blocks that a decoder comes by on its way, the last are kept. */
enum { KEEP_BEFORE = 4 };

static int open_cursor(const struct ofs_unpacked *u, struct ofs_cursor *c,
                       uint64_t want, struct ofs_call *call,
                       struct ofs_err *err)
{
    OFS_AUTOFREE uint8_t *window = malloc(OFS_WINDOW_MAX);
    struct ofs_point p;
    int r;

    if (!window)
        return ofs_err_nomem(err, "a checkpoint");
    r = ofs_points_before(&u->points, want, &p, window, err);
    if (r == 0)
        r = ofs_decoder_open(u->packing, u->from, &p, call, &c->d, err);
    return r;
}

/* Read on to the end of the block in which the decoder stands. */
static int pass_block(const struct ofs_unpacked *u, struct ofs_cursor *c,
                      uint64_t want, struct ofs_call *call, struct ofs_err *err)
{
    uint64_t at = ofs_decoder_at(c->d), no = at / OFS_BLOCK_BYTES;
    size_t len = OFS_BLOCK_BYTES - (size_t)(at % OFS_BLOCK_BYTES), n;
    OFS_AUTOFREE uint8_t *data = malloc(len);
    int r;

    if (!data)
        return ofs_err_nomem(err, "unpacked bytes");
    r = ofs_call_check(call, err);
    if (r == 0)
        r = ofs_decoder_read(c->d, call, data, len, &n, err);
    if (r < 0)
        return r;
    if (n < len && at + n != u->size)
        return ofs_err_set(err, -EBADMSG, "the layer is not that of its index");
    if (len == OFS_BLOCK_BYTES && no + KEEP_BEFORE > want)
        ofs_readpool_keep(u->pool, u, no, ofs_take(&data), n);
    return 0;
}

static int run_to(const struct ofs_unpacked *u, struct ofs_cursor *c,
                  uint64_t no, struct ofs_call *call, struct ofs_err *err)
{
    int r = 0;

    if (!c->d)
        r = open_cursor(u, c, no * OFS_BLOCK_BYTES, call, err);
    while (r == 0 && ofs_decoder_at(c->d) <= no * OFS_BLOCK_BYTES)
        r = pass_block(u, c, no, call, err);
    if (r < 0) {
        ofs_decoder_free(c->d);
        c->d = NULL;
    }
    return r;
}

/* Bring a block into the pool, or wait for the thread that does. */
static int unpack_block(const struct ofs_unpacked *u, uint64_t no,
                        struct ofs_call *call, struct ofs_err *err)
{
    uint64_t want = no * OFS_BLOCK_BYTES;
    struct ofs_cursor *c = NULL;
    int r;

    if (!call->may_wait)
        return ofs_err_set(err, -EAGAIN, "not unpacked");
    r = ofs_readpool_take(u->pool, u, ofs_points_start(&u->points, want), want,
                          call, &c, err);
    if (r < 0 || !c)
        return r;
    r = run_to(u, c, no, call, err);
    ofs_readpool_give(u->pool, c);
    return r;
}

static int read_block(const struct ofs_unpacked *u, struct ofs_call *call,
                      void *buf, size_t len, uint64_t off, size_t *ret_n,
                      struct ofs_err *err)
{
    uint64_t no = off / OFS_BLOCK_BYTES;
    int r = 0;

    while (r == 0 &&
           ofs_readpool_copy(u->pool, u, no, (size_t)(off % OFS_BLOCK_BYTES),
                             buf, len, ret_n) < 0)
        r = unpack_block(u, no, call, err);
    return r;
}

int ofs_unpacked_read(const struct ofs_unpacked *u, struct ofs_call *call,
                      void *buf, size_t len, uint64_t off, size_t *ret_n,
                      struct ofs_err *err)
{
    uint8_t *to = buf;
    size_t done = 0, n;
    int r = 0;

    if (off >= u->size)
        len = 0;
    else if (len > u->size - off)
        len = (size_t)(u->size - off);
    if (u->packing == OFS_PACKING_NONE && len > 0)
        return u->from->read(u->from->arg, call, buf, len, off, ret_n, err);
    for (; r == 0 && done < len; done += n) {
        r = read_block(u, call, to + done, len - done, off + done, &n, err);
        if (r < 0)
            break;
    }
    if (r == 0)
        *ret_n = done;
    return r;
}
