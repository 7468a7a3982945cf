/* SPDX-License-Identifier: Apache-2.0 */
#include "blobfile.h"

#include "ocirfs/clock.h"
#include "ocirfs/file.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

enum {
    AGAIN = 1,     /* the names changed under us: begin anew */
    MAX_TRIES = 8, /* of that; then we go without */
    TOUCH_S = 60,
};

/* What a map is worth. */
enum worth { VALID, STALE, USELESS };

struct opening {
    const struct ofs_blobdir *dir;
    const struct ofs_digest *digest;
    uint64_t size;
    unsigned flags;
    int map_fd, data_fd;
    uint8_t *marks;
    bool any_mark, all_proven;
    bool read_only; /* the data */
    uint64_t seal;
    char map[OFS_BLOBFILE_NAME_MAX], data[OFS_BLOBFILE_NAME_MAX];
    char trash[OFS_BLOBFILE_NAME_MAX]; /* to be unlinked; "": nothing */
};

void ofs_blobfile_name(const struct ofs_digest *digest, const char *suffix,
                       char name[OFS_BLOBFILE_NAME_MAX])
{
    char text[OFS_DIGEST_TEXT_MAX];
    const char *hex = strchr(ofs_digest_format(digest, text), ':') + 1;

    (void)snprintf(name, OFS_BLOBFILE_NAME_MAX, "%s/%.2s/%s%s",
                   ofs_digest_alg_name(digest), hex, hex, suffix);
}

/* A number nobody has: process ids repeat where containers share a cache. */
static int fresh_number(unsigned long long *ret)
{
    return getrandom(ret, sizeof(*ret), 0) == (ssize_t)sizeof(*ret) ? 0 : -EIO;
}

static int fresh_name(const struct ofs_digest *digest,
                      char name[OFS_BLOBFILE_NAME_MAX])
{
    unsigned long long number;
    int r = fresh_number(&number);

    if (r < 0)
        return r;
    ofs_blobfile_name(digest, "", name);
    (void)snprintf(name + strlen(ofs_digest_alg_name(digest)) + 4, 64,
                   OFS_FILE_TMP_PREFIX "%016llx", number);
    return 0;
}

static bool has_name(const struct ofs_blobdir *dir, const char *name, int fd)
{
    struct stat by_name, by_fd;

    return fstatat(dir->blobs_fd, name, &by_name, AT_SYMLINK_NOFOLLOW) == 0 &&
           fstat(fd, &by_fd) == 0 && by_name.st_ino == by_fd.st_ino &&
           by_name.st_dev == by_fd.st_dev;
}

static int lock(int fd, int how)
{
    while (flock(fd, how | LOCK_NB) < 0)
        if (errno != EINTR)
            return errno == EWOULDBLOCK ? -EBUSY : -errno;
    return 0;
}

/* The two directories above the files. */
static int make_dirs(const struct ofs_blobdir *dir, const char *name)
{
    char path[OFS_BLOBFILE_NAME_MAX];
    char *slash;

    (void)snprintf(path, sizeof(path), "%s", name);
    slash = strrchr(path, '/');
    *slash = '\0';
    slash = strchr(path, '/');
    *slash = '\0';
    if (mkdirat(dir->blobs_fd, path, 0700) < 0 && errno != EEXIST)
        return -errno;
    *slash = '/';
    if (mkdirat(dir->blobs_fd, path, 0700) < 0 && errno != EEXIST)
        return -errno;
    return 0;
}

static int open_new(const struct ofs_blobdir *dir, const char *name)
{
    int fd = openat(dir->blobs_fd, name,
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);

    return fd < 0 ? -errno : fd;
}

/*
 * A map that is whole, and locked, from the moment it has its name.  The
 * marks are a hole: a blob of 1 TiB would else cost 4 MiB before its first
 * byte.
 */
