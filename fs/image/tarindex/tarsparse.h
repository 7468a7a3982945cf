/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TARSPARSE_H
#define OFS_TARSPARSE_H

/*
 * Where the holes of a sparse file are: GNU's old form in the header and the
 * blocks after it, and form 1.0 at the head of the data.
 *
 * Source: GNU tar manual, "Storing Sparse Files".
 */

#include "paxrec.h"
#include "tape.h"

/* Old form; *ret_real is the file's size.  Takes the blocks that follow. */
int ofs_sparse_old(struct ofs_tape *t, const uint8_t *block,
                   struct ofs_buf *extents, uint64_t *ret_real) OFS_MUST_CHECK;
/* Form 1.0: lines of numbers, to the end of a block. */
int ofs_sparse_in_data(struct ofs_tape *t, uint64_t limit,
                       struct ofs_buf *extents) OFS_MUST_CHECK;
/* Rising, not overlapping, within the file, and `stored` bytes in all? */
bool ofs_sparse_valid(const struct ofs_buf *extents, uint64_t real,
                      uint64_t stored);

#endif
