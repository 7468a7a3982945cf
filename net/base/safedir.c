/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/safedir.h"

#include "ocirfs/cleanup.h"
#include "ocirfs/file.h"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>

enum { MAX_LINKS = 40, OPEN_DIR = O_RDONLY | O_DIRECTORY };

/* On the way: `fd` is open, `rest` is still to go. */
struct walk {
    int fd;
    unsigned n_links;
    char rest[PATH_MAX];
    struct ofs_err *err;
};

static void walk_done(struct walk *w)
{
    ofs_closep(&w->fd);
}

static int go_to(struct walk *w, int fd)
{
    if (fd < 0)
        return -errno;
    ofs_closep(&w->fd);
    w->fd = fd;
    return 0;
}

/* Whoever owns a directory may let others in at any time. */
static int check_owner(struct walk *w, const char *name, const struct stat *st)
{
    bool shared = (st->st_mode & S_IWOTH) != 0 ||
                  ((st->st_mode & S_IWGRP) != 0 && st->st_gid != 0);

    if (st->st_uid != 0)
        return ofs_err_set(w->err, -EACCES,
                           "'%s' belongs to user %u, who could put something "
                           "else in its place; name a directory that only "
                           "root can change",
                           name, (unsigned)st->st_uid);
    if (S_ISDIR(st->st_mode) && shared && (st->st_mode & S_ISVTX) == 0)
        return ofs_err_set(w->err, -EACCES,
                           "others may write to '%s' and could put something "
                           "else in it; name a directory that only root can "
                           "change",
                           name);
    return 0;
}

static int follow_link(struct walk *w, const char *name)
{
    char target[PATH_MAX], rest[PATH_MAX];
    ssize_t n = readlinkat(w->fd, name, target, sizeof(target) - 1);
    int len;

    if (n < 0)
        return -errno;
    target[n] = '\0';
    if (++w->n_links > MAX_LINKS)
        return -ELOOP;
    len = snprintf(rest, sizeof(rest), "%s/%s", target, w->rest);
    if (len < 0 || (size_t)len >= sizeof(rest))
        return -ENAMETOOLONG;
    memcpy(w->rest, rest, (size_t)len + 1);
    return target[0] == '/' ? go_to(w, open("/", OPEN_DIR | O_CLOEXEC)) : 0;
}

/* What was looked at may have been exchanged: what was opened counts. */
static int enter(struct walk *w, const char *name)
{
    struct stat st;
    int r = go_to(w, openat(w->fd, name, OPEN_DIR | O_CLOEXEC | O_NOFOLLOW));

    if (r < 0)
        return r;
    return fstat(w->fd, &st) < 0 ? -errno : check_owner(w, name, &st);
}

static int step(struct walk *w, const char *name)
{
    struct stat st;
    int r;

    if (strcmp(name, "..") == 0)
        return enter(w, name);
    if (fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0 &&
        (errno != ENOENT ||
         (mkdirat(w->fd, name, 0700) < 0 && errno != EEXIST) ||
         fstatat(w->fd, name, &st, AT_SYMLINK_NOFOLLOW) < 0))
        return -errno;
    r = check_owner(w, name, &st);
    if (r < 0)
        return r;
    return S_ISLNK(st.st_mode) ? follow_link(w, name) : enter(w, name);
}

/* The next name of the rest; false: that was all. */
static bool next_name(struct walk *w, char name[NAME_MAX + 1], int *r)
{
    char *at = w->rest + strspn(w->rest, "/");
    size_t len = strcspn(at, "/");

    if (len == 0)
        return false;
    if (len > NAME_MAX) {
        *r = -ENAMETOOLONG;
        return false;
    }
    memcpy(name, at, len);
    name[len] = '\0';
    memmove(w->rest, at + len, strlen(at + len) + 1);
    return true;
}

static int walk_to(const char *path, struct ofs_err *err)
{
    OFS_AUTO(walk_done) struct walk w = { .err = err };
    char name[NAME_MAX + 1];
    int r = 0;

    w.fd = open(path[0] == '/' ? "/" : ".", OPEN_DIR | O_CLOEXEC);
    if (w.fd < 0)
        return -errno;
    if (strlen(path) >= sizeof(w.rest))
        return -ENAMETOOLONG;
    memcpy(w.rest, path, strlen(path) + 1);
    while (r == 0 && next_name(&w, name, &r))
        r = strcmp(name, ".") == 0 ? 0 : step(&w, name);
    return r < 0 ? r : ofs_take_fd(&w.fd);
}

int ofs_safe_dir(const char *path, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r;

    if (geteuid() == 0) {
        r = path[0] ? walk_to(path, &why) : -ENOENT;
    } else {
        r = ofs_mkdirs(path);
        if (r == 0)
            r = open(path, OPEN_DIR | O_CLOEXEC);
        if (r == -1)
            r = -errno;
    }
    if (r >= 0)
        return r;
    return ofs_err_set(err, r, "%s", why.code ? why.text : strerror(-r));
}
