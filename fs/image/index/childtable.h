/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CHILDTABLE_H
#define OFS_CHILDTABLE_H

/*
 * From a directory's number and a name to the number of a dent, while a layer
 * is indexed.  Nothing is ever taken out.  The hash is seeded at random, so
 * that an image cannot choose names that collide.
 */

#include "ocirfs/err.h"

#include <stdbool.h>
#include <stddef.h>

struct ofs_childslot {
    uint32_t hash;
    uint32_t no; /* + 1; 0: free */
};

struct ofs_childtable {
    struct ofs_childslot *slots; /* owned */
    size_t n, room;              /* room is a power of two, or 0 */
    uint64_t seed;
};

void ofs_childtable_init(struct ofs_childtable *t);
void ofs_childtable_done(struct ofs_childtable *t);

uint32_t ofs_childtable_hash(const struct ofs_childtable *t, uint32_t dir,
                             const char *name, size_t len);

/* The first of that hash that `is` says yes to; UINT32_MAX: none. */
uint32_t ofs_childtable_find(const struct ofs_childtable *t, uint32_t hash,
                             bool (*is)(const void *arg, uint32_t no),
                             const void *arg);
int ofs_childtable_add(struct ofs_childtable *t, uint32_t hash,
                       uint32_t no) OFS_MUST_CHECK; /* -ENOMEM */

#endif
