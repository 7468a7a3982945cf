/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCIR_H
#define OFS_OCIR_H

/*
 * Oracle's registry: its control plane lists, makes, moves and deletes
 * repositories, in compartments, and knows more of them than a registry does.
 */

#include "backend.h"

struct ofs_ora;

/* As ocirfs/tree.h has them; all borrowed until the new one is made, but for
 * ora, sync and store. */
struct ofs_ocir_backend_cfg {
    struct ofs_sync *sync;
    struct ofs_store *store;
    struct ofs_ora *ora;
    const char *tenancy, *namespace_name, *compartment;
    void (*warn)(void *arg, const char *sentence);
    void *warn_arg;
    const struct ofs_strv *named; /* these only; empty: what is listed */
};

/* NULL: no memory. */
struct ofs_backend *ofs_ocir_new(const struct ofs_ocir_backend_cfg *cfg);

#endif
