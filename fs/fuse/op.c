/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Try, else hand over.
 *
 * The session's few threads must never sleep for the network: with ten of
 * them, ten readers of a silent registry would be enough to make `df` hang.
 * So each request is tried with a call that may not wait.  What is known is
 * answered right there; -EAGAIN moves the request to the pool.
 *
 * An interrupt from the kernel cancels the call of a handed-over op.  It may
 * come at any time until ofs_op_uninterruptible(), which is therefore the first thing
 * every reply does.
 */
#include "giveup.h"
#include "ops_priv.h"

#include "ocirfs/log.h"
#include "ocirfs/metrics.h"

static struct ofs_metric requests =
    OFS_COUNTER("ocirfs_fuse_requests_total", "Requests of the kernel.");
static struct ofs_metric handed_over = OFS_COUNTER(
    "ocirfs_fuse_waits_total", "Requests that had to wait for the network.");

static void on_interrupt(fuse_req_t req, void *arg)
{
    struct ofs_op *op = arg;

    (void)req;
    ofs_giveup_asked(op);
}

static void enlist(struct ofs_op *op)
{
    struct ofs_session *s = op->session;
    bool stopping;

    {
        OFS_GUARD(&s->mtx);
        ofs_list_add(&s->waiting, op);
        stopping = s->stopping;
    }
    if (stopping)
        ofs_call_cancel(&op->call);
}

static void delist(struct ofs_op *op)
{
    OFS_GUARD(&op->session->mtx);
    ofs_list_remove(op);
}

static void op_free(struct ofs_op *op)
{
    free(op->name);
    free(op->to.name);
    free(op->copy);
    free(op);
}

static void run_waiting(void *arg)
{
    struct ofs_op *op = arg;
    struct ofs_err err = { 0 };
    int r = ofs_call_check(&op->call, &err);

    if (r == 0)
        r = op->run(op, &err);
    if (r < 0)
        ofs_reply_fail(op, r, &err);
    delist(op);
    ofs_call_done(&op->call);
    op_free(op);
}

static bool copy_text(const char *from, char **to)
{
    *to = from ? strdup(from) : NULL;
    return !from || *to;
}

static bool copy_data(const struct ofs_op *from, struct ofs_op *to)
{
    to->copy = from->data ? malloc(from->size) : NULL;
    if (to->copy)
        to->data = memcpy(to->copy, from->data, from->size);
    return !from->data || to->copy;
}

/* A copy of `tried` that may wait and owns what it points to; NULL: no memory */
static struct ofs_op *op_new(const struct ofs_op *tried)
{
    struct ofs_op *op = malloc(sizeof(*op));
    bool ok;

    if (!op)
        return NULL;
    *op = *tried;
    ok = copy_text(tried->name, &op->name);
    ok &= copy_text(tried->to.name, &op->to.name);
    ok &= copy_data(tried, op);
    if (!ok) {
        op_free(op);
        return NULL;
    }
    ofs_call_init(&op->call, op->pushes ? OFS_NEVER : op->session->timeout_ms);
    op->call.who = tried->call.who;
    op->waits = true;
    return op;
}

static void hand_over(struct ofs_op *tried)
{
    struct ofs_op *op = op_new(tried);
    struct ofs_err err = { 0 };
    int r;

    if (!op) {
        r = ofs_err_nomem(&err, "a request");
        ofs_reply_fail(tried, r, &err);
        return;
    }
    enlist(op);
    fuse_req_interrupt_func(op->req, on_interrupt, op);
    ofs_metric_add(&handed_over, 1);
    r = ofs_workers_add(op->session->pool, run_waiting, op);
    if (r < 0) {
        (void)ofs_err_set(&err, r,
                          r == -ENOMEM ? "no memory for a thread"
                                       : "too many operations wait already");
        ofs_reply_fail(op, r, &err);
        delist(op);
        ofs_call_done(&op->call);
        op_free(op);
    }
}

void ofs_op_start(struct ofs_op *op)
{
    struct ofs_err err = { 0 };
    int r;

    op->session = ofs_session_of(op->req);
    ofs_call_init(&op->call, op->session->timeout_ms);
    op->call.may_wait = false;
    op->call.who = fuse_req_ctx(op->req)->pid;
    ofs_metric_add(&requests, 1);
    r = op->run(op, &err);
    ofs_call_done(&op->call);
    if (r == -EAGAIN)
        hand_over(op);
    else if (r < 0)
        ofs_reply_fail(op, r, &err);
}

void ofs_op_start_named(struct ofs_op *op, const char *name, const char *to)
{
    if (copy_text(name, &op->name) && copy_text(to, &op->to.name))
        ofs_op_start(op);
    else
        (void)fuse_reply_err(op->req, ENOMEM);
    free(op->name);
    free(op->to.name);
}

void ofs_ops_cancel(struct ofs_session *s)
{
    OFS_GUARD(&s->mtx);
    s->stopping = true;
    for (struct ofs_op *op = s->waiting; op; op = op->next)
        ofs_call_cancel(&op->call);
}
