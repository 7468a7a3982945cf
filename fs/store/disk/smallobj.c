/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Manifests and configurations: one file each, `small/<alg>:<hex>`, hashed
 * whenever it is read.  So they need neither map nor sums nor locks between
 * processes: the bytes have the digest or they have not.
 *
 * Written behind the caller's back, by one thread.  `ls -l` of a thousand tags
 * puts a thousand manifests at once, and 64 threads that make files in one
 * directory spin on its lock: measured 2.5 s of system time for what takes one
 * thread 0.1 s.  Until it is on disk an object is served from the queue.
 */

#include "cachedir.h"
#include "sums.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { TOUCH_S = 60, QUEUE_MAX_BYTES = 16 * 1024 * 1024 };

struct small {
    struct small *next; /* in the queue; guarded by small.mtx */
    atomic_uint refs;
    struct ofs_digest digest;
    size_t len;
    char data[];
};

static void small_unref(struct small *o)
{
    if (o && atomic_fetch_sub(&o->refs, 1) == 1)
        free(o);
}
OFS_DEFINE_AUTO(struct small, small_unref)

static void small_free(void *o)
{
    small_unref(o);
}

static bool has_digest(const struct ofs_digest *digest, const void *data,
                       size_t len)
{
    struct ofs_digest d = { 0 };

    return ofs_digest_of((enum ofs_digest_alg)digest->alg, data, len, &d) ==
               0 &&
           ofs_digest_eq(&d, digest);
}

void ofs_small_init(struct ofs_small *q)
{
    q->fd = -1;
    ofs_mutex_init(&q->mtx, OFS_RANK_BLOB);
    q->end = &q->first;
    q->queued = ofs_map_new();
}

int ofs_small_start(struct ofs_small *q)
{
    const struct ofs_workers_cfg cfg = { .name = "ofs-small",
                                         .max_threads = 1,
                                         .max_queue = 1 };

    q->workers = ofs_workers_new(&cfg);
    return q->workers ? 0 : -ENOMEM;
}

void ofs_small_stop(struct ofs_small *q)
{
    if (q->workers)
        ofs_workers_stop(q->workers);
}

void ofs_small_done(struct ofs_small *q)
{
    ofs_workers_free(q->workers);
    ofs_map_free(q->queued, small_free);
    ofs_mutex_done(&q->mtx);
    ofs_closep(&q->fd);
}

/* ---- put ---- */

static struct small *small_new(const struct ofs_digest *digest,
                               const void *data, size_t len)
{
    struct small *o = malloc(sizeof(*o) + len);

    if (!o)
        return NULL;
    o->next = NULL;
    o->digest = *digest;
    o->len = len;
    atomic_init(&o->refs, 1);
    memcpy(o->data, data, len);
    return o;
}

static void write_file(struct ofs_cachedir *c, const struct small *o)
{
    char name[OFS_DIGEST_TEXT_MAX];
    int r;

    (void)ofs_digest_format(&o->digest, name);
    if (faccessat(c->small.fd, name, F_OK, 0) == 0 ||
        !ofs_space_reserve(&c->space, o->len))
        return;
    r = ofs_cachedir_may_write(c, 0, o->len);
    if (r == 0)
        r = ofs_file_replace(c->small.fd, name, o->data, o->len, false);
    if (r < 0)
        ofs_space_failed(&c->space, r);
    ofs_space_settle(&c->space, o->len, r == 0 ? o->len : 0);
}

/* The oldest of the queue; NULL: none, and nobody writes any more. */
static struct small *next_or_leave(struct ofs_small *q)
{
    OFS_GUARD(&q->mtx);
    struct small *o = q->first;

    if (!o) {
        q->writing = false;
        return NULL;
    }
    q->first = o->next;
    if (!q->first)
        q->end = &q->first;
    return o;
}

static void forget(struct ofs_small *q, struct small *o)
{
    char text[OFS_DIGEST_TEXT_MAX];

    {
        OFS_GUARD(&q->mtx);
        (void)ofs_map_remove(q->queued, ofs_digest_format(&o->digest, text));
        q->bytes -= o->len;
    }
    small_unref(o);
}

static void drain(void *arg)
{
    struct ofs_cachedir *c = arg;
    struct small *o;

    while ((o = next_or_leave(&c->small))) {
        write_file(c, o);
        forget(&c->small, o);
    }
}

