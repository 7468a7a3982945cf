/* SPDX-License-Identifier: Apache-2.0 */
#include "sums.h"

#include "ocirfs/clock.h"
#include "ocirfs/file.h"

#include <fcntl.h>
#include <sys/stat.h>

enum { TOUCH_S = 24 * 3600 }; /* much less than sweeping leaves it lie */

static size_t file_len(uint64_t size, const struct ofs_digest *digest)
{
    return OFS_SUMS_HEAD_LEN +
           ofs_sums_len(size, (enum ofs_digest_alg)digest->alg) +
           OFS_SUMS_TAIL_LEN;
}

/* Unused ones go after some weeks; this one is used. */
static void touch(int fd, const struct stat *st)
{
    int64_t now = ofs_wall_s();

    if (now - st->st_mtime > TOUCH_S || now < st->st_mtime)
        (void)futimens(fd, NULL);
}

static int open_sums(const struct ofs_blobdir *dir,
                     const struct ofs_digest *digest, struct ofs_sums_head *ret)
{
    uint8_t bytes[OFS_SUMS_HEAD_LEN];
    char name[OFS_BLOBFILE_NAME_MAX];
    OFS_AUTOCLOSE int fd = -1;

    ofs_blobfile_name(digest, ".sums", name);
    fd = openat(dir->blobs_fd, name, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || ofs_pread_full(fd, bytes, sizeof(bytes), 0) < 0 ||
        ofs_sums_head_decode(bytes, sizeof(bytes), ret) < 0 ||
        !ofs_digest_eq(&ret->digest, digest))
        return -ENOENT;
    return ofs_take_fd(&fd);
}

static int read_states(int fd, const struct ofs_digest *digest, uint64_t size,
                       uint8_t **ret_states)
{
    size_t len = file_len(size, digest),
           n = ofs_sums_len(size, (enum ofs_digest_alg)digest->alg);
    OFS_AUTOFREE uint8_t *bytes = NULL;
    OFS_AUTOFREE uint8_t *states = malloc(n + 1);
    struct ofs_sums_head head;
    const uint8_t *at;
    struct stat st;

    if (fstat(fd, &st) < 0 || st.st_size != (off_t)len)
        return -ENOENT;
    bytes = malloc(len);
    if (!bytes || !states)
        return -ENOMEM;
    if (ofs_pread_full(fd, bytes, len, 0) < 0 ||
        ofs_sums_decode(bytes, len, &head, &at) < 0)
        return -ENOENT;
    memcpy(states, at, n);
    touch(fd, &st);
    *ret_states = ofs_take(&states);
    return 0;
}

int ofs_sums_load(const struct ofs_blobdir *dir,
                  const struct ofs_digest *digest, uint64_t size,
                  uint8_t **ret_states)
{
    struct ofs_sums_head head;
    OFS_AUTOCLOSE int fd = open_sums(dir, digest, &head);

    if (fd < 0)
        return fd;
    if (head.size != size)
        return -EBADMSG;
    return read_states(fd, digest, size, ret_states);
}

int ofs_sums_size(const struct ofs_blobdir *dir,
                  const struct ofs_digest *digest, uint64_t *ret_size)
{
    struct ofs_sums_head head;
    OFS_AUTOCLOSE int fd = open_sums(dir, digest, &head);

    if (fd < 0)
        return fd;
    *ret_size = head.size;
    return 0;
}

int ofs_sums_save(const struct ofs_blobdir *dir,
                  const struct ofs_digest *digest, uint64_t size,
                  const uint8_t *states)
{
    struct ofs_sums_head head = { .size = size, .digest = *digest };
    size_t n = ofs_sums_len(size, (enum ofs_digest_alg)digest->alg);
    OFS_AUTOFREE uint8_t *bytes = malloc(file_len(size, digest));
    char name[OFS_BLOBFILE_NAME_MAX];
    uint8_t *tail;

    int r;

    if (!bytes)
        return -ENOMEM;
    ofs_sums_head_encode(&head, bytes);
    memcpy(bytes + OFS_SUMS_HEAD_LEN, states, n);
    tail = bytes + OFS_SUMS_HEAD_LEN + n;
    r = ofs_sha256(states, n, tail);
    if (r < 0)
        return r;
    ofs_blobfile_name(digest, ".sums", name);
    return ofs_file_replace(dir->blobs_fd, name, bytes, file_len(size, digest),
                            false);
}
