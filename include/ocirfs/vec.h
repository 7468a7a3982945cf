/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VEC_H
#define OFS_VEC_H

/*
 * An array that grows: a pointer, how many items are in it, and for how many
 * there is room.  All three are the owner's, and 0 in the beginning.
 */

#include "ocirfs/cleanup.h"

#include <errno.h>

/* Not realloc, which may leave a copy of what was there in freed memory. */
static inline void *ofs_vec_bigger_(const void *at, size_t n, size_t *room,
                                    size_t item_bytes)
{
    size_t more = *room ? *room * 2 : 16;
    void *fresh = more > *room ? calloc(more, item_bytes) : NULL;

    if (!fresh)
        return NULL;
    if (n > 0)
        memcpy(fresh, at, n * item_bytes);
    *room = more;
    return fresh;
}

/*
 * Have room for one more item behind the `n` at `at`; new room is zeroed.
 * 0, or -ENOMEM with all as it was.
 */
#define ofs_vec_grow(at, n, room)                                              \
    ({                                                                         \
        __typeof__(at) bigger_ = (at);                                         \
        if ((n) == (room)) {                                                   \
            bigger_ = ofs_vec_bigger_((at), (n), &(room), sizeof(*(at)));      \
            if (bigger_) {                                                     \
                free(at);                                                      \
                (at) = bigger_;                                                \
            }                                                                  \
        }                                                                      \
        bigger_ ? 0 : -ENOMEM;                                                 \
    })

#endif