/* Takes `o` over when it returns true.  With small.mtx held. */
static bool append(struct ofs_small *q, struct small *o)
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_digest_format(&o->digest, text);
    if (ofs_map_get(q->queued, text) ||
        (q->first && q->bytes + o->len > QUEUE_MAX_BYTES) ||
        ofs_map_put(q->queued, text, o, NULL) < 0)
        return false;
    *q->end = o;
    q->end = &o->next;
    q->bytes += o->len;
    return true;
}

/* True: nobody writes yet, so the caller must see to it. */
static bool enqueue(struct ofs_small *q, struct small **o)
{
    OFS_GUARD(&q->mtx);
    if (!append(q, *o))
        return false;
    *o = NULL;
    if (q->writing)
        return false;
    q->writing = true;
    return true;
}

int ofs_small_put(struct ofs_cachedir *c, const struct ofs_digest *digest,
                  const void *data, size_t len, struct ofs_err *err)
{
    OFS_AUTO(small_unrefp) struct small *o = NULL;

    if (!has_digest(digest, data, len))
        return ofs_err_set(err, -EBADMSG, "%zu bytes do not have their digest",
                           len);
    if (len > 0)
        o = small_new(digest, data, len);
    if (!o || !enqueue(&c->small, &o))
        return 0;
    if (!c->small.workers || ofs_workers_add(c->small.workers, drain, c) < 0)
        drain(c);
    return 0;
}

/* ---- get ---- */

static struct small *find_queued(struct ofs_small *q, const char *name)
{
    OFS_GUARD(&q->mtx);
    struct small *o = ofs_map_get(q->queued, name);

    if (o)
        atomic_fetch_add(&o->refs, 1);
    return o;
}

static void touch(int fd, const struct stat *st)
{
    int64_t now = ofs_wall_s();

    if (now - st->st_mtime >= TOUCH_S || now < st->st_mtime)
        (void)futimens(fd, NULL);
}

static int read_whole(int fd, size_t limit, struct ofs_buf *b)
{
    OFS_AUTOFREE char *data = NULL;
    struct stat st;

    if (fstat(fd, &st) < 0)
        return -ENOENT;
    if ((uint64_t)st.st_size > limit)
        return -EFBIG;
    data = malloc((size_t)st.st_size + 1);
    if (!data)
        return -ENOMEM;
    if (ofs_pread_full(fd, data, (size_t)st.st_size, 0) < 0)
        return -ENOENT;
    touch(fd, &st);
    return ofs_buf_add(b, data, (size_t)st.st_size);
}

static int read_file(struct ofs_cachedir *c, const struct ofs_digest *digest,
                     const char *name, struct ofs_buf *b)
{
    OFS_AUTOCLOSE int fd =
        openat(c->small.fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int r;

    if (fd < 0)
        return -ENOENT;
    r = read_whole(fd, b->limit, b);
    if (r < 0 || has_digest(digest, ofs_buf_str(b), b->len))
        return r;
    /* Not right any more: nobody should find it again. */
    (void)unlinkat(c->small.fd, name, 0);
    return -ENOENT;
}

static int find(struct ofs_cachedir *c, const struct ofs_digest *digest,
                struct ofs_buf *b)
{
    OFS_AUTO(small_unrefp) struct small *o = NULL;
    char name[OFS_DIGEST_TEXT_MAX];

    if (has_digest(digest, "", 0))
        return 0;
    o = find_queued(&c->small, ofs_digest_format(digest, name));
    if (o)
        return ofs_buf_add(b, o->data, o->len);
    return read_file(c, digest, name, b);
}

int ofs_small_get(struct ofs_cachedir *c, const struct ofs_digest *digest,
                  size_t limit, struct ofs_buf *ret, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(limit);
    int r = find(c, digest, &b);

    if (r == 0 && b.len > 0)
        r = ofs_buf_add(ret, b.data, b.len);
    if (r == -EFBIG)
        return ofs_err_set(err, r, "more than %zu bytes", limit);
    return r < 0 ? ofs_err_set(err, r, "not in the cache") : 0;
}

int ofs_small_size(struct ofs_cachedir *c, const struct ofs_digest *digest,
                   uint64_t *ret_size)
{
    OFS_AUTO(small_unrefp) struct small *o = NULL;
    char name[OFS_DIGEST_TEXT_MAX];
    struct stat st;

    o = find_queued(&c->small, ofs_digest_format(digest, name));
    if (o)
        *ret_size = o->len;
    else if (fstatat(c->small.fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0)
        *ret_size = (uint64_t)st.st_size;
    else
        return ofs_sums_size(&c->files, digest, ret_size);
    return 0;
}
