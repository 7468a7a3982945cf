/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/file.h"

#include "ocirfs/secret.h"

#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

enum {
    READ_BLOCK = 16 * 1024,
    NAME_TRIES = 1000, /* left-overs of a killed process with our number */
};

int ofs_pread_full(int fd, void *buf, size_t len, uint64_t off)
{
    char *p = buf;

    while (len > 0) {
        ssize_t n = pread(fd, p, len, (off_t)off);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        p += n;
        len -= (size_t)n;
        off += (size_t)n;
    }
    return 0;
}

int ofs_pwrite_full(int fd, const void *buf, size_t len, uint64_t off)
{
    const char *p = buf;

    while (len > 0) {
        ssize_t n = pwrite(fd, p, len, (off_t)off);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        if (n == 0)
            return -EIO;
        p += n;
        len -= (size_t)n;
        off += (size_t)n;
    }
    return 0;
}

/* Not pread: the file may be a pipe, as in config=<(decrypt ...). */
static int read_all(int fd, char block[READ_BLOCK], struct ofs_buf *b)
{
    for (;;) {
        ssize_t n = read(fd, block, READ_BLOCK);
        int r;

        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        r = ofs_buf_add(b, block, (size_t)n);
        if (r < 0)
            return r;
    }
}

int ofs_file_read(int dirfd, const char *path, struct ofs_buf *b)
{
    OFS_AUTOCLOSE int fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
    char block[READ_BLOCK];
    int r;

    if (fd < 0)
        return -errno;
    r = read_all(fd, block, b);
    ofs_wipe(block, sizeof(block)); /* the file may hold a key */
    return r;
}

/* A name beside `path` that nobody has: its directory, our process and a
 * number.  Not `path` with a suffix, which could grow too long. */
static void temporary_name(const char *path, char name[PATH_MAX])
{
    static atomic_uint counter;
    const char *slash = strrchr(path, '/');
    int dir_len = slash ? (int)(slash - path + 1) : 0;

    (void)snprintf(name, PATH_MAX, "%.*s" OFS_FILE_TMP_PREFIX "%ld-%u", dir_len,
                   path, (long)getpid(), atomic_fetch_add(&counter, 1));
}

static int create_temporary(int dirfd, const char *path, char name[PATH_MAX])
{
    if (strlen(path) >= PATH_MAX - 64)
        return -ENAMETOOLONG;
    for (int i = 0; i < NAME_TRIES; i++) {
        int fd;

        temporary_name(path, name);
        fd = openat(dirfd, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
        if (fd >= 0 || errno != EEXIST)
            return fd >= 0 ? fd : -errno;
    }
    return -EEXIST;
}

static int fill(int fd, const void *data, size_t len, bool durable)
{
    int r = ofs_pwrite_full(fd, data, len, 0);

    if (r == 0 && durable && fsync(fd) < 0)
        r = -errno;
    /* A network file system may tell only now that the disk is full. */
    if (close(fd) < 0 && r == 0)
        r = -errno;
    return r;
}

/* The rename itself survives a power failure once its directory is synced. */
static int sync_parent(int dirfd, const char *path)
{
    const char *slash = strrchr(path, '/');
    OFS_AUTOFREE char *dir =
        slash ? strndup(path, (size_t)(slash - path + 1)) : strdup(".");
    OFS_AUTOCLOSE int fd = -1;

    if (!dir)
        return -ENOMEM;
    fd = openat(dirfd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0)
        return -errno;
    return 0;
}

int ofs_file_replace(int dirfd, const char *path, const void *data, size_t len,
                     bool durable)
{
    char name[PATH_MAX];
    int r, fd = create_temporary(dirfd, path, name);

    if (fd < 0)
        return fd;
    r = fill(fd, data, len, durable);
    if (r == 0 && renameat(dirfd, name, dirfd, path) < 0)
        r = -errno;
    if (r < 0) {
        (void)unlinkat(dirfd, name, 0);
        return r;
    }
    return durable ? sync_parent(dirfd, path) : 0;
}

static bool is_dir(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* What is there counts, whatever mkdir says: on a read-only or an automounted
 * file system it need not say EEXIST. */
static int make_dir(const char *path)
{
    int r;

    if (mkdir(path, 0700) == 0)
        return 0;
    r = -errno;
    if (is_dir(path))
        return 0;
    return r == -EEXIST ? -ENOTDIR : r;
}

int ofs_mkdirs(const char *path)
{
    OFS_AUTOFREE char *copy = strdup(path);
    char *p = copy;

    if (!copy)
        return -ENOMEM;
    while (*p) {
        char *end = strchrnul(p + 1, '/'), after = *end;
        int r;

        *end = '\0';
        r = make_dir(copy);
        if (r < 0)
            return r;
        *end = after;
        p = end;
    }
    return *path ? 0 : -ENOENT;
}

int ofs_private_dir(int dirfd, const char *name, struct ofs_err *err)
{
    OFS_AUTOCLOSE int fd = -1;
    struct stat st;

    if (mkdirat(dirfd, name, 0700) < 0 && errno != EEXIST)
        return ofs_err_errno(err, errno, name);
    fd = openat(dirfd, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0 || fstat(fd, &st) < 0)
        return ofs_err_errno(err, errno, name);
    if (st.st_uid != geteuid() || (st.st_mode & 077) != 0)
        return ofs_err_set(err, -EACCES,
                           "%s: others have access to it, or it is theirs",
                           name);
    return ofs_take_fd(&fd);
}
