/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TEST_HTTP_CLIENT_H
#define OFS_TEST_HTTP_CLIENT_H

/* What the tests of the HTTP engine have in common; asserts by itself. */

#include "ocirfs/clock.h"
#include "ocirfs/http.h"
#include "ocirfs/metrics.h"
#include "ocirfs/str.h"

#include <pthread.h>

enum {
    LONG_MS = 60000, /* a deadline that only a broken test reaches */
    SOON_MS = 5000,  /* "at once" on a loaded machine */
};

static inline struct ofs_http *client(const struct ofs_http_cfg *cfg)
{
    struct ofs_err err = { 0 };
    struct ofs_http *h = ofs_http_new(cfg, &err);

    if (!h || ofs_http_start(h, &err) < 0)
        fail_msg("%s", err.text);
    return h;
}

#define AUTOCLIENT OFS_AUTO(ofs_http_freep) struct ofs_http

/* One request with a deadline from now. */
static inline int perform(struct ofs_http *h, int64_t timeout_ms,
                          const struct ofs_http_req *req,
                          struct ofs_http_resp *ret, struct ofs_err *err)
{
    struct ofs_call call;
    int r;

    ofs_call_init(&call, timeout_ms);
    *err = (struct ofs_err){ 0 };
    r = ofs_http_do(h, &call, req, ret, err);
    ofs_call_done(&call);
    return r;
}

/* A sink that keeps what it gets, up to 1 MiB, and may say no. */
struct taken {
    struct ofs_http_sink sink;
    struct ofs_buf bytes;
    int status;
    unsigned n_heads;
    int refuse_head, refuse_body; /* negative errno; 0: takes it */
};

static inline int take_head(void *arg, int status,
                            const struct ofs_headers *headers)
{
    struct taken *t = arg;

    (void)headers;
    t->status = status;
    t->n_heads++;
    return t->refuse_head;
}

static inline int take_body(void *arg, const void *data, size_t len)
{
    struct taken *t = arg;

    (void)ofs_buf_add(&t->bytes, data, len);
    return t->refuse_body;
}

static inline void taken_done(struct taken *t)
{
    ofs_buf_done(&t->bytes);
}

#define AUTOTAKEN OFS_AUTO(taken_done) struct taken

static inline void taken_init(struct taken *t)
{
    *t = (struct taken){ 0 };
    ofs_buf_init(&t->bytes, 1 << 20);
    t->sink = (struct ofs_http_sink){ take_head, take_body, t };
}

/* A request on a thread of its own, that another thread can cancel. */
struct background {
    struct ofs_http *h;
    struct ofs_http_req req;
    struct ofs_call call;
    struct ofs_http_resp resp;
    struct ofs_err err;
    int r;
    int64_t ended_ms;
    pthread_t thread;
};

static inline void *background_run(void *arg)
{
    struct background *b = arg;

    b->r = ofs_http_do(b->h, &b->call, &b->req, &b->resp, &b->err);
    b->ended_ms = ofs_mono_ms();
    return NULL;
}

static inline void background_start(struct background *b, struct ofs_http *h,
                                    int64_t timeout_ms,
                                    const struct ofs_http_req *req)
{
    *b = (struct background){ .h = h, .req = *req };
    ofs_call_init(&b->call, timeout_ms);
    assert_int_equal(pthread_create(&b->thread, NULL, background_run, b), 0);
}

static inline int background_join(struct background *b)
{
    (void)pthread_join(b->thread, NULL);
    ofs_call_done(&b->call);
    ofs_http_resp_done(&b->resp);
    return b->r;
}

#endif
