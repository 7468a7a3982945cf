/* SPDX-License-Identifier: Apache-2.0 */
#include "childtable.h"

#include <sys/random.h>

enum { FIRST_ROOM = 256 };

void ofs_childtable_init(struct ofs_childtable *t)
{
    *t = (struct ofs_childtable){ 0 };
    if (getrandom(&t->seed, sizeof(t->seed), GRND_NONBLOCK) < 0)
        t->seed = (uintptr_t)t; /* at start-up; better than nothing */
}

void ofs_childtable_done(struct ofs_childtable *t)
{
    free(t->slots);
    t->slots = NULL;
}

/* Multiply and mix, eight bytes at a time, from a secret start. */
static uint64_t mix(uint64_t h, uint64_t word)
{
    h = (h ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return h ^ h >> 29;
}

uint32_t ofs_childtable_hash(const struct ofs_childtable *t, uint32_t dir,
                             const char *name, size_t len)
{
    uint64_t h = mix(t->seed, (uint64_t)dir << 32 | len);

    while (len > 0) {
        size_t n = len < 8 ? len : 8;
        uint64_t word = 0;

        memcpy(&word, name, n);
        h = mix(h + t->seed, word);
        name += n;
        len -= n;
    }
    return (uint32_t)(mix(h, t->seed) >> 32);
}

uint32_t ofs_childtable_find(const struct ofs_childtable *t, uint32_t hash,
                             bool (*is)(const void *arg, uint32_t no),
                             const void *arg)
{
    if (t->room == 0)
        return UINT32_MAX;
    for (size_t i = hash & (t->room - 1); t->slots[i].no != 0;
         i = (i + 1) & (t->room - 1))
        if (t->slots[i].hash == hash && is(arg, t->slots[i].no - 1))
            return t->slots[i].no - 1;
    return UINT32_MAX;
}

static void put_slot(struct ofs_childtable *t, struct ofs_childslot slot)
{
    size_t i = slot.hash & (t->room - 1);

    while (t->slots[i].no != 0)
        i = (i + 1) & (t->room - 1);
    t->slots[i] = slot;
}

static int widen(struct ofs_childtable *t)
{
    struct ofs_childtable wide = *t;

    wide.room = t->room > 0 ? t->room * 2 : FIRST_ROOM;
    wide.slots = calloc(wide.room, sizeof(*wide.slots));
    if (!wide.slots)
        return -ENOMEM;
    for (size_t i = 0; i < t->room; i++)
        if (t->slots[i].no != 0)
            put_slot(&wide, t->slots[i]);
    free(t->slots);
    *t = wide;
    return 0;
}

int ofs_childtable_add(struct ofs_childtable *t, uint32_t hash, uint32_t no)
{
    if (t->n >= t->room / 2 && widen(t) < 0)
        return -ENOMEM;
    put_slot(t, (struct ofs_childslot){ hash, no + 1 });
    t->n++;
    return 0;
}
