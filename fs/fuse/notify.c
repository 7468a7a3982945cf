/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we tell the kernel unasked.
 *
 * Dropping pages waits for the reads of those pages that are under way, and
 * such a read may wait for the very thread that found the damage.  So it is
 * done by a thread of its own, after the readers were woken with their error.
 */
#include "ops_priv.h"

#include "ocirfs/digest.h"
#include "ocirfs/log.h"

#include <fcntl.h>
#include <stdio.h>

enum { MAX_INODES_OF_A_BLOB = 64 };

struct drop {
    struct ofs_session *session;
    struct ofs_digest digest;
};

static void drop_pages(void *arg)
{
    struct drop *d = arg;
    uint64_t inodes[MAX_INODES_OF_A_BLOB];
    size_t n = ofs_tree_inodes_of(d->session->tree, &d->digest, inodes,
                                  MAX_INODES_OF_A_BLOB);

    for (size_t i = 0; i < n; i++)
        (void)fuse_lowlevel_notify_inval_inode(d->session->fuse, inodes[i], 0,
                                               0);
    free(d);
}

void ofs_session_drop_pages(struct ofs_session *s,
                            const struct ofs_digest *digest)
{
    struct drop *d = malloc(sizeof(*d));

    if (!d)
        return;
    *d = (struct drop){ .session = s, .digest = *digest };
    if (ofs_workers_add(s->notifier, drop_pages, d) < 0)
        free(d);
}

/* Decode the octal escapes of /proc/self/mountinfo in place. */
static void unescape(char *s)
{
    char *to = s;

    while (*s) {
        if (s[0] == '\\' && s[1] && s[2] && s[3]) {
            *to++ = (char)((s[1] - '0') * 64 + (s[2] - '0') * 8 + s[3] - '0');
            s += 4;
        } else {
            *to++ = *s++;
        }
    }
    *to = '\0';
}

/* "36 35 0:61 / /mnt/reg rw,..." -> "0:61" when the mount point is ours. */
static bool device_of(char *line, const char *mountpoint, char device[32])
{
    char *field[5];

    for (size_t i = 0; i < OFS_COUNT_OF(field); i++) {
        field[i] = strsep(&line, " ");
        if (!field[i])
            return false;
    }
    unescape(field[4]);
    if (strcmp(field[4], mountpoint) != 0)
        return false;
    return snprintf(device, 32, "%s", field[2]) < 32;
}

static bool find_device(const char *mountpoint, char device[32])
{
    FILE *f = fopen("/proc/self/mountinfo", "re");
    OFS_AUTOFREE char *line = NULL;
    bool found = false;
    size_t room = 0;

    if (!f)
        return false;
    while (getline(&line, &room, f) > 0)
        if (device_of(line, mountpoint, device))
            found = true; /* the last one lies on top */
    (void)fclose(f);
    return found;
}

/*
 * The kernel reads ahead 128 KiB unless its bdi says otherwise, and FUSE may
 * only lower that in the INIT answer.  Root can raise it; others live with it.
 */
void ofs_raise_readahead(const struct ofs_session *s)
{
    char device[32], path[80], value[16];
    int fd, n;

    if (!find_device(s->mountpoint, device))
        return;
    (void)snprintf(path, sizeof(path), "/sys/class/bdi/%s/read_ahead_kb",
                   device);
    fd = open(path, O_WRONLY | O_CLOEXEC);
    if (fd < 0)
        return;
    n = snprintf(value, sizeof(value), "%u\n", s->max_readahead_bytes / 1024);
    if (write(fd, value, (size_t)n) != n)
        ofs_log(OFS_DEBUG, "ops: read-ahead stays at the kernel's default");
    (void)close(fd);
}
