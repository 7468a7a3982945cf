/* SPDX-License-Identifier: Apache-2.0 */
#include "cachedir.h"

#include "ocirfs/file.h"
#include "ocirfs/safedir.h"

#include <fcntl.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

/* Without the kernel's word nothing of before is believed. */
static int find_boot_id(struct ofs_cachedir *c)
{
    struct ofs_buf text OFS_AUTOBUF = OFS_BUF_INIT(64);

    if (c->cfg.boot_id)
        (void)ofs_buf_adds(&text, c->cfg.boot_id);
    else if (ofs_file_read(AT_FDCWD, "/proc/sys/kernel/random/boot_id", &text) <
             0)
        ofs_buf_reset(&text);
    if (ofs_boot_id_parse(ofs_buf_str(&text), c->files.boot_id) < 0 &&
        getrandom(c->files.boot_id, OFS_BOOT_ID_LEN, 0) != OFS_BOOT_ID_LEN)
        return -EIO;
    return 0;
}

static int open_dirs(struct ofs_cachedir *c, struct ofs_err *err)
{
    OFS_AUTOCLOSE int top = ofs_safe_dir(c->dir, err);

    if (top < 0)
        return ofs_err_wrap(err, top, c->dir);
    c->root_fd = ofs_private_dir(top, "v1", err);
    if (c->root_fd >= 0)
        c->files.blobs_fd = ofs_private_dir(c->root_fd, "blobs", err);
    if (c->files.blobs_fd >= 0)
        c->notes_fd = ofs_private_dir(c->root_fd, "notes", err);
    if (c->notes_fd >= 0)
        c->small.fd = ofs_private_dir(c->root_fd, "small", err);
    if (c->small.fd >= 0)
        c->files.quarantine_fd = ofs_private_dir(c->root_fd, "quarantine", err);
    if (c->files.quarantine_fd < 0)
        return ofs_err_wrap(err, err && err->code ? err->code : -EIO, c->dir);
    return 0;
}

void ofs_cachedir_disk(struct ofs_cachedir *c, struct ofs_disk *ret)
{
    struct statvfs v;

    *ret = (struct ofs_disk){ 0 };
    if (c->cfg.disk) {
        c->cfg.disk(c->cfg.arg, ret);
    } else if (fstatvfs(c->files.blobs_fd, &v) == 0) {
        ret->size = (uint64_t)v.f_blocks * v.f_frsize;
        ret->free = (uint64_t)v.f_bavail * v.f_frsize;
    }
}

static void look_at_disk(void *arg, struct ofs_disk *ret)
{
    ofs_cachedir_disk(arg, ret);
}

static void make_room(void *arg)
{
    struct ofs_cachedir *c = arg;

    ofs_thread_kick(&c->evictor);
}

static void init_space(struct ofs_cachedir *c)
{
    struct ofs_space_cfg cfg = {
        .max_bytes = c->cfg.max_bytes,
        .min_free_pct = c->cfg.min_free_pct,
        .retry_ms = c->cfg.retry_ms,
        .clock = c->cfg.clock,
        .disk = look_at_disk,
        .make_room = make_room,
        .arg = c,
    };

    ofs_space_init(&c->space, &cfg);
}

static void init(struct ofs_cachedir *c, const struct ofs_cachedir_cfg *cfg)
{
    *c = (struct ofs_cachedir){ .cfg = *cfg, .root_fd = -1, .notes_fd = -1 };
    c->files.blobs_fd = c->files.quarantine_fd = -1;
    init_space(c);
    ofs_thread_init(&c->evictor);
    ofs_small_init(&c->small);
    c->dir = strdup(cfg->dir);
    c->cfg.dir = c->dir;
}

int ofs_cachedir_open(struct ofs_cachedir *c,
                      const struct ofs_cachedir_cfg *cfg, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    int r;

    init(c, cfg);
    if (!c->dir || !c->small.queued)
        return ofs_err_nomem(err, "the cache");
    r = find_boot_id(c);
    if (r < 0)
        return ofs_err_set(err, r, "the system has no random numbers");
    r = open_dirs(c, &why);
    if (r < 0) {
        if (err)
            *err = why;
        return r;
    }
    atomic_store(&c->n_quarantined, ofs_quarantine_trim(c));
    return 0;
}

int ofs_cachedir_start(struct ofs_cachedir *c)
{
    int r = ofs_thread_start(&c->evictor, "ofs-evict", ofs_evictor_run, c);

    return r < 0 ? r : ofs_small_start(&c->small);
}

void ofs_cachedir_stop(struct ofs_cachedir *c)
{
    ofs_small_stop(&c->small);
    ofs_thread_stop(&c->evictor);
}

void ofs_cachedir_done(struct ofs_cachedir *c)
{
    ofs_small_done(&c->small);
    ofs_thread_done(&c->evictor);
    ofs_closep(&c->root_fd);
    ofs_closep(&c->files.blobs_fd);
    ofs_closep(&c->notes_fd);
    ofs_closep(&c->files.quarantine_fd);
    free(c->dir);
}
