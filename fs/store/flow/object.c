/* SPDX-License-Identifier: Apache-2.0 */
#include "object.h"

void ofs_object_set(struct ofs_object *o, uint32_t i, enum ofs_chunk state)
{
    enum ofs_chunk before = ofs_object_state(o, i);

    if (before == OFS_PRESENT && state != OFS_PRESENT) {
        o->n_present--;
        atomic_store(&o->complete, false);
    } else if (before != OFS_PRESENT && state == OFS_PRESENT) {
        o->n_present++;
    }
    if (before == OFS_COMING)
        o->n_coming--;
    if (state == OFS_COMING)
        o->n_coming++;
    if (state == OFS_ABSENT && i < o->demand_at)
        o->demand_at = i;
    atomic_store_explicit(&o->state[i], (uint8_t)state, memory_order_release);
    if (o->verified && o->n_present == o->n_chunks)
        atomic_store(&o->complete, true);
}

/* What is proven may be served if we know the same proof; what only arrived
 * is checked where the chain has passed already. */
static enum ofs_chunk state_for(const struct ofs_object *o, uint32_t i,
                                uint8_t mark)
{
    if (mark == OFS_MARK_PROVEN && o->verified && !o->doubtful)
        return OFS_PRESENT;
    return i < o->hashed ? OFS_SUSPECT : OFS_PRESENT;
}

void ofs_object_adopt(struct ofs_object *o, uint32_t first,
                      const uint8_t *marks, uint32_t n)
{
    for (uint32_t i = 0; i < n; i++)
        if (marks[i] != OFS_MARK_ABSENT)
            ofs_object_set(o, first + i, state_for(o, first + i, marks[i]));
}

void ofs_want_add(struct ofs_object *o, struct ofs_want *w)
{
    struct ofs_want **end = &o->wants;

    while (*end)
        end = &(*end)->next;
    ofs_list_add(end, w);
}

void ofs_object_wake(struct ofs_object *o, uint32_t await,
                     struct ofs_held *held)
{
    for (struct ofs_want *w = o->wants; w; w = w->next) {
        if (w->await != await)
            continue;
        if (held && !w->held) {
            ofs_held_pin(o->held, held);
            w->held = held;
        }
        ofs_call_wake(w->call);
    }
}

void ofs_object_wake_all(struct ofs_object *o)
{
    for (struct ofs_want *w = o->wants; w; w = w->next)
        ofs_call_wake(w->call);
}

void ofs_object_fail(struct ofs_object *o, uint32_t first, uint32_t last,
                     const struct ofs_err *err, struct ofs_source *whose)
{
    for (struct ofs_want *w = o->wants; w; w = w->next) {
        if (w->await != OFS_AWAIT_VERDICT &&
            (w->last < first || w->first > last))
            continue;
        w->failed = true;
        w->err = *err;
        w->whose = whose;
        ofs_call_wake(w->call);
    }
}

void ofs_rate_add(struct ofs_rate *rate, int64_t now_ms, uint64_t bytes)
{
    int64_t second = now_ms / 1000;

    if (second - rate->second >= OFS_RATE_SLOTS || second < rate->second) {
        *rate = (struct ofs_rate){ .second = second };
    } else {
        while (rate->second < second) {
            rate->second++;
            rate->bytes[rate->second % OFS_RATE_SLOTS] = 0;
        }
    }
    rate->bytes[second % OFS_RATE_SLOTS] += bytes;
}

/* The second under way counts with what there is of it. */
uint64_t ofs_rate_get(const struct ofs_rate *rate, int64_t now_ms)
{
    int64_t second = now_ms / 1000;
    uint64_t sum = 0;

    for (int64_t at = second - OFS_RATE_SLOTS + 1; at <= second; at++)
        if (at >= 0 && at <= rate->second && at > rate->second - OFS_RATE_SLOTS)
            sum += rate->bytes[at % OFS_RATE_SLOTS];
    return sum * 1000 /
           (uint64_t)((OFS_RATE_SLOTS - 1) * 1000 + now_ms % 1000 + 1);
}
