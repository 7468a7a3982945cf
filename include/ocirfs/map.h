/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MAP_H
#define OFS_MAP_H

/*
 * Hash map from strings to pointers.  Keys are copied, values are the
 * caller's.  The hash is seeded at random so that a server cannot choose
 * names that collide.  Not thread-safe.
 */

#include "ocirfs/err.h"

#include <stddef.h>

struct ofs_map;

struct ofs_map *ofs_map_new(void); /* NULL: no memory */
/* Calls `free_value` (may be NULL) for each value. */
void ofs_map_free(struct ofs_map *m, void (*free_value)(void *));

void *ofs_map_get(const struct ofs_map *m, const char *key); /* NULL: none */
/* Sets or replaces; *ret_old (may be NULL) is what was there.  -ENOMEM. */
int ofs_map_put(struct ofs_map *m, const char *key, void *value,
                void **ret_old) OFS_MUST_CHECK;
void *ofs_map_remove(struct ofs_map *m, const char *key); /* NULL: none */
size_t ofs_map_count(const struct ofs_map *m);

/* Visits all in no order; the map must not change; stops at the first != 0. */
int ofs_map_each(const struct ofs_map *m,
                 int (*fn)(const char *key, void *value, void *arg), void *arg);

#endif
