/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/map.h"

#include <stdint.h>
#include <sys/auxv.h>

enum { FIRST_BUCKETS = 16 };

struct entry {
    struct entry *next;
    uint64_t hash;
    void *value;
    char key[];
};

struct ofs_map {
    struct entry **buckets;
    size_t n_buckets; /* a power of two */
    size_t count;
    uint64_t seed[2];
};

static uint64_t rotate(uint64_t x, int by)
{
    return x << by | x >> (64 - by);
}

static void sip_round(uint64_t v[4])
{
    v[0] += v[1];
    v[2] += v[3];
    v[1] = rotate(v[1], 13) ^ v[0];
    v[3] = rotate(v[3], 16) ^ v[2];
    v[0] = rotate(v[0], 32);
    v[2] += v[1];
    v[0] += v[3];
    v[1] = rotate(v[1], 17) ^ v[2];
    v[3] = rotate(v[3], 21) ^ v[0];
    v[2] = rotate(v[2], 32);
}

static void sip_word(uint64_t v[4], uint64_t word)
{
    v[3] ^= word;
    sip_round(v);
    v[0] ^= word;
}

/* SipHash-1-3 (Aumasson, Bernstein: "SipHash", 2012), words in host order. */
static uint64_t hash_of(const uint64_t seed[2], const char *key, size_t len)
{
    uint64_t v[4] = {
        seed[0] ^ 0x736f6d6570736575U,
        seed[1] ^ 0x646f72616e646f6dU,
        seed[0] ^ 0x6c7967656e657261U,
        seed[1] ^ 0x7465646279746573U,
    };
    uint64_t word, last = (uint64_t)len << 56, tail = 0;

    for (; len >= 8; len -= 8, key += 8) {
        memcpy(&word, key, 8);
        sip_word(v, word);
    }
    memcpy(&tail, key, len);
    sip_word(v, last ^ tail);
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

struct ofs_map *ofs_map_new(void)
{
    /* 16 random bytes that the kernel gives each process at its start. */
    const char *random = (const char *)getauxval(AT_RANDOM);
    OFS_AUTOFREE struct ofs_map *m = calloc(1, sizeof(*m));

    if (!m)
        return NULL;
    m->buckets = calloc(FIRST_BUCKETS, sizeof(*m->buckets));
    if (!m->buckets)
        return NULL;
    m->n_buckets = FIRST_BUCKETS;
    if (random)
        memcpy(m->seed, random, sizeof(m->seed));
    return ofs_take(&m);
}

void ofs_map_free(struct ofs_map *m, void (*free_value)(void *))
{
    if (!m)
        return;
    for (size_t i = 0; i < m->n_buckets; i++) {
        struct entry *e = m->buckets[i];

        while (e) {
            struct entry *next = e->next;

            if (free_value)
                free_value(e->value);
            free(e);
            e = next;
        }
    }
    free(m->buckets);
    free(m);
}

/* Where the pointer to the entry is, or where it would be appended. */
static struct entry **slot_of(const struct ofs_map *m, const char *key,
                              uint64_t hash)
{
    struct entry **p = &m->buckets[hash & (m->n_buckets - 1)];

    while (*p && ((*p)->hash != hash || strcmp((*p)->key, key) != 0))
        p = &(*p)->next;
    return p;
}

void *ofs_map_get(const struct ofs_map *m, const char *key)
{
    const struct entry *e =
        *slot_of(m, key, hash_of(m->seed, key, strlen(key)));

    return e ? e->value : NULL;
}

/* Without memory the chains grow longer instead; nothing fails. */
static void grow(struct ofs_map *m)
{
    size_t n = m->n_buckets * 2;
    struct entry **buckets = calloc(n, sizeof(*buckets));

    if (!buckets)
        return;
    for (size_t i = 0; i < m->n_buckets; i++) {
        struct entry *e = m->buckets[i];

        while (e) {
            struct entry *next = e->next;

            e->next = buckets[e->hash & (n - 1)];
            buckets[e->hash & (n - 1)] = e;
            e = next;
        }
    }
    free(m->buckets);
    m->buckets = buckets;
    m->n_buckets = n;
}

static int insert(struct ofs_map *m, const char *key, uint64_t hash,
                  void *value)
{
    size_t size = strlen(key) + 1;
    struct entry *e = malloc(sizeof(*e) + size);

    if (!e)
        return -ENOMEM;
    if (m->count >= m->n_buckets)
        grow(m);
    *e = (struct entry){ .hash = hash, .value = value };
    memcpy(e->key, key, size);
    *slot_of(m, key, hash) = e;
    m->count++;
    return 0;
}

int ofs_map_put(struct ofs_map *m, const char *key, void *value, void **ret_old)
{
    uint64_t hash = hash_of(m->seed, key, strlen(key));
    struct entry *e = *slot_of(m, key, hash);
    void *old = NULL;
    int r = 0;

    if (e) {
        old = e->value;
        e->value = value;
    } else {
        r = insert(m, key, hash, value);
    }
    if (r == 0 && ret_old)
        *ret_old = old;
    return r;
}

void *ofs_map_remove(struct ofs_map *m, const char *key)
{
    struct entry **p = slot_of(m, key, hash_of(m->seed, key, strlen(key)));
    struct entry *e = *p;
    void *value;

    if (!e)
        return NULL;
    value = e->value;
    *p = e->next;
    free(e);
    m->count--;
    return value;
}

size_t ofs_map_count(const struct ofs_map *m)
{
    return m->count;
}

int ofs_map_each(const struct ofs_map *m,
                 int (*fn)(const char *key, void *value, void *arg), void *arg)
{
    for (size_t i = 0; i < m->n_buckets; i++)
        for (const struct entry *e = m->buckets[i]; e; e = e->next) {
            int r = fn(e->key, e->value, arg);

            if (r != 0)
                return r;
        }
    return 0;
}
