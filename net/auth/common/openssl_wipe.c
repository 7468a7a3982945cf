/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/openssl_wipe.h"

#include "ocirfs/secret.h"

#include <malloc.h>
#include <openssl/crypto.h>
#include <stdlib.h>
#include <string.h>

static void *plain_malloc(size_t size, const char *file, int line)
{
    (void)file;
    (void)line;
    return malloc(size);
}

static void wipe_and_free(void *data, const char *file, int line)
{
    (void)file;
    (void)line;
    if (data)
        ofs_wipe(data, malloc_usable_size(data));
    free(data);
}

/* By copy, since realloc leaves the old bytes behind. */
static void *move(void *old, size_t size, const char *file, int line)
{
    size_t had = old ? malloc_usable_size(old) : 0;
    void *fresh = size > 0 ? malloc(size) : NULL;

    if (size > 0 && !fresh)
        return NULL;
    if (fresh && had > 0)
        memcpy(fresh, old, had < size ? had : size);
    wipe_and_free(old, file, line);
    return fresh;
}

/* Too late is no reason not to work: then keys are wiped less well. */
void ofs_openssl_wipe_start(void)
{
    (void)CRYPTO_set_mem_functions(plain_malloc, move, wipe_and_free);
}
