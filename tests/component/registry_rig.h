/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REGISTRY_RIG_H
#define OFS_REGISTRY_RIG_H

/*
 * A registry client on a fake registry, with a call that lasts two minutes:
 * more than any test needs, less than the harness allows.
 */

#include "fake_registry.h"

#include "ocirfs/clock.h"
#include "ocirfs/docker_auth.h"
#include "ocirfs/registry.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { RIG_CALL_MS = 120000 };

struct rig_cfg {
    struct fake_registry_cfg fake;
    bool mirror;                 /* a second fake, empty, is asked first */
    const char *mirror_url;      /* instead of that */
    const char *user, *password; /* NULL: anonymous */
    const struct ofs_clock *clock;
    int64_t connect_ms, stall_ms; /* 0: http's defaults */
    int max_attempts;             /* of a request; 0: http's default */
    int64_t probe_ms;
    ofs_registry_advice_fn *advise; /* NULL: nobody knows */
};

struct rig {
    struct rig_cfg cfg;
    struct fake_registry *fake, *fake_mirror;
    struct fake_server *server, *mirror_server;
    struct ofs_http *http;
    struct ofs_tokens *tokens;
    struct ofs_registry *r;
    struct ofs_call call;
    struct ofs_err err;
    const char *asked_hosts[16]; /* for credentials of which */
    unsigned n_asked;
};

static inline int rig_creds(void *arg, struct ofs_call *call, const char *host,
                            const char *repo, struct ofs_cred *ret,
                            struct ofs_err *err)
{
    struct rig *rig = arg;

    (void)call;
    (void)host;
    (void)repo;
    *ret = (struct ofs_cred){ .kind = OFS_CRED_NONE };
    if (!rig->cfg.user)
        return 0;
    ret->kind = OFS_CRED_BASIC;
    ret->user = strdup(rig->cfg.user);
    if (!ret->user || ofs_secret_set(&ret->secret, rig->cfg.password,
                                     strlen(rig->cfg.password)) < 0)
        return ofs_err_nomem(err, "credentials");
    return 0;
}

static inline void rig_client(struct rig *rig)
{
    const struct ofs_http_cfg http = {
        .user_agent = "ocirfs/test",
        .connect_timeout_ms = rig->cfg.connect_ms,
        .stall_timeout_ms = rig->cfg.stall_ms,
        .no_proxy = true,
        .max_attempts = rig->cfg.max_attempts,
    };
    struct ofs_tokens_cfg tokens = {
        .creds = { .find = rig_creds, .arg = rig },
        .clock = &ofs_system_clock,
        .client_id = "ocirfs",
    };
    struct ofs_registry_cfg registry = {
        .url = fake_registry_url(rig->fake),
        .mirror_url = rig->cfg.mirror_url,
        .clock = rig->cfg.clock ? rig->cfg.clock : &ofs_system_clock,
        .probe_ms = rig->cfg.probe_ms,
        .advise = rig->cfg.advise,
    };

    rig->http = ofs_http_new(&http, &rig->err);
    assert_non_null(rig->http);
    assert_int_equal(ofs_http_start(rig->http, &rig->err), 0);
    tokens.http = rig->http;
    rig->tokens = ofs_tokens_new(&tokens, &rig->err);
    assert_non_null(rig->tokens);
    registry.http = rig->http;
    registry.tokens = rig->tokens;
    if (rig->fake_mirror)
        registry.mirror_url = fake_registry_url(rig->fake_mirror);
    rig->r = ofs_registry_new(&registry, &rig->err);
    assert_non_null(rig->r);
    assert_int_equal(ofs_registry_start(rig->r, &rig->err), 0);
    ofs_call_init(&rig->call, RIG_CALL_MS);
}

