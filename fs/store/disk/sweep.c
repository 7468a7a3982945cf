/* SPDX-License-Identifier: Apache-2.0 */

/* Walks over the directories of the cache: counts, finds what was used
 * longest ago, and removes what killed processes and old times left. */

#include "cachedir.h"
#include "lru.h"

#include "ocirfs/file.h"
#include "ocirfs/str.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum {
    TMP_AGE_S = 3600, /* by then its process has ended or failed */
    DAY_S = 24 * 3600,
    FLAT_DAYS = 30,
    FLAT_REMEMBERED = 1024,
    SMALL_SHARE = 8, /* of the cache's limit */
};
#define NOTES_MAX_BYTES ((uint64_t)64 << 20)
#define SMALL_MAX_BYTES ((uint64_t)256 << 20)

struct sweep {
    struct ofs_cachedir *cache;
    const char *alg;
    int dirfd; /* of the directory walked over */
    int64_t now_s;
    uint64_t bytes; /* of disk, so far */
    struct ofs_lru *lru;
};

typedef void visit_fn(struct sweep *sw, const char *name);

static void walk(struct sweep *sw, int parent, const char *dir, visit_fn *visit)
{
    int fd = openat(parent, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), outer;
    DIR *d = fd < 0 ? NULL : fdopendir(fd);
    struct dirent *e;

    if (!d) {
        ofs_closep(&fd);
        return;
    }
    outer = sw->dirfd;
    sw->dirfd = fd;
    while ((e = readdir(d)) && !ofs_thread_is_stopping(&sw->cache->evictor))
        if (e->d_name[0] != '.' ||
            ofs_str_starts(e->d_name, OFS_FILE_TMP_PREFIX))
            visit(sw, e->d_name);
    sw->dirfd = outer;
    (void)closedir(d);
}

static bool stat_of(const struct sweep *sw, const char *name, struct stat *st)
{
    return fstatat(sw->dirfd, name, st, AT_SYMLINK_NOFOLLOW) == 0;
}

static uint64_t disk_bytes(const struct stat *st)
{
    return (uint64_t)st->st_blocks * 512;
}

static bool is_older(const struct sweep *sw, const struct stat *st, int64_t s)
{
    return sw->now_s - st->st_mtime > s;
}

/* The name without its last `cut` characters; false: it is no digest. */
static bool digest_of_name(const struct sweep *sw, const char *name, size_t cut,
                           char hex[129], struct ofs_digest *ret)
{
    size_t len = strlen(name);

    if (len <= cut || len - cut > 128)
        return false;
    memcpy(hex, name, len - cut);
    hex[len - cut] = '\0';
    return ofs_digest_parse_hex(sw->alg, hex, ret) == 0;
}

static void visit_map(struct sweep *sw, const char *name)
{
    struct ofs_lru_item item = { 0 };
    struct stat map, data;
    char hex[129];

    if (!digest_of_name(sw, name, 4, hex, &item.digest) ||
        !stat_of(sw, name, &map))
        return;
    item.used_s = map.st_mtime;
    item.bytes = disk_bytes(&map);
    sw->bytes += item.bytes;
    if (stat_of(sw, hex, &data))
        item.bytes += disk_bytes(&data);
    ofs_lru_offer(sw->lru, &item);
}

static void visit_sums(struct sweep *sw, const char *name)
{
    int64_t days = sw->cache->cfg.sums_days;
    struct ofs_digest digest;
    struct stat sums, data;
    char hex[129];

    if (!digest_of_name(sw, name, 5, hex, &digest) || !stat_of(sw, name, &sums))
        return;
    if (is_older(sw, &sums, days * DAY_S) && !stat_of(sw, hex, &data))
        (void)unlinkat(sw->dirfd, name, 0);
    else
        sw->bytes += disk_bytes(&sums);
}

/* Data without a map is what a killed process left of a removal. */
static void visit_data(struct sweep *sw, const char *name)
{
    struct ofs_digest digest;
    struct stat data, map;
    uint64_t freed;
    char hex[129 + 4];

    if (!digest_of_name(sw, name, 0, hex, &digest) || !stat_of(sw, name, &data))
        return;
    sw->bytes += disk_bytes(&data);
    memcpy(hex + strlen(hex), ".map", 5);
    if (!stat_of(sw, hex, &map) && is_older(sw, &data, TMP_AGE_S) &&
        ofs_blobfile_remove(&sw->cache->files, &digest, &freed) == 0)
        sw->bytes -= freed < sw->bytes ? freed : sw->bytes;
}

