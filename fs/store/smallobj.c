/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Manifests and configurations: blobs like others on disk, but small enough
 * to come and go whole, and to be hashed each time they are read.  So `get`
 * needs neither map nor lock: the bytes have the digest or they have not.
 */

#include "store_priv.h"
#include "sums.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { TOUCH_S = 60 };

static bool has_digest(const struct ofs_digest *digest, const void *data,
                       size_t len)
{
    struct ofs_digest d = { 0 };

    return ofs_digest_of((enum ofs_digest_alg)digest->alg, data, len, &d) ==
               0 &&
           ofs_digest_eq(&d, digest);
}

/* ---- put ---- */

/* The states at the borders, of data that is known to be right. */
static void make_sums(struct ofs_object *o, const void *data)
{
    uint8_t state[OFS_MIDSTATE_MAX];

    ofs_hash_reset(o->hash);
    for (uint32_t i = 0; i + 1 < o->n_chunks; i++) {
        ofs_hash_update(o->hash, (const char *)data + ofs_chunk_off(i),
                        OFS_CHUNK_BYTES);
        ofs_hash_midstate(o->hash, state);
        memcpy(o->sums + (size_t)i * o->state_len, state, o->state_len);
    }
    o->hashed = o->n_chunks;
    o->verified = true;
}

static bool is_idle(const struct ofs_object *o)
{
    return o->ready && !o->broken && !o->blobs && !o->wants &&
           o->n_fetches == 0 && !o->hashing;
}

/*
 * Take the object for ourselves: all that is not here is COMING from us.
 * Only one that nobody reads, fetches or hashes: what was served of it before
 * must not become verified by other bytes than those.
 */
static bool seize(struct ofs_object *o, const void *data)
{
    OFS_GUARD(&o->mtx);
    if (!is_idle(o) || !ofs_blobfile_is_open(&o->file) || o->file_bad ||
        o->n_present == o->n_chunks)
        return false;
    if (!o->verified) {
        make_sums(o, data);
        for (uint32_t i = 0; i < o->n_chunks; i++)
            if (ofs_object_state(o, i) == OFS_PRESENT)
                ofs_object_set(o, i, OFS_SUSPECT);
    }
    for (uint32_t i = 0; i < o->n_chunks; i++)
        if (ofs_object_state(o, i) == OFS_ABSENT)
            ofs_object_set(o, i, OFS_COMING);
    o->n_fetches++;
    return true;
}

static int write_chunk(struct ofs_object *o, uint32_t i, const void *data)
{
    size_t len = ofs_chunk_len(o, i);
    struct ofs_store *s = o->store;
    int r = 0;

    if (s->tweaks.write)
        r = s->tweaks.write(s->tweaks.arg, ofs_chunk_off(i), len);
    if (r == 0)
        r = ofs_pwrite_full(o->file.data_fd,
                            (const char *)data + ofs_chunk_off(i), len,
                            ofs_chunk_off(i));
    if (r == 0)
        r = ofs_blobfile_mark(&o->file, i, OFS_MARK_PROVEN);
    if (r < 0)
        ofs_space_failed(&s->space, r);
    return r;
}

static bool is_coming(struct ofs_object *o, uint32_t i)
{
    OFS_GUARD(&o->mtx);
    return ofs_object_state(o, i) == OFS_COMING;
}

static void settle(struct ofs_object *o, uint32_t i, bool here)
{
    OFS_GUARD(&o->mtx);
    ofs_object_set(o, i, here ? OFS_PRESENT : OFS_ABSENT);
    ofs_object_wake(o, i, NULL);
}

/* Bytes kept.  What another process marked meanwhile is not written again. */
static uint64_t fill(struct ofs_object *o, const void *data)
{
    bool claimed = ofs_blobfile_claim(&o->file, 0, o->size) == 0;
    uint64_t kept = 0;
    uint8_t mark;

    for (uint32_t i = 0; i < o->n_chunks; i++) {
        bool here = false;

        if (!is_coming(o, i))
            continue;
        ofs_blobfile_marks(&o->file, i, 1, &mark);
        if (claimed && mark == OFS_MARK_ABSENT)
            here = write_chunk(o, i, data) == 0;
        if (here)
            kept += ofs_chunk_len(o, i);
        settle(o, i, here);
    }
    if (claimed)
        ofs_blobfile_disclaim(&o->file, 0, o->size);
    return kept;
}

static void keep(struct ofs_store *s, struct ofs_object *o, const void *data)
{
    if (!ofs_space_reserve(&s->space, o->size))
        return;
    if (!seize(o, data)) {
        ofs_space_settle(&s->space, o->size, 0);
        return;
    }
    ofs_space_settle(&s->space, o->size, fill(o, data));
    {
        OFS_GUARD(&o->mtx);
        o->n_fetches--;
    }
    ofs_sched_kick(o);
    (void)ofs_sums_save(&s->files, &o->digest, o->size, o->sums);
}

int ofs_store_put(struct ofs_store *s, const struct ofs_digest *digest,
                  const void *data, size_t len, struct ofs_err *err)
{
    OFS_AUTO(ofs_object_unrefp) struct ofs_object *o = NULL;

    if (!has_digest(digest, data, len))
        return ofs_err_set(err, -EBADMSG, "%zu bytes do not have their digest",
                           len);
    if (len > 0 && ofs_object_get(s, digest, len, &o, NULL) == 0)
        keep(s, o, data);
    return 0;
}

/* ---- get ---- */

static void touch_map(struct ofs_store *s, const struct ofs_digest *digest)
{
    char name[OFS_BLOBFILE_NAME_MAX];
    int64_t now = ofs_wall_s();
    struct stat st;

    ofs_blobfile_name(digest, ".map", name);
    if (fstatat(s->files.blobs_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
        (now - st.st_mtime >= TOUCH_S || now < st.st_mtime))
        (void)utimensat(s->files.blobs_fd, name, NULL, AT_SYMLINK_NOFOLLOW);
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
    return ofs_buf_add(b, data, (size_t)st.st_size);
}

int ofs_store_get(struct ofs_store *s, const struct ofs_digest *digest,
                  size_t limit, struct ofs_buf *ret, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(limit);
    char name[OFS_BLOBFILE_NAME_MAX];
    OFS_AUTOCLOSE int fd = -1;
    uint64_t freed;
    int r;

    if (has_digest(digest, "", 0))
        return 0;
    ofs_blobfile_name(digest, "", name);
    fd = openat(s->files.blobs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return ofs_err_set(err, -ENOENT, "not in the cache");
    r = read_whole(fd, limit, &b);
    if (r == -EFBIG)
        return ofs_err_set(err, r, "more than %zu bytes", limit);
    if (r < 0)
        return ofs_err_set(err, r, "cannot be read from the cache");
    if (!has_digest(digest, ofs_buf_str(&b), b.len)) {
        /* Not all here, or not right any more: nobody should find it again. */
        (void)ofs_blobfile_remove(&s->files, digest, &freed);
        return ofs_err_set(err, -ENOENT, "not whole in the cache");
    }
    touch_map(s, digest);
    r = ofs_buf_add(ret, b.data, b.len);
    return r < 0 ? ofs_err_set(err, r, "more than the buffer takes") : 0;
}

int ofs_store_size(struct ofs_store *s, const struct ofs_digest *digest,
                   uint64_t *ret_size)
{
    return ofs_sums_size(&s->files, digest, ret_size);
}
