/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STORE_FAKE_H
#define OFS_STORE_FAKE_H

/*
 * A source made from a seed, that counts what it is asked and fails as it is
 * told.  Header only, since each test is a program of one file.
 */

#include "chunkmap.h"

#include "ocirfs/lock.h"
#include "ocirfs/source.h"

#include <sched.h>

#define UNUSED __attribute__((unused))
#define KIB    ((uint64_t)1024)
#define MIB    (KIB * 1024)

struct fake {
    struct ofs_source base;
    uint8_t *data;
    uint64_t size;
    struct ofs_digest digest;
    _Atomic uint8_t *asked; /* how often each chunk was delivered */
    atomic_uint reads, n_now, n_most;
    _Atomic uint64_t bytes;
    /* Faults; set before they can happen. */
    uint64_t piece;            /* bytes of one call of the sink */
    _Atomic uint64_t wrong_at; /* this byte is another ... */
    atomic_int wrong_attempts; /* ... in attempts below this */
    _Atomic uint64_t fail_at;  /* before this byte ... */
    atomic_int fail_times;     /* ... so often ... */
    atomic_int fail_code;      /* ... with this; 0: end early, well */
    _Atomic uint64_t stall_at; /* before this byte: wait to be released */
    atomic_bool stall_all;     /* before any byte */
    struct ofs_mutex mtx;      /* guards the rest */
    bool released;
    struct ofs_waitlist waiters;
    atomic_uint n_stalled;
};

#define NOWHERE UINT64_MAX

static bool fake_is_released(void *arg)
{
    const struct fake *f = arg;

    return f->released;
}

UNUSED static int fake_stall(struct fake *f, struct ofs_call *call,
                             struct ofs_err *err)
{
    int r;

    atomic_fetch_add(&f->n_stalled, 1);
    r = ofs_waitlist_wait(&f->waiters, &f->mtx, call, fake_is_released, f, err);
    atomic_fetch_sub(&f->n_stalled, 1);
    return r;
}

UNUSED static void fake_release(struct fake *f)
{
    OFS_GUARD(&f->mtx);
    f->released = true;
    ofs_waitlist_wake(&f->waiters);
}

UNUSED static void fake_wait_stalled(struct fake *f, unsigned n)
{
    while (atomic_load(&f->n_stalled) < n)
        (void)sched_yield();
}

UNUSED static uint64_t until(uint64_t off, uint64_t end, uint64_t border)
{
    return border > off && border < end ? border : end;
}

UNUSED static int fake_send(struct fake *f, uint64_t off, uint64_t end,
                            int attempt, ofs_source_sink *sink, void *arg)
{
    uint64_t wrong = atomic_load(&f->wrong_at);
    uint8_t *copy;
    int r;

    if (wrong < off || wrong >= end || attempt >= f->wrong_attempts)
        return sink(arg, f->data + off, (size_t)(end - off));
    copy = malloc((size_t)(end - off));
    memcpy(copy, f->data + off, (size_t)(end - off));
    copy[wrong - off] ^= 1;
    r = sink(arg, copy, (size_t)(end - off));
    free(copy);
    return r;
}

UNUSED static int fake_stream(struct fake *f, struct ofs_call *call,
                              uint64_t off, uint64_t end, int attempt,
                              ofs_source_sink *sink, void *arg,
                              struct ofs_err *err)
{
    while (off < end) {
        uint64_t to = off + f->piece < end ? off + f->piece : end;
        int r;

        if (off == atomic_load(&f->stall_at) || atomic_load(&f->stall_all)) {
            r = fake_stall(f, call, err);
            if (r < 0)
                return r;
        }
        if (off == atomic_load(&f->fail_at) &&
            atomic_fetch_sub(&f->fail_times, 1) > 0)
            return f->fail_code
                       ? ofs_err_set(err, f->fail_code, "fake: told to fail")
                       : 0;
        to = until(off, to, atomic_load(&f->stall_at));
        to = until(off, to, atomic_load(&f->fail_at));
        r = ofs_call_check(call, err);
        if (r < 0)
            return r;
        /* Counted first: who is woken by these bytes may look. */
        atomic_fetch_add(&f->bytes, to - off);
        if (to % OFS_CHUNK_BYTES == 0 || to == f->size)
            atomic_fetch_add(&f->asked[(to - 1) / OFS_CHUNK_BYTES], 1);
        r = fake_send(f, off, to, attempt, sink, arg);
        if (r < 0)
            return r;
        off = to;
    }
    return 0;
}

UNUSED static int fake_read(struct ofs_source *src, struct ofs_call *call,
                            uint64_t off, uint64_t len, int attempt,
                            ofs_source_sink *sink, void *arg,
                            struct ofs_err *err)
{
    struct fake *f = (struct fake *)src;
    unsigned now = atomic_fetch_add(&f->n_now, 1) + 1;
    unsigned most = atomic_load(&f->n_most);
    int r;

    while (now > most && !atomic_compare_exchange_weak(&f->n_most, &most, now))
        continue;
    atomic_fetch_add(&f->reads, 1);
    r = fake_stream(f, call, off, off + len, attempt, sink, arg, err);
    atomic_fetch_sub(&f->n_now, 1);
    return r;
}

UNUSED static void fake_free(struct ofs_source *src)
{
    struct fake *f = (struct fake *)src;

    free(f->data);
    free(f->asked);
    free(f);
}

UNUSED static uint64_t scramble(uint64_t x)
{
    x += 0x9e3779b97f4a7c15u;
    x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
    x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
    return x ^ (x >> 31);
}

UNUSED static struct fake *fake_new(uint64_t size, uint64_t seed)
{
    static const struct ofs_source_ops ops = { .read = fake_read,
                                               .free = fake_free };
    struct fake *f = calloc(1, sizeof(*f));

    f->base.ops = &ops;
    f->base.name = "fake";
    atomic_init(&f->base.refs, 1);
    f->data = malloc((size_t)size + 8);
    for (uint64_t i = 0; i < size; i += 8)
        memcpy(f->data + i, &(uint64_t){ scramble(seed << 32 | i / 8) }, 8);
    f->size = size;
    f->asked = calloc(ofs_chunk_count(size) + 1, 1);
    f->piece = 64 * KIB;
    f->wrong_at = f->fail_at = f->stall_at = NOWHERE;
    f->wrong_attempts = f->fail_times = 1;
    ofs_mutex_init(&f->mtx, OFS_RANK_REGISTRY);
    if (ofs_digest_of(OFS_SHA256, f->data, (size_t)size, &f->digest) < 0)
        abort();
    return f;
}

/* Was every chunk delivered exactly `times`? */
UNUSED static bool fake_each_asked(const struct fake *f, unsigned times)
{
    for (uint32_t i = 0; i < ofs_chunk_count(f->size); i++)
        if (f->asked[i] != times)
            return false;
    return true;
}

#endif
