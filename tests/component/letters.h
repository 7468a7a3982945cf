/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TEST_LETTERS_H
#define OFS_TEST_LETTERS_H

/* A request's body that is made as it is sent. */

#include "fake_server.h"
#include "http_client.h"

#include <sched.h>

/* The letters a-z, as many as there are yet. */
struct letters {
    struct ofs_http_upload upload;
    uint64_t end;
    _Atomic uint64_t ready;
    _Atomic unsigned starved, begun; /* begun: reads at 0 */
};

static inline ssize_t read_letters(void *arg, void *buf, size_t len,
                                   uint64_t off)
{
    struct letters *l = arg;
    uint64_t ready = atomic_load(&l->ready);
    char *out = buf;

    if (off == 0)
        atomic_fetch_add(&l->begun, 1);
    if (off == l->end)
        return 0;
    if (off >= ready) {
        atomic_fetch_add(&l->starved, 1);
        return -EAGAIN;
    }
    if (len > ready - off)
        len = (size_t)(ready - off);
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + (off + i) % 26);
    return (ssize_t)len;
}

static inline void letters_init(struct letters *l, uint64_t ready, uint64_t end)
{
    *l = (struct letters){ .end = end };
    atomic_store(&l->ready, ready);
    l->upload = (struct ofs_http_upload){ read_letters, l, OFS_UNTIL_END };
}

static inline bool is_whole(const struct fake_request *req, uint64_t n)
{
    bool right = req && req->body_len == n;

    for (uint64_t i = 0; right && i < n; i++)
        right = req->body[i] == (char)('a' + i % 26);
    return right;
}

static inline void await_hunger(struct letters *l)
{
    int64_t until = ofs_mono_ms() + LONG_MS;

    while (atomic_load(&l->starved) == 0 && ofs_mono_ms() < until)
        (void)sched_yield();
    atomic_store(&l->starved, 0);
}

#endif