static bool swept_tmp(struct sweep *sw, const char *name)
{
    struct stat st;

    if (!ofs_str_starts(name, OFS_FILE_TMP_PREFIX))
        return false;
    if (stat_of(sw, name, &st) && is_older(sw, &st, TMP_AGE_S))
        (void)unlinkat(sw->dirfd, name, 0);
    return true;
}

static void visit_file(struct sweep *sw, const char *name)
{
    if (swept_tmp(sw, name))
        return;
    if (ofs_str_ends(name, ".map"))
        visit_map(sw, name);
    else if (ofs_str_ends(name, ".sums"))
        visit_sums(sw, name);
    else
        visit_data(sw, name);
}

static void visit_prefix(struct sweep *sw, const char *name)
{
    walk(sw, sw->dirfd, name, visit_file);
}

uint64_t ofs_sweep_blobs(struct ofs_cachedir *c, struct ofs_lru *lru)
{
    static const char *const algs[] = { "sha256", "sha512" };
    struct sweep sw = { .cache = c, .lru = lru, .now_s = ofs_wall_s() };

    for (size_t i = 0; i < OFS_COUNT_OF(algs); i++) {
        sw.alg = algs[i];
        walk(&sw, c->files.blobs_fd, algs[i], visit_prefix);
    }
    return sw.bytes;
}

/* ---- notes and small objects: one file each, in one directory ---- */

/* A note's name is the hex of its key's digest, a small object's its digest. */
static bool digest_of_flat(const char *name, struct ofs_digest *ret)
{
    return strchr(name, ':') ? ofs_digest_parse(name, ret, NULL) == 0
                             : ofs_digest_parse_hex("sha256", name, ret) == 0;
}

static void visit_flat(struct sweep *sw, const char *name)
{
    struct ofs_lru_item item = { 0 };
    struct stat st;

    if (swept_tmp(sw, name) || !stat_of(sw, name, &st) ||
        !digest_of_flat(name, &item.digest))
        return;
    if (is_older(sw, &st, (int64_t)FLAT_DAYS * DAY_S)) {
        (void)unlinkat(sw->dirfd, name, 0);
        return;
    }
    item.used_s = st.st_mtime;
    item.bytes = disk_bytes(&st);
    sw->bytes += item.bytes;
    ofs_lru_offer(sw->lru, &item);
}

/* Bytes that are left; at most FLAT_REMEMBERED files go in one round. */
static uint64_t sweep_flat(struct ofs_cachedir *c, const char *dir, int dirfd,
                           bool hex_only, uint64_t max_bytes)
{
    OFS_AUTOFREE struct ofs_lru_item *items =
        calloc(FLAT_REMEMBERED, sizeof(*items));
    struct ofs_lru lru = { .items = items, .room = FLAT_REMEMBERED };
    struct sweep sw = { .cache = c, .lru = &lru, .now_s = ofs_wall_s() };
    char text[OFS_DIGEST_TEXT_MAX];

    if (!items)
        return 0;
    walk(&sw, c->root_fd, dir, visit_flat);
    ofs_lru_sort(&lru);
    for (size_t i = 0; i < lru.n && sw.bytes > max_bytes; i++) {
        const char *name = ofs_digest_format(&items[i].digest, text);

        if (unlinkat(dirfd, hex_only ? strchr(name, ':') + 1 : name, 0) == 0)
            sw.bytes -= items[i].bytes;
    }
    return sw.bytes;
}

void ofs_sweep_notes(struct ofs_cachedir *c)
{
    (void)sweep_flat(c, "notes", c->notes_fd, /* hex_only= */ true,
                     NOTES_MAX_BYTES);
}

uint64_t ofs_sweep_small(struct ofs_cachedir *c)
{
    uint64_t most = c->cfg.max_bytes / SMALL_SHARE;

    if (most == 0 || most > SMALL_MAX_BYTES)
        most = SMALL_MAX_BYTES;
    return sweep_flat(c, "small", c->small.fd, /* hex_only= */ false, most);
}
