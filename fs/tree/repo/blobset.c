/* SPDX-License-Identifier: Apache-2.0 */
#include "blobset.h"

#include <sys/random.h>

enum { FIRST_ROOM = 64 };

void ofs_blobset_done(struct ofs_blobset *s)
{
    free(s->at);
    memset(s, 0, sizeof(*s));
}

/*
 * A manifest may name any digests it likes, also 20,000 that begin alike, so
 * the place of one depends on numbers that nobody else knows: multilinear
 * hashing, of which the upper half is universal.
 */
static size_t place_of(const struct ofs_blobset *s, const struct ofs_digest *d)
{
    uint64_t sum = 0;

    for (size_t i = 0; i < OFS_COUNT_OF(s->seed); i++) {
        uint32_t word;

        memcpy(&word, &d->bytes[4 * i], sizeof(word));
        sum += s->seed[i] * word;
    }
    return (size_t)(sum >> 32) & (s->room - 1);
}

/* The slot that holds the digest, or the free one where it belongs. */
static struct ofs_known_blob *slot_of(const struct ofs_blobset *s,
                                      const struct ofs_digest *digest)
{
    size_t i = place_of(s, digest);

    while (s->at[i].digest.alg && !ofs_digest_eq(&s->at[i].digest, digest))
        i = (i + 1) & (s->room - 1);
    return &s->at[i];
}

struct ofs_known_blob *ofs_blobset_find(const struct ofs_blobset *s,
                                        const struct ofs_digest *digest)
{
    struct ofs_known_blob *slot = s->n ? slot_of(s, digest) : NULL;

    return slot && slot->digest.alg ? slot : NULL;
}

static int grow(struct ofs_blobset *s)
{
    struct ofs_blobset bigger = *s;

    bigger.room = s->room ? s->room * 2 : FIRST_ROOM;
    if (!s->room && getrandom(bigger.seed, sizeof(bigger.seed), 0) < 0)
        return -ENOMEM;
    bigger.at = calloc(bigger.room, sizeof(*bigger.at));
    if (!bigger.at)
        return -ENOMEM;
    for (size_t i = 0; i < s->room; i++)
        if (s->at[i].digest.alg)
            *slot_of(&bigger, &s->at[i].digest) = s->at[i];
    free(s->at);
    *s = bigger;
    return 0;
}

int ofs_blobset_put(struct ofs_blobset *s, const struct ofs_digest *digest,
                    uint64_t size, enum ofs_known_kind kind)
{
    struct ofs_known_blob *slot;

    /* Half full at most: probes stay short. */
    if (2 * (s->n + 1) > s->room && grow(s) < 0)
        return -ENOMEM;
    slot = slot_of(s, digest);
    if (slot->digest.alg && slot->kind >= kind)
        return 0;
    s->n += slot->digest.alg == 0;
    *slot = (struct ofs_known_blob){ .digest = *digest,
                                     .size = size,
                                     .kind = (uint8_t)kind };
    return 0;
}
