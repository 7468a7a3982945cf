/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OVERLAY_PRIV_H
#define OFS_OVERLAY_PRIV_H

/* What the parts of scratch share: scratch, overlay_gate, overlay_list. */

#include "overlay.h"

struct ofs_local {
    char id[24]; /* immutable, as is the draft */
    struct ofs_draft *draft;
    unsigned refs;      /* guarded by overlay.mtx, as is all that follows */
    bool linked;        /* has its name; counts one reference */
    unsigned n_writers; /* who has it open */
    unsigned n_writing; /* who is about it now */
    bool pushing;       /* or waits until none of them is */
    struct ofs_waitlist waiters;
    int64_t promised_ms; /* 0: not; else counts one reference */
    int promised_to;     /* a thread */
    uint64_t n_pushed;   /* changes that were in what was last pushed */
    bool was_pushed;
    struct ofs_local_now now;
};

#endif
