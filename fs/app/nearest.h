/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NEAREST_H
#define OFS_NEAREST_H

/* "Did you mean": pure. */

#include <stdbool.h>
#include <stddef.h>

struct ofs_nearest {
    const char *word; /* the best so far; NULL: none was near enough */
    size_t distance;
};

/*
 * Keep `candidate` if it is nearer to the first `len` characters of `typed`
 * than what was offered before, and near enough to have been meant: a
 * character in three, two at the most.
 */
void ofs_nearest_offer(struct ofs_nearest *n, const char *typed, size_t len,
                       const char *candidate);

/* Are they the same name?  `-` and `_` are one character here. */
bool ofs_nearest_same(const char *typed, size_t len, const char *name);

#endif
