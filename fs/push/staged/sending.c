/* SPDX-License-Identifier: Apache-2.0 */
#include "sending.h"

#include "ocirfs/list.h"

enum { MARK_MS = 2000 }; /* a rate is that of the last 2 to 4 seconds */

void ofs_pace_start(struct ofs_pace *p, int64_t now_ms)
{
    *p = (struct ofs_pace){ .at_ms = { now_ms, now_ms } };
}

uint64_t ofs_pace_rate(struct ofs_pace *p, int64_t now_ms, uint64_t bytes)
{
    int64_t ms = now_ms - p->at_ms[0];
    uint64_t more = bytes > p->bytes[0] ? bytes - p->bytes[0] : 0;

    /* An upload that began anew counts from zero. */
    if (bytes < p->bytes[1] || now_ms - p->at_ms[1] >= MARK_MS) {
        p->at_ms[0] = p->at_ms[1];
        p->bytes[0] = bytes < p->bytes[1] ? bytes : p->bytes[1];
        p->at_ms[1] = now_ms;
        p->bytes[1] = bytes;
    }
    return ms > 0 ? more * 1000 / (uint64_t)ms : 0;
}

void ofs_senders_init(struct ofs_senders *l, const struct ofs_clock *clock)
{
    *l = (struct ofs_senders){ .clock = clock };
    ofs_mutex_init(&l->mtx, OFS_RANK_PUSH);
}

void ofs_senders_done(struct ofs_senders *l)
{
    assert(!l->first);
    ofs_mutex_done(&l->mtx);
}

void ofs_senders_add(struct ofs_senders *l, struct ofs_sender *s)
{
    OFS_GUARD(&l->mtx);
    ofs_pace_start(&s->pace, l->clock->mono_ms(l->clock));
    ofs_list_add(&l->first, s);
}

void ofs_senders_remove(struct ofs_senders *l, struct ofs_sender *s)
{
    OFS_GUARD(&l->mtx);
    ofs_list_remove(s);
}

void ofs_senders_each(struct ofs_senders *l,
                      void (*visit)(void *arg, const struct ofs_sent *sent),
                      void *arg)
{
    int64_t now_ms = l->clock->mono_ms(l->clock);

    OFS_GUARD(&l->mtx);
    for (struct ofs_sender *s = l->first; s; s = s->next) {
        uint64_t bytes = atomic_load(&s->sent), size = atomic_load(&s->size);
        const struct ofs_sent sent = {
            .repo = s->repo,
            .digest = s->digest,
            .size = size,
            .sent = bytes < size ? bytes : size,
            .rate_bytes = ofs_pace_rate(&s->pace, now_ms, bytes),
        };

        visit(arg, &sent);
    }
}
