/* SPDX-License-Identifier: Apache-2.0 */
#include "push_priv.h"

/* Which needs no memory, so that freeing finds it made. */
static void wire_up(struct ofs_push *p, char *others)
{
    ofs_jobqueue_init(&p->jobs.queue, p->url, &p->stage);
    p->jobs.queue.wake = ofs_resumer_poke;
    p->jobs.queue.arg = &p->resumer;
    p->jobs.pub = &p->pub;
    p->jobs.drafts = &p->drafts;
    ofs_resumer_init(&p->resumer, &p->jobs, others);
}

static struct ofs_push *push_new(const struct ofs_push_cfg *cfg)
{
    struct ofs_push *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->cfg = *cfg;
    if (!p->cfg.clock)
        p->cfg.clock = &ofs_system_clock;
    p->cfg.dir = p->cfg.others = NULL; /* for ofs_push_open() only */
    p->url = strdup(cfg->url);
    p->cfg.url = p->url;
    p->stage.lock_fd = p->stage.files_fd = p->stage.jobs_fd = -1;
    ofs_senders_init(&p->senders, p->cfg.clock);
    wire_up(p, cfg->others ? strdup(cfg->others) : NULL);
    return p;
}

static int make_parts(struct ofs_push *p)
{
    p->remote = (struct ofs_remote){ p->cfg.registry, p->cfg.store };
    if (ofs_publisher_init(&p->pub, &p->remote, &p->cfg) < 0)
        return -ENOMEM;
    return ofs_drafts_init(&p->drafts, &p->stage, &p->remote, &p->senders,
                           &p->cfg.hooks);
}

int ofs_push_open(const struct ofs_push_cfg *cfg, struct ofs_push **ret,
                  struct ofs_err *err)
{
    OFS_AUTO(ofs_push_freep) struct ofs_push *p = push_new(cfg);
    int r;

    if (!p || !p->url || (cfg->others && !p->resumer.others) ||
        make_parts(p) < 0)
        return ofs_err_nomem(err, "the staging area");
    r = ofs_stage_open(&p->stage, cfg->dir, cfg->max_bytes, err);
    if (r == 0)
        r = ofs_jobqueue_load(&p->jobs, err);
    if (r < 0)
        return r;
    *ret = ofs_take(&p);
    return 0;
}

int ofs_push_start(struct ofs_push *p, struct ofs_err *err)
{
    int r = ofs_resumer_start(&p->resumer);

    if (r < 0)
        return ofs_err_errno(err, -r, "the thread for pending work");
    atomic_store(&p->drafts.started, true);
    return 0;
}

int ofs_draft_new(struct ofs_push *p, const char *repo, struct ofs_draft **ret,
                  struct ofs_err *err)
{
    return ofs_draft_create(&p->drafts, repo, ret, err);
}

void ofs_push_stop(struct ofs_push *p)
{
    atomic_store(&p->drafts.started, false);
    ofs_resumer_stop(&p->resumer);
    ofs_drafts_stop(&p->drafts);
}

void ofs_push_free(struct ofs_push *p)
{
    if (!p)
        return;
    ofs_push_stop(p);
    ofs_jobqueue_done(&p->jobs.queue);
    ofs_drafts_done(&p->drafts);
    ofs_stage_close(&p->stage);
    ofs_publisher_done(&p->pub);
    ofs_senders_done(&p->senders);
    ofs_resumer_done(&p->resumer);
    free(p->url);
    free(p);
}
