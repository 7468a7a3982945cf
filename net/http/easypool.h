/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_EASYPOOL_H
#define OFS_EASYPOOL_H

/*
 * Easy handles that wait for their next request, and the TLS sessions they
 * share: a session that one connection earned serves the next one, whichever
 * handle opens it.  Thread-safe.
 */

#include "ocirfs/lock.h"

#include <curl/curl.h>

enum { OFS_EASYPOOL_MAX = 64 }; /* idle ones; some 8 KiB each */

struct ofs_easypool {
    struct ofs_mutex mtx;
    CURL *idle[OFS_EASYPOOL_MAX]; /* guarded by mtx */
    size_t n;                     /* guarded by mtx */
    CURLSH *share;                /* immutable after init */
    pthread_mutex_t share_mtx[CURL_LOCK_DATA_LAST];
};

/* Does not move in memory afterwards.  0, -ENOMEM. */
int ofs_easypool_init(struct ofs_easypool *p) OFS_MUST_CHECK;
/* All handles are back. */
void ofs_easypool_done(struct ofs_easypool *p);

/* A handle with default options; NULL: no memory. */
CURL *ofs_easypool_get(struct ofs_easypool *p);
void ofs_easypool_put(struct ofs_easypool *p, CURL *easy);

#endif
