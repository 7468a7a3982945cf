/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PLAIN_H
#define OFS_PLAIN_H

/* A registry that speaks the distribution specification only. */

#include "backend.h"

struct ofs_registry;

struct ofs_plain_cfg {
    struct ofs_sync *sync;
    struct ofs_store *store;
    struct ofs_registry *registry;
    const char *url;              /* names the notes */
    const struct ofs_strv *named; /* these only; empty: use the catalog */
};

struct ofs_backend *
ofs_plain_new(const struct ofs_plain_cfg *cfg); /* or NULL */

#endif
