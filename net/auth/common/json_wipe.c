/* SPDX-License-Identifier: Apache-2.0 */
#include "json_wipe.h"

#include "ocirfs/secret.h"

#include <jansson.h>
#include <malloc.h>
#include <pthread.h>

static void wipe_and_free(void *data)
{
    if (!data)
        return;
    ofs_wipe(data, malloc_usable_size(data));
    free(data);
}

/* Below it stays malloc and free, so documents that were made before, and
 * texts that a caller frees itself, come to no harm. */
static void set_allocator(void)
{
    json_set_alloc_funcs(malloc, wipe_and_free);
}

void ofs_json_wipe_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    (void)pthread_once(&once, set_allocator);
}
