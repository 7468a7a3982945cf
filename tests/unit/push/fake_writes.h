/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_WRITES_H
#define OFS_FAKE_WRITES_H

/* The write side of the registry in fake_remote.h. */

#include "fake_remote.h"

#include <sched.h>

void ofs_uploads_wake(struct ofs_registry *r)
{
    atomic_fetch_add(&remote_of(r)->wakes, 1);
}

/* All that `data` gives; -EAGAIN is waited for. */
static inline int remote_pull(struct fake_remote *f, struct ofs_call *call,
                              const struct ofs_blob_data *data,
                              _Atomic uint64_t *sent, struct ofs_buf *b)
{
    static const size_t piece = 128 * 1024;
    OFS_AUTOFREE char *buf = malloc(piece);

    if (!buf)
        return -ENOMEM;
    for (;;) {
        unsigned seen = atomic_load(&f->wakes);
        ssize_t n = data->read(data->arg, buf, piece, b->len);

        if (n == -EAGAIN) {
            while (atomic_load(&f->wakes) == seen &&
                   ofs_call_check(call, NULL) == 0)
                (void)sched_yield();
            if (ofs_call_check(call, NULL) < 0)
                return ofs_call_check(call, NULL);
            continue;
        }
        if (n <= 0)
            return (int)n;
        if (ofs_buf_add(b, buf, (size_t)n) < 0)
            return b->failed;
        if (sent)
            atomic_store(sent, b->len);
        atomic_fetch_add(&f->sent, (uint64_t)n);
    }
}

/* Take it in if it is what it says. */
static inline int remote_accept(struct fake_remote *f, const char *repo,
                                const struct ofs_digest *digest,
                                const struct ofs_buf *b, struct ofs_err *err)
{
    struct ofs_digest is;
    int r = remote_step(f, err);

    if (r < 0)
        return r;
    if (ofs_digest_of((enum ofs_digest_alg)digest->alg, ofs_buf_str(b), b->len,
                      &is) < 0 ||
        !ofs_digest_eq(&is, digest))
        return ofs_err_set(err, -EBADMSG, "DIGEST_INVALID");
    remote_add(f, REMOTE_BLOB, repo, NULL, digest, span(b->data, b->len));
    return remote_step(f, err); /* the answer gets lost */
}

static inline int remote_mount(struct fake_remote *f,
                               const struct ofs_blob_push *push)
{
    for (size_t i = 0; push->from && i < push->from->n; i++) {
        struct remote_thing *t =
            remote_find(f, REMOTE_BLOB, push->from->at[i], push->digest, NULL);

        if (!t || atomic_load(&f->no_mount))
            continue;
        atomic_fetch_add(&f->n_mounts, 1);
        remote_add(f, REMOTE_BLOB, push->repo, NULL, push->digest,
                   span(f->bytes + t->off, t->len));
        return 0;
    }
    return -ENOENT;
}

int ofs_registry_blob_push(struct ofs_registry *r, struct ofs_call *call,
                           const struct ofs_blob_push *push,
                           enum ofs_pushed *ret_how, struct ofs_err *err)
{
    struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(REMOTE_BYTES);
    struct fake_remote *f = remote_of(r);
    int code = remote_step(f, err);

    if (code == 0)
        code = ofs_call_check(call, err);
    if (code < 0)
        return code;
    *ret_how = OFS_PUSHED_EXISTS;
    if (remote_has(f, REMOTE_BLOB, push->repo, push->digest))
        return 0;
    *ret_how = OFS_PUSHED_MOUNTED;
    if (remote_mount(f, push) == 0)
        return remote_step(f, err);
    if (!push->data)
        return ofs_err_set(err, -ENOENT, "not there");
    *ret_how = OFS_PUSHED_UPLOADED;
    atomic_fetch_add(&f->n_uploads, 1);
    code = remote_pull(f, call, push->data, push->sent, &b);
    return code < 0 ? code
                    : remote_accept(f, push->repo, push->digest, &b, err);
}

struct ofs_upload {
    struct fake_remote *f;
    char *repo;
    struct ofs_buf b;
};

int ofs_upload_open(struct ofs_registry *r, struct ofs_call *call,
                    const char *repo, struct ofs_upload **ret,
                    struct ofs_err *err)
{
    struct fake_remote *f = remote_of(r);
    struct ofs_upload *u;
    int code = remote_step(f, err);

    (void)call;
    if (code == 0 && atomic_load(&f->no_streams))
        code = ofs_err_set(err, -EIO, "no streams");
    if (code < 0)
        return code;
    atomic_fetch_add(&f->n_streams, 1);
    u = calloc(1, sizeof(*u));
    if (!u)
        return -ENOMEM;
    u->f = f;
    u->repo = strdup(repo);
    ofs_buf_init(&u->b, REMOTE_BYTES);
    if (!u->repo) {
        free(u);
        return -ENOMEM;
    }
    *ret = u;
    return 0;
}

int ofs_upload_stream(struct ofs_upload *u, struct ofs_call *call,
                      const struct ofs_blob_data *data, _Atomic uint64_t *sent,
                      struct ofs_err *err)
{
    int code = remote_pull(u->f, call, data, sent, &u->b);

    return code < 0 ? ofs_err_set(err, code, "the stream broke")
                    : remote_step(u->f, err);
}

int ofs_upload_finish(struct ofs_upload *u, struct ofs_call *call,
                      const struct ofs_digest *digest, struct ofs_err *err)
{
    (void)call;
    return remote_accept(u->f, u->repo, digest, &u->b, err);
}

void ofs_upload_close(struct ofs_upload *u)
{
    if (!u)
        return;
    ofs_buf_done(&u->b);
    free(u->repo);
    free(u);
}

/* A registry that checks what a manifest names, as distribution does. */
static inline int remote_check(struct fake_remote *f,
                               const struct ofs_manifest_put *put,
                               struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_AUTONEEDS struct ofs_deps needs = { 0 };
    int r = ofs_manifest_decode(put->bytes, put->len, put->media_type, &m, err);

    if (r == 0)
        r = ofs_deps_of(&m, &needs);
    if (r < 0)
        return r == -ENOMEM ? ofs_err_nomem(err, "a manifest")
                            : ofs_err_set(err, -EINVAL, "MANIFEST_INVALID");
    for (size_t i = 0; i < needs.n; i++)
        if (!remote_has(f,
                        needs.at[i].is_manifest ? REMOTE_MANIFEST : REMOTE_BLOB,
                        put->repo, &needs.at[i].digest))
            return ofs_err_set(err, -ENOENT, "MANIFEST_BLOB_UNKNOWN");
    return 0;
}

int ofs_registry_manifest_put(struct ofs_registry *r, struct ofs_call *call,
                              const struct ofs_manifest_put *put,
                              struct ofs_err *err)
{
    struct fake_remote *f = remote_of(r);
    int code = remote_step(f, err);

    if (code == 0)
        code = ofs_call_check(call, err);
    if (code == 0)
        code = remote_check(f, put, err);
    if (code < 0)
        return code;
    atomic_fetch_add(&f->n_puts, 1);
    remote_add(f, REMOTE_MANIFEST, put->repo, NULL, put->digest,
               span(put->bytes, put->len));
    if (put->tag)
        remote_add(f, REMOTE_TAG, put->repo, put->tag, put->digest,
                   span("", 0));
    return remote_step(f, err);
}

#endif
