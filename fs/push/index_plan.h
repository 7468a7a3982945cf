/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_INDEX_PLAN_H
#define OFS_INDEX_PLAN_H

/*
 * What somebody who has written an index.json wants.  Pure.
 *
 * He has read it before, and hands back all entries but the one that is new.
 * Those say nothing new: if somebody else has moved a tag meanwhile, an old
 * entry is no wish to move it back.  So an entry counts when the tag is not
 * known to name that already, and when it is not just what he has read - but
 * for a tag that is gone by now, which he may want back.
 */

#include "ocirfs/manifest.h"

/* What a tag names now: 0 and *ret; -EAGAIN it is there, and what it names is
 * not known; -ENOENT it is not known to be there. */
typedef int ofs_index_now_fn(void *arg, const char *tag,
                             struct ofs_digest *ret);

struct ofs_index_ask {
    const struct ofs_manifest *written;
    const struct ofs_manifest *read; /* NULL: nothing */
    ofs_index_now_fn *now;
    void *arg;
};

struct ofs_index_wish {
    char *tag;                      /* owned; NULL: by its digest only */
    const struct ofs_descriptor *d; /* of `written` */
    bool is_old;                    /* while the plan is made */
};

struct ofs_index_plan {
    struct ofs_index_wish *at; /* owned */
    size_t n, room;
    const struct ofs_descriptor **left_out; /* without a tag, of `read`, and not
                                               in `written`; owned */
    size_t n_left_out;
};

/*
 * -EINVAL: something in it cannot become anything in a registry, and `err` says
 * what; the plan is for all the rest.  -ENOMEM: there is no plan.
 */
int ofs_index_plan(const struct ofs_index_ask *ask, struct ofs_index_plan *ret,
                   struct ofs_err *err) OFS_MUST_CHECK;
void ofs_index_plan_done(struct ofs_index_plan *p);

#endif
