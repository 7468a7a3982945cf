/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LIST_H
#define OFS_LIST_H

/*
 * A list of structs that have the members `next` and `link`:
 *
 *     struct thing { struct thing *next, **link; ... };
 *     struct thing *first;
 *
 * `link` is what points at the struct: the list's first pointer or the `next`
 * before it; NULL when it is in no list.
 */

#include <stddef.h>

/* Put `item`, which is in no list, at `place`: &first, or &some->next. */
#define ofs_list_add(place, item)                                              \
    do {                                                                       \
        __typeof__(place) place_ = (place);                                    \
        __typeof__(*place_) item_ = (item);                                    \
        item_->next = *place_;                                                 \
        item_->link = place_;                                                  \
        if (item_->next)                                                       \
            item_->next->link = &item_->next;                                  \
        *place_ = item_;                                                       \
    } while (0)

/* Nothing when it is in none. */
#define ofs_list_remove(item)                                                  \
    do {                                                                       \
        __typeof__(item) item_ = (item);                                       \
        if (item_->link)                                                       \
            *item_->link = item_->next;                                        \
        if (item_->next)                                                       \
            item_->next->link = item_->link;                                   \
        item_->next = NULL;                                                    \
        item_->link = NULL;                                                    \
    } while (0)

#endif
