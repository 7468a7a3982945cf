/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SMALLQUEUE_H
#define OFS_SMALLQUEUE_H

/* Small objects on their way to disk; see smallobj.c. */

#include "ocirfs/lock.h"
#include "ocirfs/map.h"
#include "ocirfs/workers.h"

#include <stdbool.h>
#include <stddef.h>

struct small;

struct ofs_small {
    int fd;                     /* the directory; immutable; owned */
    struct ofs_mutex mtx;       /* rank BLOB; guards all below but workers */
    struct ofs_map *queued;     /* digest -> struct small, until written */
    struct small *first, **end; /* to be written, in this order */
    size_t bytes;               /* of all queued ones */
    bool writing;
    struct ofs_workers *workers; /* one thread */
};

void ofs_small_init(struct ofs_small *q); /* queued NULL: no memory */
int ofs_small_start(struct ofs_small *q);
void ofs_small_stop(struct ofs_small *q); /* what is queued gets written */
void ofs_small_done(struct ofs_small *q);

#endif
