/* SPDX-License-Identifier: Apache-2.0 */

/* Data that did not have its digest, kept for whoever wants to know why:
 * <hex>.<seconds since 1970>.<number>.  A few, and not much of it. */

#include "cachedir.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

struct census {
    size_t n;
    uint64_t bytes;
    int64_t oldest_s;
    char oldest[NAME_MAX + 1];
};

static void take_census(int dirfd, DIR *d, struct census *ret)
{
    struct dirent *e;
    struct stat st;

    *ret = (struct census){ 0 };
    rewinddir(d);
    while ((e = readdir(d))) {
        if (e->d_name[0] == '.' ||
            fstatat(dirfd, e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        ret->n++;
        ret->bytes += (uint64_t)st.st_blocks * 512;
        /* The rename that brought it here is its ctime. */
        if (ret->oldest[0] && st.st_ctime >= ret->oldest_s)
            continue;
        ret->oldest_s = st.st_ctime;
        (void)snprintf(ret->oldest, sizeof(ret->oldest), "%s", e->d_name);
    }
}

size_t ofs_quarantine_trim(struct ofs_cachedir *c)
{
    int fd =
        openat(c->files.quarantine_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct census found;

    if (!d) {
        ofs_closep(&fd);
        return 0;
    }
    for (;;) {
        take_census(fd, d, &found);
        if ((found.n <= c->cfg.max_quarantined &&
             found.bytes <= c->cfg.max_quarantine_bytes) ||
            found.n == 0 || unlinkat(fd, found.oldest, 0) < 0)
            break;
    }
    (void)closedir(d);
    return found.n;
}
