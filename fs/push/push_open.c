/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/push.h"

#include "push_priv.h"

enum { MAX_STREAMS = 8 }; /* blobs that are sent while they are written */

static struct ofs_push *push_new(const struct ofs_push_cfg *cfg)
{
    struct ofs_push *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->cfg = *cfg;
    if (!p->cfg.clock)
        p->cfg.clock = &ofs_system_clock;
    p->cfg.dir = NULL; /* for ofs_push_open() only */
    p->url = strdup(cfg->url);
    p->cfg.url = p->url;
    p->stage.lock_fd = p->stage.files_fd = p->stage.jobs_fd = -1;
    ofs_mutex_init(&p->mtx, OFS_RANK_PUSH);
    ofs_call_init(&p->call, OFS_NEVER);
    ofs_senders_init(&p->senders, p->cfg.clock);
    return p;
}

static int make_parts(struct ofs_push *p)
{
    const struct ofs_workers_cfg streams = {
        .name = "ofs-stream",
        .max_threads = MAX_STREAMS,
    };

    p->flights = ofs_flights_new();
    p->workers = ofs_workers_new(&streams);
    if (!p->flights || !p->workers || ofs_known_init(&p->known) < 0)
        return -ENOMEM;
    p->streaming = (struct ofs_stream_cfg){
        .registry = p->cfg.registry,
        .workers = p->workers,
        .senders = &p->senders,
        .where = p->cfg.hooks.where,
        .where_arg = p->cfg.hooks.arg,
    };
    return 0;
}

int ofs_push_open(const struct ofs_push_cfg *cfg, struct ofs_push **ret,
                  struct ofs_err *err)
{
    OFS_AUTO(ofs_push_freep) struct ofs_push *p = push_new(cfg);
    int r;

    if (!p || !p->url || make_parts(p) < 0)
        return ofs_err_nomem(err, "the staging area");
    r = ofs_stage_open(&p->stage, cfg->dir, cfg->max_bytes, err);
    if (r == 0)
        r = ofs_agenda_load(p, err);
    if (r < 0)
        return r;
    *ret = ofs_take(&p);
    return 0;
}

int ofs_push_start(struct ofs_push *p, struct ofs_err *err)
{
    int r = ofs_resume_start(p);

    if (r < 0)
        return ofs_err_errno(err, -r, "the thread for pending work");
    atomic_store(&p->started, true);
    return 0;
}

void ofs_push_stop(struct ofs_push *p)
{
    atomic_store(&p->started, false);
    ofs_resume_stop(p);
    ofs_workers_stop(p->workers);
}

void ofs_push_free(struct ofs_push *p)
{
    if (!p)
        return;
    if (p->workers)
        ofs_push_stop(p);
    ofs_agenda_free(p);
    assert(atomic_load(&p->n_drafts) == 0); /* drafts hold on to push */
    ofs_stage_close(&p->stage);
    ofs_workers_free(p->workers);
    ofs_flights_free(p->flights);
    ofs_known_done(&p->known);
    ofs_senders_done(&p->senders);
    ofs_call_done(&p->call);
    ofs_mutex_done(&p->mtx);
    free(p->url);
    free(p);
}