static inline void rig_start(struct rig *rig, const struct rig_cfg *cfg)
{
    *rig = (struct rig){ 0 };
    if (cfg)
        rig->cfg = *cfg;
    rig->fake = fake_registry_start(&rig->cfg.fake);
    rig->server = fake_registry_server(rig->fake);
    if (rig->cfg.mirror) {
        rig->fake_mirror = fake_registry_start(NULL);
        rig->mirror_server = fake_registry_server(rig->fake_mirror);
    }
    rig_client(rig);
}

static inline void rig_stop(struct rig *rig)
{
    ofs_call_done(&rig->call);
    ofs_registry_stop(rig->r);
    ofs_http_stop(rig->http);
    ofs_registry_free(rig->r);
    ofs_tokens_free(rig->tokens);
    ofs_http_free(rig->http);
    fake_registry_free(rig->fake_mirror);
    fake_registry_free(rig->fake);
}

#define RIG_AUTO OFS_AUTO(rig_stop)

static inline void rig_fault(struct rig *rig, const char *match, unsigned nth,
                             enum fake_fault_kind kind, int64_t n)
{
    fake_server_fault(rig->server, &(struct fake_fault){
                                       .match = match,
                                       .nth = nth,
                                       .kind = kind,
                                       .n = n,
                                   });
}

static inline unsigned rig_count(struct rig *rig, const char *match)
{
    return fake_server_count(rig->server, match);
}

/* What a blob read delivered. */
struct rig_bytes {
    char *data;
    size_t len, room;
    size_t refuse_at; /* the sink fails from there on; 0: never */
    int refuse_code;
};

static inline int rig_sink(void *arg, const void *data, size_t len)
{
    struct rig_bytes *b = arg;

    if (b->refuse_at > 0 && b->len + len > b->refuse_at)
        return b->refuse_code;
    if (b->len + len > b->room)
        return -EFBIG; /* more than was asked for: the test will fail */
    memcpy(b->data + b->len, data, len);
    b->len += len;
    return 0;
}

static inline void rig_bytes_done(struct rig_bytes *b)
{
    free(b->data);
}

/* A seeded blob of the fake, and what its client is told of it. */
struct rig_blob {
    const char *repo;
    struct ofs_digest digest;
    uint64_t seed, size;
};

static inline struct rig_blob rig_seeded(struct rig *rig, uint64_t seed,
                                         uint64_t size)
{
    return (struct rig_blob){
        .repo = "a/b",
        .digest = fake_registry_seeded(rig->fake, "a/b", seed, size),
        .seed = seed,
        .size = size,
    };
}

/* Read [off, off + len) into fresh bytes. */
static inline int rig_read_to(struct rig *rig, const struct rig_blob *blob,
                              uint64_t off, uint64_t len, struct rig_bytes *b)
{
    struct ofs_blob_range range = {
        .repo = blob->repo,
        .digest = &blob->digest,
        .size = blob->size,
        .off = off,
        .len = len,
        .use_mirror = true,
    };

    b->room = (size_t)len;
    b->data = malloc(b->room);
    assert_non_null(b->data);
    return ofs_registry_blob_read(rig->r, &rig->call, &range, rig_sink, b,
                                  &rig->err);
}

/* Did [off, off + n) of the blob arrive, n being what did? */
static inline bool rig_is_right(const struct rig_blob *blob, uint64_t off,
                                const struct rig_bytes *b)
{
    OFS_AUTOFREE char *want = malloc(b->len + 1);

    assert_non_null(want);
    fake_blob_fill(blob->seed, want, b->len, off);
    return memcmp(want, b->data, b->len) == 0;
}

/* Read and check; the result of the read. */
static inline int rig_read(struct rig *rig, const struct rig_blob *blob,
                           uint64_t off, uint64_t len)
{
    OFS_AUTO(rig_bytes_done) struct rig_bytes b = { 0 };
    int r = rig_read_to(rig, blob, off, len, &b);

    assert_true(rig_is_right(blob, off, &b));
    if (r == 0)
        assert_int_equal(b.len, len);
    else
        assert_true(b.len < len);
    return r;
}

#endif
