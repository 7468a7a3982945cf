/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_priv.h"

struct fake_log {
    pthread_mutex_t mtx;
    pthread_cond_t came;
    /* All guarded by mtx.  Records stay until the end; `start` is where those
     * begin that count. */
    struct fake_record *records;
    struct fake_record **start, **tail;
    unsigned connections, active, peak;
    uint64_t body_bytes;
};

struct fake_log *fake_log_new(void)
{
    struct fake_log *log = fake_alloc(sizeof(*log));

    (void)pthread_mutex_init(&log->mtx, NULL);
    fake_cond_init(&log->came);
    log->start = log->tail = &log->records;
    return log;
}

void fake_record_free(struct fake_record *record)
{
    free(record->req.method);
    free(record->req.target);
    free(record->req.path);
    free(record->req.query);
    free(record->req.headers);
    free(record->req.body);
    free(record);
}

void fake_log_free(struct fake_log *log)
{
    struct fake_record *r;

    while ((r = log->records)) {
        log->records = r->next;
        fake_record_free(r);
    }
    (void)pthread_cond_destroy(&log->came);
    (void)pthread_mutex_destroy(&log->mtx);
    free(log);
}

void fake_log_add(struct fake_log *log, struct fake_record *record)
{
    (void)pthread_mutex_lock(&log->mtx);
    *log->tail = record;
    log->tail = &record->next;
    if (++log->active > log->peak)
        log->peak = log->active;
    (void)pthread_cond_broadcast(&log->came);
    (void)pthread_mutex_unlock(&log->mtx);
}

void fake_log_answered(struct fake_log *log)
{
    (void)pthread_mutex_lock(&log->mtx);
    log->active--;
    (void)pthread_mutex_unlock(&log->mtx);
}

void fake_log_connection(struct fake_log *log)
{
    (void)pthread_mutex_lock(&log->mtx);
    log->connections++;
    (void)pthread_mutex_unlock(&log->mtx);
}

void fake_log_sent(struct fake_log *log, size_t n)
{
    (void)pthread_mutex_lock(&log->mtx);
    log->body_bytes += n;
    (void)pthread_mutex_unlock(&log->mtx);
}

static unsigned count(const struct fake_log *log, const char *match)
{
    unsigned n = 0;

    for (const struct fake_record *r = *log->start; r; r = r->next)
        n += fake_match(match, &r->req);
    return n;
}

unsigned fake_log_count(struct fake_log *log, const char *match)
{
    unsigned n;

    (void)pthread_mutex_lock(&log->mtx);
    n = count(log, match);
    (void)pthread_mutex_unlock(&log->mtx);
    return n;
}

bool fake_log_wait(struct fake_log *log, const char *match, unsigned n,
                   int64_t timeout_ms)
{
    struct timespec until = fake_from_now(timeout_ms);
    bool enough;
    int rc = 0;

    (void)pthread_mutex_lock(&log->mtx);
    while (!(enough = count(log, match) >= n) && rc == 0)
        rc = pthread_cond_timedwait(&log->came, &log->mtx, &until);
    (void)pthread_mutex_unlock(&log->mtx);
    return enough;
}

const struct fake_request *fake_log_get(struct fake_log *log, const char *match,
                                        unsigned i)
{
    const struct fake_record *r;

    (void)pthread_mutex_lock(&log->mtx);
    for (r = *log->start; r; r = r->next) {
        if (fake_match(match, &r->req) && i-- == 0)
            break;
    }
    (void)pthread_mutex_unlock(&log->mtx);
    return r ? &r->req : NULL;
}

void fake_log_clear(struct fake_log *log)
{
    (void)pthread_mutex_lock(&log->mtx);
    log->start = log->tail;
    log->connections = 0;
    log->peak = log->active;
    log->body_bytes = 0;
    (void)pthread_mutex_unlock(&log->mtx);
}

unsigned fake_log_connections(struct fake_log *log)
{
    unsigned n;

    (void)pthread_mutex_lock(&log->mtx);
    n = log->connections;
    (void)pthread_mutex_unlock(&log->mtx);
    return n;
}

unsigned fake_log_peak(struct fake_log *log)
{
    unsigned n;

    (void)pthread_mutex_lock(&log->mtx);
    n = log->peak;
    (void)pthread_mutex_unlock(&log->mtx);
    return n;
}

uint64_t fake_log_body_bytes(struct fake_log *log)
{
    uint64_t n;

    (void)pthread_mutex_lock(&log->mtx);
    n = log->body_bytes;
    (void)pthread_mutex_unlock(&log->mtx);
    return n;
}
