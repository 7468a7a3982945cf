/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_UPLOAD_RIG_H
#define OFS_UPLOAD_RIG_H

/* Bytes to upload, on the registry's rig. */

#include "registry_rig.h"

#include "ocirfs/reg_uploads.h"

#include <pthread.h>

#define RIG_REPO     "a/b"
#define RIG_UPLOADS  "* /v2/a/b/blobs/uploads/*"
#define RIG_POST     "POST /v2/a/b/blobs/uploads/"
#define RIG_PATCH    "PATCH /v2/a/b/blobs/uploads/*"
#define RIG_PUT      "PUT /v2/a/b/blobs/uploads/*"
#define RIG_STATUS   "GET /v2/a/b/blobs/uploads/*"
#define RIG_CANCEL   "DELETE /v2/a/b/blobs/uploads/*"
#define RIG_BLOB_ASK "HEAD /v2/a/b/blobs/*"

/* What is sent: bytes by seed, of which a part is there yet. */
struct rig_source {
    uint64_t seed, size;
    _Atomic uint64_t ready; /* bytes that can be read; beyond: -EAGAIN */
    uint64_t fail_at;       /* from there on -ENOSPC; 0: never */
    _Atomic unsigned reads, starved;
    struct ofs_blob_data data;
    struct ofs_digest digest;
    _Atomic uint64_t sent;
};

static inline ssize_t rig_source_read(void *arg, void *buf, size_t len,
                                      uint64_t off)
{
    struct rig_source *s = arg;
    uint64_t ready = atomic_load(&s->ready);

    atomic_fetch_add(&s->reads, 1);
    if (s->fail_at > 0 && off >= s->fail_at)
        return -ENOSPC;
    if (off >= s->size)
        return 0;
    if (off >= ready) {
        atomic_fetch_add(&s->starved, 1);
        return -EAGAIN;
    }
    if (len > ready - off)
        len = (size_t)(ready - off);
    fake_blob_fill(s->seed, buf, len, off);
    return (ssize_t)len;
}

static inline void rig_source_init(struct rig_source *s, uint64_t seed,
                                   uint64_t size)
{
    OFS_AUTOFREE char *bytes = malloc((size_t)size + 1);

    assert_non_null(bytes);
    fake_blob_fill(seed, bytes, (size_t)size, 0);
    *s = (struct rig_source){ .seed = seed, .size = size };
    s->data = (struct ofs_blob_data){ rig_source_read, s, size };
    atomic_store(&s->ready, size);
    assert_int_equal(ofs_digest_of(OFS_SHA256, bytes, (size_t)size, &s->digest),
                     0);
}

/* Push it all; what the registry has is checked. */
static inline int rig_push(struct rig *rig, struct rig_source *s,
                           const struct ofs_strv *from, enum ofs_pushed *how)
{
    const struct ofs_blob_push push = {
        .repo = RIG_REPO,
        .digest = &s->digest,
        .data = &s->data,
        .from = from,
        .sent = &s->sent,
    };
    int r;

    rig->err = (struct ofs_err){ 0 };
    r = ofs_registry_blob_push(rig->r, &rig->call, &push, how, &rig->err);
    if (r == 0)
        assert_true(fake_registry_has(rig->fake, RIG_REPO, &s->digest));
    else
        assert_int_equal(rig->err.code, r);
    return r;
}

/* A header of the i-th such request; "" when it has none. */
static inline const char *rig_header(struct rig *rig, const char *match,
                                     unsigned i, const char *name)
{
    static char text[256];
    const struct fake_request *req = fake_server_request(rig->server, match, i);
    OFS_AUTOFREE char *value = req ? fake_request_header(req, name) : NULL;

    assert_non_null(req);
    (void)snprintf(text, sizeof(text), "%s", value ? value : "");
    return text;
}

#endif
