/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include "ocirfs/errclass.h"
#include "ocirfs/log.h"
#include "ocirfs/metrics.h"

enum { SHARE_MAX_MS = 10000 };

static struct ofs_metric fallbacks = OFS_COUNTER(
    "ocirfs_registry_mirror_fallbacks_total",
    "Operations that the mirror could not do, so that the source did.");

int64_t ofs_reg_mirror_share_ms(int64_t left_ms, bool is_long)
{
    int64_t share = left_ms == OFS_NEVER ? OFS_NEVER : left_ms / 2;

    return is_long || share < SHARE_MAX_MS ? share : SHARE_MAX_MS;
}

static bool is_shunned(struct ofs_registry *r)
{
    int64_t now = r->clock->mono_ms(r->clock);

    OFS_GUARD(&r->mtx);
    return now < r->mirror_shunned_until_ms;
}

static int ask_mirror(struct ofs_registry *r, struct ofs_call *call,
                      const struct reg_task *task, struct ofs_err *err)
{
    int64_t deadline = call->deadline_ms;
    int64_t share =
        ofs_reg_mirror_share_ms(ofs_call_left_ms(call), task->is_long);
    int e;

    if (share != OFS_NEVER)
        call->deadline_ms = ofs_mono_ms() + share;
    e = task->op(&r->mirror, call, task->arg, err);
    call->deadline_ms = deadline;
    return e;
}

/* Would the source fail in the same way, because it is the caller's? */
static bool is_callers(struct ofs_call *call, int e)
{
    return ofs_err_is(e, OFS_ERR_OWN) || ofs_call_check(call, NULL) < 0;
}

int ofs_reg_route(struct ofs_registry *r, struct ofs_call *call,
                  const struct reg_task *task, struct ofs_err *err)
{
    struct ofs_err trouble = { 0 };
    int e;

    if (!r->has_mirror || task->pass_mirror || is_shunned(r))
        return task->op(&r->source, call, task->arg, err);
    e = ask_mirror(r, call, task, &trouble);
    if (e < 0 && !is_callers(call, e)) {
        ofs_metric_add(&fallbacks, 1);
        ofs_log(OFS_DEBUG, "registry: mirror '%s': %s, asking '%s'",
                r->mirror.host, trouble.text, r->source.host);
        return task->op(&r->source, call, task->arg, err);
    }
    if (e < 0 && err)
        *err = trouble;
    return e;
}
