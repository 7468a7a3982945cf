/* SPDX-License-Identifier: Apache-2.0 */
#include "stream.h"

#include <fcntl.h>

struct ofs_stream {
    struct ofs_stream_cfg cfg; /* immutable, as all up to the atomics */
    char *repo;
    int fd; /* our own */
    struct ofs_digest aim;

    atomic_uint refs;            /* one is the thread's */
    _Atomic uint64_t ready, end; /* bytes; end: OFS_UNTIL_END before seal */
    atomic_bool spoiled;
    atomic_bool hungry; /* the reader has had all there is */
    struct ofs_call call;
    struct ofs_sender sender;

    struct ofs_mutex mtx; /* guards all below */
    struct ofs_waitlist waiters;
    struct ofs_digest sealed; /* alg 0: not yet */
    bool done;
    enum ofs_pushed how;   /* once done */
    struct ofs_err result; /* code 0: the registry has it */
};

/* ---- the bytes, on the HTTP engine's thread ---- */

static ssize_t read_file(struct ofs_stream *s, void *buf, size_t len,
                         uint64_t off)
{
    ssize_t n;

    do
        n = pread(s->fd, buf, len, (off_t)off);
    while (n < 0 && errno == EINTR);
    if (n == 0)
        return -EIO; /* somebody cut the file */
    return n < 0 ? -errno : n;
}

static ssize_t next_bytes(void *arg, void *buf, size_t len, uint64_t off)
{
    struct ofs_stream *s = arg;
    uint64_t end, ready;

    /* Set before looking, so that bytes which come in between wake us. */
    atomic_store(&s->hungry, true);
    end = atomic_load(&s->end);
    ready = atomic_load(&s->ready);
    if (atomic_load(&s->spoiled))
        return -ECANCELED;
    if (off >= end)
        return 0;
    if (off >= ready)
        return -EAGAIN;
    atomic_store(&s->hungry, false);
    if (ready - off < len)
        len = (size_t)(ready - off);
    return read_file(s, buf, len, off);
}

static void feed(struct ofs_stream *s)
{
    if (atomic_exchange(&s->hungry, false))
        ofs_uploads_wake(s->cfg.registry);
}

/* ---- the thread ---- */

/* What the registry has, or can take from another repository, is not sent. */
static int find_there(struct ofs_stream *s, enum ofs_pushed *how,
                      struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv from = { 0 };
    const struct ofs_blob_push push = {
        .repo = s->repo,
        .digest = &s->aim,
        .from = &from,
    };

    if (s->aim.alg == 0)
        return -ENOENT;
    if (s->cfg.where)
        (void)s->cfg.where(s->cfg.where_arg, &s->aim, &from);
    return ofs_registry_blob_push(s->cfg.registry, &s->call, &push, how, err);
}

static void get_sealed(struct ofs_stream *s, struct ofs_digest *ret)
{
    OFS_GUARD(&s->mtx);
    *ret = s->sealed;
}

static int send(struct ofs_stream *s, struct ofs_err *err)
{
    OFS_AUTO(ofs_upload_closep) struct ofs_upload *up = NULL;
    const struct ofs_blob_data data = {
        .read = next_bytes,
        .arg = s,
        .size = OFS_UNTIL_END,
    };
    struct ofs_digest digest;
    int r = ofs_upload_open(s->cfg.registry, &s->call, s->repo, &up, err);

    if (r == 0)
        r = ofs_upload_stream(up, &s->call, &data, &s->sender.sent, err);
    if (r < 0)
        return r;
    get_sealed(s, &digest); /* the end was read, so it is sealed */
    return ofs_upload_finish(up, &s->call, &digest, err);
}

static void end(struct ofs_stream *s, enum ofs_pushed how,
                const struct ofs_err *result)
{
    OFS_GUARD(&s->mtx);
    s->done = true;
    s->how = how;
    s->result = *result;
    ofs_waitlist_wake(&s->waiters);
}

static void run(void *arg)
{
    struct ofs_stream *s = arg;
    enum ofs_pushed how = OFS_PUSHED_UPLOADED;
    struct ofs_err err = { 0 };
    int r;

    ofs_senders_add(s->cfg.senders, &s->sender);
    r = find_there(s, &how, &err);
    if (r == -ENOENT) {
        err = (struct ofs_err){ 0 };
        how = OFS_PUSHED_UPLOADED;
        r = send(s, &err);
    }
    ofs_senders_remove(s->cfg.senders, &s->sender);
    if (r == 0)
        err = (struct ofs_err){ 0 };
    else if (err.code == 0)
        (void)ofs_err_set(&err, r, "the upload failed");
    end(s, how, &err);
    ofs_stream_unref(s);
}

