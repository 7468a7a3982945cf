/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_READAHEAD_H
#define OFS_READAHEAD_H

/*
 * How far ahead of a reader to fetch.  A pure policy: positions in, a window
 * out.  All values are bytes.
 *
 * The kernel's own read-ahead is served by several threads, so the reads of
 * one sequential reader arrive out of order; a read that is near the end of
 * the run counts as part of it.  A run that has proven long may be off by
 * more than a young one, else scattered small reads would look sequential.
 */

#include <stdbool.h>
#include <stdint.h>

/*
 * Measured against docker-registry on loopback: its CPU time for 1 GiB is
 * 1.7 s in ranges of 4 MiB, 1.2 s of 8 MiB, 0.85 s of 16 MiB, and hardly less
 * in longer ones.
 */
enum {
    /* The window, of what was read so far.  Each step up costs a round trip:
     * 64 MiB at 20 ms took a sixth longer with 2. */
    OFS_RA_GROWTH = 4,
    OFS_RA_WINDOW_MIN = 1024 * 1024,
    OFS_RA_WINDOW_MAX = 64 * 1024 * 1024,
    OFS_RA_PIECE_MIN = 1024 * 1024,
    OFS_RA_PIECE_MAX = 16 * 1024 * 1024,
    OFS_RA_NEAR_YOUNG = 256 * 1024,    /* a run that is young: off by so much */
    OFS_RA_NEAR_OLD = 2 * 1024 * 1024, /* the same for one beyond WINDOW_MIN */
};

struct ofs_readahead {
    bool started;
    uint64_t run_start, run_end; /* reads that followed each other */
    uint64_t from, to;           /* what to fetch; none when from >= to */
    uint64_t piece;              /* most bytes of one fetch; 0: no window */
};

/*
 * Note a read of `len` > 0 bytes at `off` of a blob of `size` and set the
 * window; `max_window` limits it.  The window's end lies on a multiple of
 * `piece` (or is the blob's), so that it moves in steps worth a request.
 */
void ofs_readahead_note(struct ofs_readahead *ra, uint64_t off, uint64_t len,
                        uint64_t size, uint64_t max_window);

/* Fetch nothing more until the next read. */
void ofs_readahead_halt(struct ofs_readahead *ra);

/* Bytes of one fetch for a window of that length. */
uint64_t ofs_readahead_piece(uint64_t window);

#endif
