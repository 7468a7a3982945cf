/* SPDX-License-Identifier: Apache-2.0 */
#include "send_blob.h"

#include "ocirfs/reg_uploads.h"

/* On the HTTP engine's thread; the file is on the local disk. */
static ssize_t read_draft(void *arg, void *buf, size_t len, uint64_t off)
{
    size_t n = 0;
    int r = ofs_draft_pread(arg, buf, len, off, &n, NULL);

    return r < 0 ? r : (ssize_t)n;
}

/* 0: it is there; else the staged copy is to be sent, or the call is over. */
static int await_stream(struct ofs_draft *d, struct ofs_call *call,
                        const char *repo, const struct ofs_digest *digest,
                        struct ofs_err *err)
{
    OFS_AUTO(ofs_stream_unrefp) struct ofs_stream *s = NULL;
    enum ofs_pushed how;
    int r;

    if (strcmp(repo, d->repo) == 0)
        s = ofs_draft_stream(d);
    if (!s)
        return -ENOENT;
    ofs_stream_seal(s, ofs_draft_size(d), digest);
    r = ofs_stream_wait(s, call, &how, err);
    if (r < 0)
        ofs_draft_unstream(d);
    return r;
}

/* HEAD, mount, and the bytes if we have them. */
static int send_staged(struct ofs_publisher *p, struct ofs_call *call,
                       struct ofs_draft *d, const char *repo,
                       const struct ofs_digest *digest,
                       const struct ofs_origin *o, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv from = { 0 };
    struct ofs_sender sender = { .repo = repo, .digest = digest };
    const struct ofs_blob_data data = {
        .read = read_draft,
        .arg = d,
        .size = ofs_draft_size(d),
    };
    const struct ofs_blob_push push = {
        .repo = repo,
        .digest = digest,
        .data = o->repo ? NULL : &data,
        .from = &from,
        .sent = &sender.sent,
    };
    enum ofs_pushed how;
    int r = ofs_publish_where(p, repo, o->repo, digest, &from);

    if (r < 0)
        return ofs_err_nomem(err, "where the blob is");
    atomic_store(&sender.size, data.size);
    ofs_senders_add(d->all->streaming.senders, &sender);
    r = ofs_registry_blob_push(p->remote->registry, call, &push, &how, err);
    ofs_senders_remove(d->all->streaming.senders, &sender);
    return r;
}

int ofs_send_blob(struct ofs_publisher *p, struct ofs_call *call,
                  struct ofs_draft *d, const char *repo,
                  const struct ofs_digest *digest, struct ofs_err *err)
{
    OFS_AUTO(ofs_origin_done) struct ofs_origin o = { 0 };
    int r = ofs_draft_origin(d, &o);

    if (r == -ENOMEM)
        return ofs_err_nomem(err, "a copy");
    if (r < 0) { /* a plain file */
        if (await_stream(d, call, repo, digest, NULL) == 0)
            return 0;
        r = ofs_call_check(call, err);
        return r < 0 ? r : send_staged(p, call, d, repo, digest, &o, err);
    }
    r = send_staged(p, call, d, repo, digest, &o, err);
    if (r != -ENOENT)
        return r;
    ofs_origin_done(&o); /* the registry cannot mount: fetch and send it */
    r = ofs_draft_make_plain(d, call, err);
    return r < 0 ? r : send_staged(p, call, d, repo, digest, &o, err);
}
