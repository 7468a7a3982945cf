/* SPDX-License-Identifier: Apache-2.0 */
#include "points.h"

#include "unzstd.h"

_Static_assert(sizeof(struct ofs_point_rec) == 32, "it lies on disk");

enum {
    MAX_POINTS_BYTES = 1 << 30,
    SHARE = 25, /* of the packed bytes so far: 4 % */
    /* Beyond this the share does not matter: reading would take too long. */
    FAR_BYTES = 256 << 20,
};

void ofs_points_init(struct ofs_points *p)
{
    ofs_buf_init(&p->recs, MAX_POINTS_BYTES);
    ofs_buf_init(&p->windows, MAX_POINTS_BYTES);
}

void ofs_points_done(struct ofs_points *p)
{
    ofs_buf_done(&p->recs);
    ofs_buf_done(&p->windows);
}

static const struct ofs_point_rec *last_rec(const struct ofs_points *p)
{
    if (p->recs.len == 0)
        return NULL;
    return (const void *)(p->recs.data + p->recs.len -
                          sizeof(struct ofs_point_rec));
}

/*
 * What was repeated every 32 KiB packs to nothing, but its windows do not.
 */
static bool is_dear(const struct ofs_points *p, const struct ofs_point *at)
{
    const struct ofs_point_rec *last = last_rec(p);
    uint64_t since = at->out - (last ? last->out : 0);

    return since < FAR_BYTES && (p->recs.len + p->windows.len) > at->in / SHARE;
}

int ofs_points_take(void *points, const struct ofs_point *at)
{
    struct ofs_points *p = points;
    struct ofs_point_rec rec = {
        .in = at->in,
        .out = at->out,
        .window = p->windows.len,
        .window_len = (uint16_t)at->window_len,
        .bits = at->bits,
        .head = at->head,
    };
    int r = 0;

    if (is_dear(p, at))
        return 0;
    if (at->window_len > 0)
        r = ofs_zstd_pack(&p->windows, at->window, at->window_len);
    rec.packed_len = (uint32_t)(p->windows.len - rec.window);
    return r < 0 ? r : ofs_buf_add(&p->recs, &rec, sizeof(rec));
}

static bool is_valid_rec(const struct ofs_points_view *v,
                         const struct ofs_point_rec *rec)
{
    if (rec->bits > 7 || rec->head > 1 || rec->window_len > OFS_WINDOW_MAX ||
        (rec->bits > 0 && (rec->head || rec->in == 0)) ||
        (rec->head && rec->window_len > 0))
        return false;
    return rec->window <= v->windows_len &&
           rec->packed_len <= v->windows_len - rec->window;
}

bool ofs_points_valid(const struct ofs_points_view *v, uint64_t packed_size,
                      uint64_t size)
{
    uint64_t in = 0, out = 0;

    for (size_t i = 0; i < v->n; i++) {
        const struct ofs_point_rec *rec = &v->at[i];

        if (rec->in < in || rec->out < out || rec->in > packed_size ||
            rec->out > size || !is_valid_rec(v, rec))
            return false;
        in = rec->in;
        out = rec->out;
    }
    return true;
}

static const struct ofs_point_rec *rec_before(const struct ofs_points_view *v,
                                              uint64_t out)
{
    size_t low = 0, high = v->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (v->at[mid].out <= out)
            low = mid + 1;
        else
            high = mid;
    }
    return low > 0 ? &v->at[low - 1] : NULL;
}

int ofs_points_before(const struct ofs_points_view *v, uint64_t out,
                      struct ofs_point *ret, uint8_t window[OFS_WINDOW_MAX],
                      struct ofs_err *err)
{
    const struct ofs_point_rec *rec = rec_before(v, out);

    *ret = (struct ofs_point){ .head = true, .window = window };
    if (!rec)
        return 0;
    ret->in = rec->in;
    ret->out = rec->out;
    ret->bits = rec->bits;
    ret->head = rec->head;
    ret->window_len = rec->window_len;
    if (rec->window_len > 0 &&
        ofs_zstd_unpack(v->windows + rec->window, rec->packed_len, window,
                        rec->window_len) < 0)
        return ofs_err_set(err, -EBADMSG, "a checkpoint of the index is wrong");
    return 0;
}

uint64_t ofs_points_start(const struct ofs_points_view *v, uint64_t out)
{
    const struct ofs_point_rec *rec = rec_before(v, out);

    return rec ? rec->out : 0;
}
