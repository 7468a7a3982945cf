/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_SENDING_H
#define OFS_SENDING_H

/* What is on its way to the registry, for .ocirfs/transfers.  Thread-safe. */

#include "ocirfs/clock.h"
#include "ocirfs/digest.h"
#include "ocirfs/lock.h"

#include <stdatomic.h>
#include <stddef.h>

/* How fast a counter has been growing of late: the two last marks. */
struct ofs_pace {
    int64_t at_ms[2]; /* at_ms[0] <= at_ms[1] */
    uint64_t bytes[2];
};

void ofs_pace_start(struct ofs_pace *p, int64_t now_ms);
/* Bytes per second now that the counter is at `bytes`.  Pure but for *p. */
uint64_t ofs_pace_rate(struct ofs_pace *p, int64_t now_ms, uint64_t bytes);

/* One transfer; the sender's own memory. */
struct ofs_sender {
    struct ofs_sender *next, **link; /* guarded by the list, as is pace */
    struct ofs_pace pace;
    const char *repo; /* lives as long as it is listed; the same below */
    const struct ofs_digest *digest; /* NULL: not known yet */
    _Atomic uint64_t size, sent;     /* bytes; changed by the sender */
};

struct ofs_senders {
    struct ofs_mutex mtx;
    const struct ofs_clock *clock;
    struct ofs_sender *first;
};

void ofs_senders_init(struct ofs_senders *l, const struct ofs_clock *clock);
void ofs_senders_done(struct ofs_senders *l);
void ofs_senders_add(struct ofs_senders *l, struct ofs_sender *s);
void ofs_senders_remove(struct ofs_senders *l, struct ofs_sender *s);

/* A look at one of them; valid during the visit only. */
struct ofs_sent {
    const char *repo;
    const struct ofs_digest *digest; /* NULL: not known yet */
    uint64_t size, sent, rate_bytes;
};
/* `visit` does not call back into the list. */
void ofs_senders_each(struct ofs_senders *l,
                      void (*visit)(void *arg, const struct ofs_sent *sent),
                      void *arg);

#endif
