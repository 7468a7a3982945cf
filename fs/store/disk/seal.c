/* SPDX-License-Identifier: Apache-2.0 */

/* The seal of a blob's data: has somebody changed it since it was proven? */

#include "blobfile.h"

#include "ocirfs/file.h"
#include "ocirfs/log.h"

#include <sys/stat.h>

static int64_t to_ns(const struct timespec *t)
{
    return (int64_t)((uint64_t)t->tv_sec * 1000000000 + (uint64_t)t->tv_nsec);
}

static void seal_of(const struct stat *st, struct ofs_seal *ret)
{
    *ret = (struct ofs_seal){
        .size = (uint64_t)st->st_size,
        .ino = (uint64_t)st->st_ino,
        .mtime_ns = to_ns(&st->st_mtim),
        .ctime_ns = to_ns(&st->st_ctim),
    };
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

static uint64_t number_of(const struct ofs_seal *seal)
{
    uint64_t sum = mix(1, seal->size);

    sum = mix(sum, seal->ino);
    sum = mix(sum, (uint64_t)seal->mtime_ns);
    sum = mix(sum, (uint64_t)seal->ctime_ns);
    return sum != 0 ? sum : 1;
}

static uint64_t seal_off(const struct ofs_blobfile *f)
{
    return OFS_MAP_HEAD_LEN + (uint64_t)ofs_chunk_count(f->size);
}

uint64_t ofs_blobfile_look(const struct ofs_blobfile *f)
{
    struct ofs_seal now;
    struct stat st;

    if (fstat(f->data_fd, &st) < 0)
        return 0;
    seal_of(&st, &now);
    return number_of(&now);
}

uint64_t ofs_blobfile_seal_look(const struct ofs_blobfile *f)
{
    uint8_t bytes[OFS_SEAL_LEN];
    struct ofs_seal seal, now;
    struct stat st;

    if (ofs_pread_full(f->map_fd, bytes, sizeof(bytes), seal_off(f)) < 0 ||
        ofs_seal_decode(bytes, sizeof(bytes), &seal) < 0 ||
        fstat(f->data_fd, &st) < 0)
        return 0;
    seal_of(&st, &now);
    if (seal.size != f->size || seal.size != now.size || seal.ino != now.ino ||
        seal.mtime_ns != now.mtime_ns || seal.ctime_ns != now.ctime_ns)
        return 0;
    return number_of(&now);
}

/* What is read-only already keeps its times, and so another process's seal. */
uint64_t ofs_blobfile_seal(const struct ofs_blobfile *f)
{
    uint8_t bytes[OFS_SEAL_LEN];
    struct ofs_seal seal;
    struct stat st;

    if (fstat(f->data_fd, &st) < 0)
        return 0;
    if ((st.st_mode & 07777) != 0400 && fchmod(f->data_fd, 0400) == 0 &&
        fstat(f->data_fd, &st) < 0)
        return 0;
    seal_of(&st, &seal);
    ofs_seal_encode(&seal, bytes);
    if (ofs_pwrite_full(f->map_fd, bytes, sizeof(bytes), seal_off(f)) < 0)
        ofs_log(OFS_DEBUG, "store: a seal cannot be written");
    return number_of(&seal);
}