static int create_map(struct opening *op)
{
    struct ofs_map_head head = { .size = op->size };
    uint8_t bytes[OFS_MAP_HEAD_LEN];
    char name[OFS_BLOBFILE_NAME_MAX];
    int fd, r = fresh_name(op->digest, name);

    if (r < 0)
        return r;
    memcpy(head.boot_id, op->dir->boot_id, OFS_BOOT_ID_LEN);
    ofs_map_head_encode(&head, bytes);
    fd = open_new(op->dir, name);
    if (fd == -ENOENT && make_dirs(op->dir, name) == 0)
        fd = open_new(op->dir, name);
    if (fd < 0)
        return fd;
    op->map_fd = fd;
    r = ofs_pwrite_full(fd, bytes, sizeof(bytes), 0);
    if (r == 0 &&
        ftruncate(fd, OFS_MAP_HEAD_LEN + (off_t)ofs_chunk_count(op->size)) < 0)
        r = -errno;
    if (r == 0)
        r = lock(fd, LOCK_SH);
    if (r == 0 &&
        linkat(op->dir->blobs_fd, name, op->dir->blobs_fd, op->map, 0) < 0)
        r = errno == EEXIST ? AGAIN : -errno;
    (void)unlinkat(op->dir->blobs_fd, name, 0);
    return r;
}

