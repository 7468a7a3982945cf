/* SPDX-License-Identifier: Apache-2.0 */
#include "bytes.h"

#include <stdlib.h>
#include <string.h>

struct ofs_bytes *ofs_bytes_new(const void *data, size_t len)
{
    struct ofs_bytes *b = malloc(sizeof(*b) + len);

    if (!b)
        return NULL;
    atomic_init(&b->refs, 1);
    b->len = len;
    if (len)
        memcpy(b->data, data, len);
    return b;
}

struct ofs_bytes *ofs_bytes_ref(struct ofs_bytes *b)
{
    (void)atomic_fetch_add(&b->refs, 1);
    return b;
}

void ofs_bytes_unref(struct ofs_bytes *b)
{
    if (b && atomic_fetch_sub(&b->refs, 1) == 1)
        free(b);
}
