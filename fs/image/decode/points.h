/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_POINTS_H
#define OFS_POINTS_H

/*
 * The checkpoints of a layer: collected while it is unpacked for the first
 * time, then read from a mapped index.  Windows are kept packed, and points
 * are left out where they would take more than their share of the layer.
 */

#include "codec.h"

#include "ocirfs/buf.h"

/* One point as it lies in an index file; 32 bytes. */
struct ofs_point_rec {
    uint64_t in, out;
    uint64_t window;     /* where in the windows it begins */
    uint32_t packed_len; /* its bytes there; 0: no window */
    uint16_t window_len; /* unpacked */
    uint8_t bits;
    uint8_t head;
};

struct ofs_points {
    struct ofs_buf recs, windows;
};

void ofs_points_init(struct ofs_points *p);
void ofs_points_done(struct ofs_points *p);
int ofs_points_take(void *points,
                    const struct ofs_point *at); /* ofs_point_fn */

struct ofs_points_view {
    const struct ofs_point_rec *at; /* by `out`, rising */
    size_t n;
    const uint8_t *windows;
    size_t windows_len;
};

/* Can all of it be believed of a layer of these sizes? */
bool ofs_points_valid(const struct ofs_points_view *v, uint64_t packed_size,
                      uint64_t size);

/*
 * The last point at or before `out`, its window in `window`.  Without any:
 * the beginning.  -EBADMSG.
 */
int ofs_points_before(const struct ofs_points_view *v, uint64_t out,
                      struct ofs_point *ret, uint8_t window[OFS_WINDOW_MAX],
                      struct ofs_err *err) OFS_MUST_CHECK;
/* Only where it is, without unpacking anything. */
uint64_t ofs_points_start(const struct ofs_points_view *v, uint64_t out);

#endif
