/* SPDX-License-Identifier: Apache-2.0 */
#include "stage.h"

#include "ocirfs/file.h"
#include "ocirfs/safedir.h"
#include "ocirfs/str.h"
#include "ocirfs/vec.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdatomic.h>
#include <sys/file.h>
#include <sys/stat.h>

enum { NAME_LEN = OFS_STAGE_NAME_MAX - 1 };

static int lock(int dirfd, struct ofs_err *err)
{
    OFS_AUTOCLOSE int fd =
        openat(dirfd, "lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);

    if (fd < 0)
        return ofs_err_errno(err, errno, "lock");
    if (flock(fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK
                   ? ofs_err_set(err, -EBUSY, "another process uses it")
                   : ofs_err_errno(err, errno, "lock");
    return ofs_take_fd(&fd);
}

static int open_all(struct ofs_stage *s, const char *dir, struct ofs_err *err)
{
    OFS_AUTOCLOSE int top = ofs_safe_dir(dir, err), root = -1;
    int r;

    if (top < 0)
        return top;
    r = root = ofs_private_dir(top, "v1", err);
    if (r >= 0)
        r = s->lock_fd = lock(root, err);
    if (r >= 0)
        r = s->files_fd = ofs_private_dir(root, "files", err);
    if (r >= 0)
        r = s->jobs_fd = ofs_private_dir(root, "jobs", err);
    return r < 0 ? r : 0;
}

static void closedirp(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

static DIR *open_stream(int folder_fd)
{
    int fd = openat(folder_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *dir = fd < 0 ? NULL : fdopendir(fd);

    if (!dir)
        ofs_closep(&fd);
    return dir;
}

/* What a killed process left of ofs_file_replace(). */
static void remove_temporaries(int folder_fd)
{
    OFS_AUTO(closedirp) DIR *dir = open_stream(folder_fd);
    const struct dirent *e;

    while (dir && (e = readdir(dir)))
        if (ofs_str_starts(e->d_name, OFS_FILE_TMP_PREFIX))
            (void)unlinkat(folder_fd, e->d_name, 0);
}

/* Numbers go on behind the highest that is there. */
static int find_last(struct ofs_stage *s, int folder_fd)
{
    OFS_AUTOFREE uint64_t *at = NULL;
    size_t n = 0;
    int r = ofs_stage_list(folder_fd, &at, &n);

    if (r == 0 && n > 0 && at[n - 1] > atomic_load(&s->last))
        atomic_store(&s->last, at[n - 1]);
    return r;
}

int ofs_stage_open(struct ofs_stage *s, const char *dir, uint64_t max_bytes,
                   struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r;

    *s = (struct ofs_stage){
        .lock_fd = -1, .files_fd = -1, .jobs_fd = -1, .max_bytes = max_bytes
    };
    r = open_all(s, dir, &why);
    if (r == 0)
        r = find_last(s, s->files_fd);
    if (r == 0)
        remove_temporaries(s->jobs_fd);
    if (r == 0)
        r = find_last(s, s->jobs_fd);
    if (r < 0) {
        ofs_stage_close(s);
        return ofs_err_set(err, r, "staging area '%s': %s", dir,
                           why.code ? why.text : strerror(-r));
    }
    return 0;
}

void ofs_stage_close(struct ofs_stage *s)
{
    ofs_closep(&s->jobs_fd);
    ofs_closep(&s->files_fd);
    ofs_closep(&s->lock_fd); /* the last: nobody else may be in before */
    s->jobs_fd = s->files_fd = s->lock_fd = -1;
}

uint64_t ofs_stage_number(struct ofs_stage *s)
{
    return atomic_fetch_add(&s->last, 1) + 1;
}

const char *ofs_stage_name(uint64_t number, char name[OFS_STAGE_NAME_MAX])
{
    (void)snprintf(name, OFS_STAGE_NAME_MAX, "%016" PRIx64, number);
    return name;
}

int ofs_stage_create(struct ofs_stage *s, uint64_t number)
{
    char name[OFS_STAGE_NAME_MAX];
    int fd = openat(s->files_fd, ofs_stage_name(number, name),
                    O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    return fd < 0 ? -errno : fd;
}

int ofs_stage_reopen(struct ofs_stage *s, uint64_t number)
{
    char name[OFS_STAGE_NAME_MAX];
    int fd = openat(s->files_fd, ofs_stage_name(number, name),
                    O_RDWR | O_CLOEXEC | O_NOFOLLOW);

    return fd < 0 ? -errno : fd;
}

void ofs_stage_remove(struct ofs_stage *s, uint64_t number)
{
    char name[OFS_STAGE_NAME_MAX];

    (void)unlinkat(s->files_fd, ofs_stage_name(number, name), 0);
}

int ofs_stage_link(struct ofs_stage *s, uint64_t number,
                   const struct ofs_stage *from, uint64_t from_number)
{
    char name[OFS_STAGE_NAME_MAX], from_name[OFS_STAGE_NAME_MAX];

    return linkat(from->files_fd, ofs_stage_name(from_number, from_name),
                  s->files_fd, ofs_stage_name(number, name), 0) < 0
               ? -errno
               : 0;
}

/* False: not one of our names. */
static bool parse_name(const char *name, uint64_t *ret)
{
    uint64_t n = 0;

    if (strlen(name) != NAME_LEN)
        return false;
    for (const char *p = name; *p; p++) {
        if (*p >= '0' && *p <= '9')
            n = n << 4 | (uint64_t)(*p - '0');
        else if (*p >= 'a' && *p <= 'f')
            n = n << 4 | (uint64_t)(*p - 'a' + 10);
        else
            return false;
    }
    *ret = n;
    return true;
}

static int by_number(const void *a, const void *b)
{
    uint64_t x, y;

    memcpy(&x, a, sizeof(x));
    memcpy(&y, b, sizeof(y));
    return x < y ? -1 : x > y;
}

int ofs_stage_list(int folder_fd, uint64_t **ret, size_t *ret_n)
{
    OFS_AUTO(closedirp) DIR *dir = open_stream(folder_fd);
    OFS_AUTOFREE uint64_t *at = NULL;
    size_t n = 0, room = 0;
    const struct dirent *e;

    if (!dir)
        return -errno;
    while ((e = readdir(dir))) {
        uint64_t number;

        if (!parse_name(e->d_name, &number))
            continue;
        if (ofs_vec_grow(at, n, room) < 0)
            return -ENOMEM;
        at[n++] = number;
    }
    if (n > 0)
        qsort(at, n, sizeof(*at), by_number);
    *ret = ofs_take(&at);
    *ret_n = n;
    return 0;
}

int ofs_stage_charge(struct ofs_stage *s, uint64_t bytes)
{
    uint64_t used = atomic_load(&s->used_bytes);

    do {
        if (s->max_bytes > 0 &&
            (used > s->max_bytes || bytes > s->max_bytes - used))
            return -ENOSPC;
    } while (
        !atomic_compare_exchange_weak(&s->used_bytes, &used, used + bytes));
    return 0;
}

void ofs_stage_count(struct ofs_stage *s, uint64_t bytes)
{
    atomic_fetch_add(&s->used_bytes, bytes);
}

void ofs_stage_discharge(struct ofs_stage *s, uint64_t bytes)
{
    atomic_fetch_sub(&s->used_bytes, bytes);
}
