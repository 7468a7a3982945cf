/* SPDX-License-Identifier: Apache-2.0 */
#include "easypool.h"

#include <errno.h>
#include <stdbool.h>

/*
 * libcurl locks for moments, inside its own calls, and calls nothing of ours
 * meanwhile; so these mutexes are leaves and need no rank.
 */
static void lock(CURL *easy, curl_lock_data data, curl_lock_access access,
                 void *arg)
{
    struct ofs_easypool *p = arg;

    (void)easy;
    (void)access;
    (void)pthread_mutex_lock(&p->share_mtx[data]);
}

static void unlock(CURL *easy, curl_lock_data data, void *arg)
{
    struct ofs_easypool *p = arg;

    (void)easy;
    (void)pthread_mutex_unlock(&p->share_mtx[data]);
}

int ofs_easypool_init(struct ofs_easypool *p)
{
    CURLSHcode rc;

    *p = (struct ofs_easypool){ .share = curl_share_init() };
    if (!p->share)
        return -ENOMEM;
    ofs_mutex_init(&p->mtx, OFS_RANK_HTTP);
    for (size_t i = 0; i < OFS_COUNT_OF(p->share_mtx); i++)
        (void)pthread_mutex_init(&p->share_mtx[i], NULL);
    rc = curl_share_setopt(p->share, CURLSHOPT_LOCKFUNC, lock);
    if (rc == CURLSHE_OK)
        rc = curl_share_setopt(p->share, CURLSHOPT_UNLOCKFUNC, unlock);
    if (rc == CURLSHE_OK)
        rc = curl_share_setopt(p->share, CURLSHOPT_USERDATA, p);
    if (rc == CURLSHE_OK)
        rc = curl_share_setopt(p->share, CURLSHOPT_SHARE,
                               CURL_LOCK_DATA_SSL_SESSION);
    if (rc == CURLSHE_OK)
        return 0;
    ofs_easypool_done(p);
    return -ENOMEM;
}

void ofs_easypool_done(struct ofs_easypool *p)
{
    if (!p->share)
        return;
    while (p->n > 0)
        curl_easy_cleanup(p->idle[--p->n]);
    (void)curl_share_cleanup(p->share);
    for (size_t i = 0; i < OFS_COUNT_OF(p->share_mtx); i++)
        (void)pthread_mutex_destroy(&p->share_mtx[i]);
    ofs_mutex_done(&p->mtx);
    p->share = NULL;
}

static CURL *pop(struct ofs_easypool *p)
{
    OFS_GUARD(&p->mtx);
    return p->n > 0 ? p->idle[--p->n] : NULL;
}

CURL *ofs_easypool_get(struct ofs_easypool *p)
{
    CURL *easy = pop(p);

    if (easy)
        return easy;
    easy = curl_easy_init();
    if (easy && curl_easy_setopt(easy, CURLOPT_SHARE, p->share) != CURLE_OK) {
        curl_easy_cleanup(easy);
        return NULL;
    }
    return easy;
}

/*
 * libcurl 7.88 leaves its receive buffer in a handle whose HTTP/2 connection
 * has other streams, and then takes no new size for it: neither the memory nor
 * a handle like that is wanted here.
 */
static bool is_clean(CURL *easy)
{
    return curl_easy_setopt(easy, CURLOPT_BUFFERSIZE,
                            (long)CURL_MAX_WRITE_SIZE) == CURLE_OK;
}

void ofs_easypool_put(struct ofs_easypool *p, CURL *easy)
{
    curl_easy_reset(easy); /* keeps the share */
    if (is_clean(easy)) {
        OFS_GUARD(&p->mtx);
        if (p->n < OFS_EASYPOOL_MAX) {
            p->idle[p->n++] = easy;
            return;
        }
    }
    curl_easy_cleanup(easy);
}
