/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/workers.h"

#include "ocirfs/lock.h"
#include "ocirfs/thread.h"

struct job {
    ofs_job_fn *fn;
    void *arg;
};

/*
 * The ring holds max_threads + max_queue jobs, because a job passes through it
 * on its way to a free thread as well; queued + running never exceeds that.
 */
struct ofs_workers {
    char name[16];
    unsigned max_threads;
    unsigned ring_size;

    struct ofs_mutex mtx; /* guards all below */
    pthread_cond_t work;
    bool stopping;
    unsigned head; /* of the ring: the oldest job */
    unsigned queued;
    unsigned running;
    unsigned idle; /* threads that wait for `work` */
    unsigned n_threads;
    pthread_t *threads;
    struct job *ring;
};

static void parts_free(struct ofs_workers *w)
{
    if (!w)
        return;
    free(w->threads);
    free(w->ring);
    free(w);
}
OFS_DEFINE_AUTO(struct ofs_workers, parts_free)

struct ofs_workers *ofs_workers_new(const struct ofs_workers_cfg *cfg)
{
    OFS_AUTO(parts_freep) struct ofs_workers *w = calloc(1, sizeof(*w));

    assert(cfg->max_threads >= 1);
    if (!w)
        return NULL;
    (void)snprintf(w->name, sizeof(w->name), "%s", cfg->name);
    w->max_threads = cfg->max_threads;
    w->ring_size = cfg->max_threads + cfg->max_queue;
    w->threads = calloc(w->max_threads, sizeof(*w->threads));
    w->ring = calloc(w->ring_size, sizeof(*w->ring));
    if (!w->threads || !w->ring)
        return NULL;
    ofs_mutex_init(&w->mtx, OFS_RANK_WORKERS);
    (void)pthread_cond_init(&w->work, NULL);
    return ofs_take(&w);
}

/* Waits for a job and takes it.  False: there will be no more. */
static bool next_job(struct ofs_workers *w, struct job *ret)
{
    OFS_GUARD(&w->mtx);
    while (w->queued == 0 && !w->stopping) {
        w->idle++;
        (void)pthread_cond_wait(&w->work, &w->mtx.m);
        w->idle--;
    }
    if (w->queued == 0)
        return false;
    *ret = w->ring[w->head];
    w->head = (w->head + 1) % w->ring_size;
    w->queued--;
    w->running++;
    return true;
}

static void *worker(void *arg)
{
    struct ofs_workers *w = arg;
    struct job job;

    (void)pthread_setname_np(pthread_self(), w->name);
    while (next_job(w, &job)) {
        job.fn(job.arg);

        OFS_GUARD(&w->mtx);
        w->running--;
    }
    return NULL;
}

/* With w->mtx held. */
static int add_thread(struct ofs_workers *w)
{
    int r = ofs_thread_create(&w->threads[w->n_threads], NULL, worker, w);

    if (r == 0)
        w->n_threads++;
    return r;
}

int ofs_workers_start(struct ofs_workers *w)
{
    OFS_GUARD(&w->mtx);
    return w->n_threads == 0 && add_thread(w) < 0 ? -ENOMEM : 0;
}

int ofs_workers_add(struct ofs_workers *w, ofs_job_fn *fn, void *arg)
{
    OFS_GUARD(&w->mtx);
    if (w->stopping || w->queued + w->running >= w->ring_size)
        return -EBUSY;
    /* A new thread that cannot be had is no failure while others are there. */
    if (w->queued >= w->idle && w->n_threads < w->max_threads &&
        add_thread(w) < 0 && w->n_threads == 0)
        return -ENOMEM;
    w->ring[(w->head + w->queued) % w->ring_size] =
        (struct job){ .fn = fn, .arg = arg };
    w->queued++;
    (void)pthread_cond_signal(&w->work);
    return 0;
}

void ofs_workers_stop(struct ofs_workers *w)
{
    {
        OFS_GUARD(&w->mtx);
        w->stopping = true;
        (void)pthread_cond_broadcast(&w->work);
    }
    /* No thread is added any more, so these need no lock. */
    for (unsigned i = 0; i < w->n_threads; i++)
        (void)pthread_join(w->threads[i], NULL);
    w->n_threads = 0;
}

void ofs_workers_free(struct ofs_workers *w)
{
    if (!w)
        return;
    ofs_workers_stop(w);
    (void)pthread_cond_destroy(&w->work);
    ofs_mutex_done(&w->mtx);
    parts_free(w);
}

unsigned ofs_workers_busy(struct ofs_workers *w)
{
    OFS_GUARD(&w->mtx);
    return w->queued + w->running;
}
