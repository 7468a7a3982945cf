/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LOCAL_H
#define OFS_LOCAL_H

/* What is known in this mount only, beside what the registry says. */

#include "ocirfs/lock.h"

#include <stddef.h>
#include <stdint.h>

struct ofs_map;
struct ofs_failure;

/* Repositories that were made here: made.h. */
struct ofs_mades {
    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_map *map;  /* path -> struct made */
};

/* Names that exist here only: scratch.h. */
struct ofs_scratches {
    struct ofs_mutex mtx;  /* rank NODE; guards all below */
    struct ofs_map *names; /* spot -> struct ofs_scratch */
    struct ofs_map *ids;   /* id -> the same, also those without a name */
    uint64_t last_id;
};

/* Why operations on names failed: failures.h. */
enum { OFS_FAILURES = 64 };
struct ofs_failures {
    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_failure *at[OFS_FAILURES];
    size_t next; /* is overwritten next */
};

#endif
