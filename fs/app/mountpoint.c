/* SPDX-License-Identifier: Apache-2.0 */
#include "mountpoint.h"

#include <dirent.h>
#include <stdbool.h>
#include <sys/stat.h>

static int mountpoint_error(const char *path, int code, struct ofs_err *err)
{
    switch (code) {
    case ENOENT:
        return ofs_err_set(err, -EINVAL, "mount point '%s' does not exist",
                           path);
    case ENOTDIR:
        return ofs_err_set(err, -EINVAL, "mount point '%s' is no directory",
                           path);
    case ENOTCONN:
        return ofs_err_set(err, -EINVAL,
                           "mount point '%s' is a dead mount; end it with "
                           "'umount %s' first",
                           path, path);
    default:
        return ofs_err_set(err, -EINVAL, "mount point '%s': %s", path,
                           strerror(code));
    }
}

static bool is_dot(const char *name)
{
    return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int check_empty(const char *path, struct ofs_err *err)
{
    DIR *dir = opendir(path);
    struct dirent *e;
    int r = 0;

    if (!dir)
        return mountpoint_error(path, errno, err);
    while (r == 0 && (e = readdir(dir)))
        if (!is_dot(e->d_name))
            r = ofs_err_set(err, -EINVAL,
                            "mount point '%s' is not empty ('%s' is in it)",
                            path, e->d_name);
    (void)closedir(dir);
    return r;
}

int ofs_mountpoint_check(const char *path, char **ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *full = realpath(path, NULL);
    struct stat st;
    int r;

    if (!full || stat(full, &st) < 0)
        return mountpoint_error(path, errno, err);
    if (!S_ISDIR(st.st_mode))
        return mountpoint_error(path, ENOTDIR, err);
    r = check_empty(full, err);
    if (r < 0)
        return r;
    if (access("/dev/fuse", F_OK) < 0)
        return ofs_err_set(err, -EINVAL,
                           "FUSE is not available: /dev/fuse: %s; try "
                           "'modprobe fuse'",
                           strerror(errno));
    *ret = ofs_take(&full);
    return 0;
}