static int open_map(struct opening *op)
{
    op->map_fd =
        openat(op->dir->blobs_fd, op->map, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (op->map_fd >= 0)
        return 0;
    if (errno != ENOENT || !(op->flags & OFS_BLOBFILE_CREATE))
        return -errno;
    return create_map(op);
}

/* With the map locked: what is it worth?  Reads the marks as well. */
static enum worth judge(struct opening *op)
{
    uint32_t n = ofs_chunk_count(op->size);
    uint8_t bytes[OFS_MAP_HEAD_LEN];
    struct ofs_map_head head;

    if (ofs_pread_full(op->map_fd, bytes, sizeof(bytes), 0) < 0 ||
        ofs_map_head_decode(bytes, sizeof(bytes), &head) < 0 ||
        head.size != op->size ||
        ofs_pread_full(op->map_fd, op->marks, n, OFS_MAP_HEAD_LEN) < 0)
        return USELESS;
    op->any_mark = false;
    op->all_proven = true;
    for (uint32_t i = 0; i < n; i++) {
        if (op->marks[i] > OFS_MARK_PROVEN)
            op->marks[i] = OFS_MARK_ABSENT;
        op->any_mark = op->any_mark || op->marks[i] != OFS_MARK_ABSENT;
        op->all_proven = op->all_proven && op->marks[i] == OFS_MARK_PROVEN;
    }
    return memcmp(head.boot_id, op->dir->boot_id, OFS_BOOT_ID_LEN) == 0 ? VALID
                                                                        : STALE;
}

static int open_data_as(const struct opening *op, int flags)
{
    int fd = openat(op->dir->blobs_fd, op->data, flags | O_CLOEXEC | O_NOFOLLOW,
                    0600);

    return fd < 0 ? -errno : fd;
}

/* All is there, and nobody has changed it since: reading will do. */
static bool open_sealed(struct opening *op)
{
    struct ofs_blobfile f = { .map_fd = op->map_fd, .size = op->size };

    f.data_fd = open_data_as(op, O_RDONLY);
    op->seal = f.data_fd < 0 ? 0 : ofs_blobfile_seal_look(&f);
    op->read_only = op->seal != 0;
    if (op->read_only)
        op->data_fd = f.data_fd;
    else
        ofs_closep(&f.data_fd);
    return op->read_only;
}

/* Of a broken seal: it may have to be written. */
static int open_write_protected(const struct opening *op)
{
    OFS_AUTOCLOSE int fd = open_data_as(op, O_RDONLY);

    if (fd < 0)
        return fd;
    return fchmod(fd, 0600) < 0 ? -errno : open_data_as(op, O_RDWR);
}

/*
 * With a valid map locked.  Data that is missing, or of another length than
 * marks vouch for, was tampered with; without marks it is what a killed
 * process left, or not made yet.
 */
static int open_data(struct opening *op, enum worth *ret_worth)
{
    struct stat st;

    if (op->all_proven && open_sealed(op))
        return 0;
    op->data_fd = open_data_as(op, O_RDWR | (op->any_mark ? 0 : O_CREAT));
    if (op->data_fd == -EACCES)
        op->data_fd = open_write_protected(op);
    if (op->data_fd == -ENOENT && op->any_mark) {
        *ret_worth = USELESS;
        return 0;
    }
    if (op->data_fd < 0)
        return op->data_fd;
    if (fstat(op->data_fd, &st) < 0)
        return -errno;
    if ((uint64_t)st.st_size == op->size)
        return 0;
    if (op->any_mark)
        *ret_worth = USELESS;
    else if (ftruncate(op->data_fd, (off_t)op->size) < 0)
        return -errno;
    return 0;
}

/*
 * With LOCK_EX on the map that has the name.  An empty map is no map (rule 3)
 * and, unlike one written over, needs no room on a full disk.
 */
static int take_names(struct opening *op)
{
    int r = fresh_name(op->digest, op->trash);

    if (r == 0 && ftruncate(op->map_fd, 0) < 0)
        r = -errno;
    if (r == 0 && renameat(op->dir->blobs_fd, op->data, op->dir->blobs_fd,
                           op->trash) < 0) {
        r = errno == ENOENT ? 0 : -errno;
        op->trash[0] = '\0';
    }
    if (r == 0 && unlinkat(op->dir->blobs_fd, op->map, 0) < 0)
        r = -errno;
    return r;
}

/* With LOCK_EX: marks of a former boot become doubtful ones of this.  The
 * header comes last: killed before that, it is all done once more. */
static int renew(struct opening *op)
{
    struct ofs_map_head head = { .size = op->size };
    uint32_t n = ofs_chunk_count(op->size);
    uint8_t bytes[OFS_MAP_HEAD_LEN];
    int r;

    for (uint32_t i = 0; i < n; i++)
        if (op->marks[i] != OFS_MARK_ABSENT)
            op->marks[i] = OFS_MARK_PLAIN;
    memcpy(head.boot_id, op->dir->boot_id, OFS_BOOT_ID_LEN);
    ofs_map_head_encode(&head, bytes);
    r = ofs_pwrite_full(op->map_fd, op->marks, n, OFS_MAP_HEAD_LEN);
    if (r == 0)
        r = ofs_pwrite_full(op->map_fd, bytes, sizeof(bytes), 0);
    return r;
}

static int repair(struct opening *op, enum worth worth)
{
    int r = lock(op->map_fd, LOCK_EX);

    if (r < 0)
        return r;
    if (!has_name(op->dir, op->map, op->map_fd))
        return AGAIN;
    if (worth == STALE && (op->flags & OFS_BLOBFILE_PROVEN))
        r = renew(op);
    else
        r = take_names(op);
    return r < 0 ? r : AGAIN;
}

static int open_once(struct opening *op)
{
    enum worth worth;
    int r = open_map(op);

    if (r == 0)
        r = lock(op->map_fd, LOCK_SH);
    if (r == -EBUSY)
        return AGAIN; /* who changes the names is done in a moment */
    if (r != 0)
        return r;
    if (!has_name(op->dir, op->map, op->map_fd))
        return AGAIN;
    worth = judge(op);
    if (worth == VALID)
        r = open_data(op, &worth);
    if (r < 0)
        return r;
    return worth == VALID ? 0 : repair(op, worth);
}

/* Let go of descriptors and locks; the large unlink comes after that. */
static void opening_done(struct opening *op)
{
    ofs_closep(&op->map_fd);
    ofs_closep(&op->data_fd);
    op->map_fd = op->data_fd = -1;
    if (op->trash[0])
        (void)unlinkat(op->dir->blobs_fd, op->trash, 0);
    op->trash[0] = '\0';
}

static void opening_init(struct opening *op, const struct ofs_blobdir *dir,
                         const struct ofs_digest *digest)
{
    *op = (struct opening){
        .dir = dir,
        .digest = digest,
        .map_fd = -1,
        .data_fd = -1,
    };
    ofs_blobfile_name(digest, ".map", op->map);
    ofs_blobfile_name(digest, "", op->data);
}

static int64_t mtime_of(int fd)
{
    struct stat st;

    return fstat(fd, &st) == 0 ? (int64_t)st.st_mtime : 0;
}

int ofs_blobfile_open(const struct ofs_blobdir *dir,
                      const struct ofs_digest *digest, uint64_t size,
                      unsigned flags, struct ofs_blobfile *ret,
                      uint8_t **ret_marks)
{
    OFS_AUTOFREE uint8_t *marks = calloc(ofs_chunk_count(size), 1);
    OFS_AUTO(opening_done) struct opening op;
    int r = AGAIN;

    opening_init(&op, dir, digest);
    op.size = size;
    op.flags = flags;
    op.marks = marks;
    if (!marks)
        return -ENOMEM;
    for (int i = 0; i < MAX_TRIES && r == AGAIN; i++) {
        opening_done(&op);
        if (i > 0)
            (void)sched_yield();
        r = open_once(&op);
    }
    if (r != 0)
        return r == AGAIN ? -EBUSY : r;
    *ret_marks = ofs_take(&marks);
    *ret = (struct ofs_blobfile){
        .touched_s = mtime_of(op.map_fd),
        .map_fd = ofs_take_fd(&op.map_fd),
        .data_fd = ofs_take_fd(&op.data_fd),
        .size = size,
        .seal = op.seal,
        .read_only = op.read_only,
    };
    ofs_blobfile_touch(ret);
    return 0;
}

void ofs_blobfile_close(struct ofs_blobfile *f)
{
    ofs_closep(&f->data_fd);
    ofs_closep(&f->map_fd);
    f->map_fd = f->data_fd = -1;
}

bool ofs_blobfile_is_open(const struct ofs_blobfile *f)
{
    return f->map_fd >= 0;
}

void ofs_blobfile_touch(struct ofs_blobfile *f)
{
    int64_t now = ofs_wall_s();

    if (now < f->touched_s + TOUCH_S && now >= f->touched_s)
        return;
    (void)futimens(f->map_fd, NULL);
    f->touched_s = now;
}

/* With LOCK_EX wanted on an existing map, or on one made to have a lock for
 * data that lost its own. */
static int open_to_remove(struct opening *op)
{
    struct stat st;
    int r;

    op->map_fd =
        openat(op->dir->blobs_fd, op->map, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (op->map_fd < 0 && errno == ENOENT) {
        if (fstatat(op->dir->blobs_fd, op->data, &st, AT_SYMLINK_NOFOLLOW) < 0)
            return -errno;
        r = create_map(op);
        if (r != 0)
            return r < 0 ? r : -EBUSY;
    }
    if (op->map_fd < 0)
        return -errno;
    r = lock(op->map_fd, LOCK_EX);
    if (r == 0 && !has_name(op->dir, op->map, op->map_fd))
        r = -EBUSY;
    return r;
}

int ofs_blobfile_remove(const struct ofs_blobdir *dir,
                        const struct ofs_digest *digest, uint64_t *ret_freed)
{
    OFS_AUTO(opening_done) struct opening op;
    uint64_t freed = 0;
    struct stat st;
    int r;

    opening_init(&op, dir, digest);
    r = open_to_remove(&op);
    if (r < 0)
        return r;
    if (fstatat(dir->blobs_fd, op.data, &st, AT_SYMLINK_NOFOLLOW) == 0)
        freed = (uint64_t)st.st_blocks * 512;
    r = take_names(&op);
    if (r < 0)
        return r;
    *ret_freed = freed;
    return 0;
}

/* To <hex>.<when>.<number>. */
static bool move_away(const struct ofs_blobdir *dir, const char *data)
{
    unsigned long long number;
    char to[256];

    if (fresh_number(&number) < 0)
        return false;
    (void)snprintf(to, sizeof(to), "%s.%lld.%016llx", strrchr(data, '/') + 1,
                   (long long)ofs_wall_s(), number);
    return renameat(dir->blobs_fd, data, dir->quarantine_fd, to) == 0;
}

void ofs_blobfile_condemn(const struct ofs_blobdir *dir,
                          const struct ofs_digest *digest,
                          const struct ofs_blobfile *f, bool *ret_moved)
{
    char map[OFS_BLOBFILE_NAME_MAX], data[OFS_BLOBFILE_NAME_MAX];

    *ret_moved = false;
    if (ftruncate(f->map_fd, 0) < 0 || lock(f->map_fd, LOCK_EX) < 0)
        return;
    ofs_blobfile_name(digest, ".map", map);
    ofs_blobfile_name(digest, "", data);
    if (!has_name(dir, map, f->map_fd))
        return;
    *ret_moved = move_away(dir, data) && unlinkat(dir->blobs_fd, map, 0) == 0;
}
