/* SPDX-License-Identifier: Apache-2.0 */
#include "readahead.h"

static uint64_t min_u64(uint64_t a, uint64_t b)
{
    return a < b ? a : b;
}

static uint64_t max_u64(uint64_t a, uint64_t b)
{
    return a > b ? a : b;
}

static uint64_t round_up(uint64_t value, uint64_t unit)
{
    return (value + unit - 1) / unit * unit;
}

/* A window is worth four fetches at a time once it is large: where each
 * connection has its own limit, that many share the work. */
uint64_t ofs_readahead_piece(uint64_t window)
{
    uint64_t piece = OFS_RA_PIECE_MIN;

    while (piece < OFS_RA_PIECE_MAX && piece * 4 < window)
        piece *= 2;
    return piece;
}

static bool is_near(const struct ofs_readahead *ra, uint64_t off)
{
    uint64_t tolerance = ra->run_end - ra->run_start > OFS_RA_WINDOW_MIN
                             ? OFS_RA_NEAR_OLD
                             : OFS_RA_NEAR_YOUNG;

    return off <= ra->run_end + tolerance && off + tolerance >= ra->run_end;
}

/* Within what was read before, and not long ago: overtaken by others. */
static bool is_late(const struct ofs_readahead *ra, uint64_t off, uint64_t end)
{
    return ra->started && off >= ra->run_start && end <= ra->run_end &&
           off + OFS_RA_NEAR_OLD >= ra->run_end;
}

void ofs_readahead_halt(struct ofs_readahead *ra)
{
    ra->from = ra->to = 0;
}

static void begin_run(struct ofs_readahead *ra, uint64_t off, uint64_t len)
{
    *ra = (struct ofs_readahead){
        .started = true,
        .run_start = off,
        .run_end = off + len,
    };
}

void ofs_readahead_note(struct ofs_readahead *ra, uint64_t off, uint64_t len,
                        uint64_t size, uint64_t max_window)
{
    uint64_t window, end = off + len;

    if (is_late(ra, off, end))
        return; /* or the same again: nothing new is learnt */
    if (!ra->started || !is_near(ra, off)) {
        begin_run(ra, off, len);
        /* Somewhere in the middle: one read is no sequence yet. */
        if (off > 0)
            return;
    }
    ra->run_end = max_u64(ra->run_end, end);
    window = max_u64(OFS_RA_GROWTH * (ra->run_end - ra->run_start),
                     OFS_RA_WINDOW_MIN);
    window = min_u64(window, min_u64(max_window, OFS_RA_WINDOW_MAX));
    ra->piece = ofs_readahead_piece(window);
    ra->from = ra->run_end;
    ra->to = min_u64(round_up(off + window, ra->piece), size);
}
