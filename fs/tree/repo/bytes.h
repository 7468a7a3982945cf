/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BYTES_H
#define OFS_BYTES_H

/* Bytes that several may hold and nobody changes. */

#include "ocirfs/cleanup.h"

#include <stdatomic.h>
#include <stddef.h>

struct ofs_bytes {
    atomic_uint refs;
    size_t len;
    char data[];
};

struct ofs_bytes *ofs_bytes_new(const void *data, size_t len); /* or NULL */
struct ofs_bytes *ofs_bytes_ref(struct ofs_bytes *b);
void ofs_bytes_unref(struct ofs_bytes *b);
OFS_DEFINE_AUTO(struct ofs_bytes, ofs_bytes_unref)

#endif