/* ---- for the writer ---- */

static void stream_free(struct ofs_stream *s)
{
    if (!s)
        return;
    ofs_closep(&s->fd);
    ofs_call_done(&s->call);
    ofs_mutex_done(&s->mtx);
    free(s->repo);
    free(s);
}
OFS_DEFINE_AUTO(struct ofs_stream, stream_free)

static struct ofs_stream *stream_new(const struct ofs_stream_cfg *cfg,
                                     const char *repo, int fd,
                                     const struct ofs_digest *aim)
{
    struct ofs_stream *s = calloc(1, sizeof(*s));

    if (!s)
        return NULL;
    s->cfg = *cfg;
    s->repo = strdup(repo);
    s->fd = fcntl(fd, F_DUPFD_CLOEXEC, 0);
    if (aim)
        s->aim = *aim;
    atomic_init(&s->refs, 2);
    atomic_init(&s->end, OFS_UNTIL_END);
    ofs_call_init(&s->call, OFS_NEVER);
    ofs_mutex_init(&s->mtx, OFS_RANK_DRAFT);
    s->sender.repo = s->repo;
    s->sender.digest = aim ? &s->aim : NULL;
    return s;
}

int ofs_stream_start(const struct ofs_stream_cfg *cfg, const char *repo, int fd,
                     const struct ofs_digest *aim, uint64_t ready,
                     struct ofs_stream **ret)
{
    OFS_AUTO(stream_freep)
    struct ofs_stream *s = stream_new(cfg, repo, fd, aim);
    int r;

    if (!s || !s->repo)
        return -ENOMEM;
    if (s->fd < 0)
        return -EMFILE;
    atomic_store(&s->ready, ready);
    atomic_store(&s->sender.size, ready);
    r = ofs_workers_add(cfg->workers, run, s);
    if (r < 0)
        return r;
    *ret = ofs_take(&s);
    return 0;
}

void ofs_stream_more(struct ofs_stream *s, uint64_t ready)
{
    atomic_store(&s->ready, ready);
    atomic_store(&s->sender.size, ready);
    feed(s);
}

void ofs_stream_seal(struct ofs_stream *s, uint64_t size,
                     const struct ofs_digest *digest)
{
    {
        OFS_GUARD(&s->mtx);
        s->sealed = *digest;
    }
    atomic_store(&s->ready, size);
    atomic_store(&s->end, size);
    feed(s);
}

void ofs_stream_spoil(struct ofs_stream *s)
{
    atomic_store(&s->spoiled, true);
    ofs_call_cancel(&s->call);
    feed(s);
}

/* With s->mtx held.  What was there under another digest is of no use. */
static int result_of(struct ofs_stream *s, enum ofs_pushed *ret_how,
                     struct ofs_err *err)
{
    if (s->result.code < 0) {
        if (err)
            *err = s->result;
        return s->result.code;
    }
    if (s->how != OFS_PUSHED_UPLOADED && !ofs_digest_eq(&s->aim, &s->sealed))
        return ofs_err_set(err, -EBADMSG, "another digest was announced");
    *ret_how = s->how;
    return 0;
}

static bool is_done(void *arg)
{
    const struct ofs_stream *s = arg;

    return s->done;
}

int ofs_stream_wait(struct ofs_stream *s, struct ofs_call *call,
                    enum ofs_pushed *ret_how, struct ofs_err *err)
{
    int r = ofs_waitlist_wait(&s->waiters, &s->mtx, call, is_done, s, err);

    if (r < 0)
        return r;
    OFS_GUARD(&s->mtx);
    return result_of(s, ret_how, err);
}

struct ofs_stream *ofs_stream_ref(struct ofs_stream *s)
{
    atomic_fetch_add(&s->refs, 1);
    return s;
}

void ofs_stream_unref(struct ofs_stream *s)
{
    if (!s)
        return;
    if (atomic_fetch_sub(&s->refs, 1) == 1)
        stream_free(s);
}
