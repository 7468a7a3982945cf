/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TREE_RIG_H
#define OFS_TREE_RIG_H

/*
 * A tree on a real store and a real registry client on a fake registry, with
 * a clock of its own: time passes for the tree when the test says so.  Paths
 * are walked as the kernel walks them, without a cache of its own.
 */

#include "registry_rig.h"

#include "ocirfs/mediatype.h"
#include "ocirfs/push.h"
#include "ocirfs/store.h"
#include "ocirfs/tree_write.h"

#include <ftw.h>
#include <sys/stat.h>

enum {
    TRIG_TTL_MS = 10000,
    TRIG_NEGATIVE_MS = 1000,
    /* 2026-01-05T21:31:40Z: when the fake's images were created */
    TRIG_CREATED_S = 1767648700,
};

struct trig_clock {
    struct ofs_clock base;
    _Atomic int64_t now_ms;
};

struct trig;

struct trig_cfg {
    struct rig_cfg rig;
    struct ofs_strv repos; /* not owned */
    bool no_ttl;
    const struct ofs_control_file *control;
    bool writable, allow_delete, no_overwrite;
    uid_t uid;
    gid_t gid;
    mode_t umask;
    /* Called before each mount: the control plane; NULL: none. */
    const struct ofs_ocir_cfg *(*ocir)(struct trig *t);
};

struct trig {
    struct rig rig;
    struct trig_cfg cfg;
    struct fake_registry *fake; /* as rig.fake */
    struct fake_server *server; /* as rig.server */
    struct trig_clock clock;
    char dir[64];
    struct ofs_store *store;
    struct ofs_tree *tree;
    struct ofs_push *push; /* NULL: not writable */
    struct ofs_call call;
    struct ofs_err err;
    struct ofs_mutex mtx;  /* guards what was told */
    struct ofs_buf warned; /* a sentence a line */
};

static inline void trig_warn(void *arg, const char *sentence)
{
    struct trig *t = arg;

    OFS_GUARD(&t->mtx);
    (void)ofs_buf_addf(&t->warned, "%s\n", sentence);
}

/* Sentences that were told and have the word. */
static inline unsigned trig_told(struct trig *t, const char *word)
{
    unsigned n = 0;

    OFS_GUARD(&t->mtx);
    for (const char *p = ofs_buf_str(&t->warned); (p = strstr(p, word)); p++)
        n++;
    return n;
}

static inline int64_t trig_now(const struct ofs_clock *clock)
{
    /* The clock is the first member of its struct. */
    return atomic_load(
        &((struct trig_clock *)(uintptr_t)(const void *)clock)->now_ms);
}

static inline void trig_pass(struct trig *t, int64_t ms)
{
    atomic_fetch_add(&t->clock.now_ms, ms);
}

static inline int trig_remove_one(const char *path, const struct stat *st,
                                  int type, struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void trig_make_writable(struct trig *t)
{
    char dir[80];
    struct ofs_push_cfg cfg = {
        .registry = t->rig.r,
        .store = t->store,
        .dir = dir,
        .url = "http://fake.test",
        .no_overwrite = t->cfg.no_overwrite,
        .clock = &ofs_system_clock,
    };

    (void)snprintf(dir, sizeof(dir), "%s/staging", t->dir);
    ofs_tree_push_hooks(t->tree, &cfg.hooks);
    assert_int_equal(ofs_push_open(&cfg, &t->push, &t->err), 0);
    ofs_tree_use_push(t->tree, t->push);
}

/* The upper half: what goes with a mount. */
static inline void trig_mount(struct trig *t)
{
    const struct ofs_store_cfg store = {
        .dir = t->dir,
        .clock = &ofs_system_clock,
    };
    const struct ofs_tree_cfg tree = {
        .registry = t->rig.r,
        .clock = &t->clock.base,
        .repos = &t->cfg.repos,
        .ttl_ms = t->cfg.no_ttl ? 0 : TRIG_TTL_MS,
        .negative_ttl_ms = t->cfg.no_ttl ? 0 : TRIG_NEGATIVE_MS,
        .uid = t->cfg.uid,
        .gid = t->cfg.gid,
        .umask = t->cfg.umask,
        .allow_delete = t->cfg.allow_delete,
        .control = t->cfg.control,
        .warn = trig_warn,
        .warn_arg = t,
        .url = "http://fake.test",
    };
    struct ofs_tree_cfg with_store = tree;

    assert_int_equal(ofs_store_open(&store, &t->store, &t->err), 0);
    assert_int_equal(ofs_store_start(t->store, &t->err), 0);
    with_store.store = t->store;
    if (t->cfg.ocir)
        with_store.ocir = *t->cfg.ocir(t);
    t->tree = ofs_tree_new(&with_store, &t->err);
    assert_non_null(t->tree);
    if (t->cfg.writable)
        trig_make_writable(t);
    assert_int_equal(ofs_tree_start(t->tree, &t->err), 0);
    if (t->push)
        assert_int_equal(ofs_push_start(t->push, &t->err), 0);
}

static inline void trig_unmount(struct trig *t)
{
    if (t->push)
        ofs_push_stop(t->push);
    ofs_tree_stop(t->tree);
    ofs_store_stop(t->store);
    ofs_tree_free(t->tree);
    ofs_push_free(t->push);
    t->push = NULL;
    ofs_store_free(t->store);
}

static inline void trig_start(struct trig *t, const struct trig_cfg *cfg)
{
    struct rig_cfg rig = { .max_attempts = 1, .probe_ms = 20 };

    memset(t, 0, sizeof(*t));
    if (cfg) {
        t->cfg = *cfg;
        rig.fake = cfg->rig.fake;
        rig.stall_ms = cfg->rig.stall_ms;
    }
    rig_start(&t->rig, &rig);
    t->fake = t->rig.fake;
    t->server = t->rig.server;
    ofs_mutex_init(&t->mtx, OFS_RANK_LOG);
    ofs_buf_init(&t->warned, 1 << 20);
    t->clock.base.mono_ms = trig_now;
    atomic_init(&t->clock.now_ms, 1000000);
    (void)snprintf(t->dir, sizeof(t->dir), "/tmp/ocirfs-tree-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    ofs_call_init(&t->call, RIG_CALL_MS);
    trig_mount(t);
}

static inline void trig_stop(struct trig *t)
{
    if (t->tree)
        trig_unmount(t);
    ofs_call_done(&t->call);
    ofs_buf_done(&t->warned);
    ofs_mutex_done(&t->mtx);
    rig_stop(&t->rig);
    (void)nftw(t->dir, trig_remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

#define TRIG_AUTO OFS_AUTO(trig_stop)

/* Requests since the last clear, by pattern ("* *": all). */
static inline unsigned trig_count(struct trig *t, const char *match)
{
    return fake_server_count(t->server, match);
}

static inline unsigned trig_requests(struct trig *t)
{
    return trig_count(t, "* *");
}

static inline void trig_clear(struct trig *t)
{
    fake_server_clear(t->server);
}

/* Take the next component of *path into `name`; false at the end. */
static inline bool trig_next(const char **path, char name[512])
{
    size_t len;

    *path += strspn(*path, "/");
    len = strcspn(*path, "/");
    if (len == 0)
        return false;
    (void)snprintf(name, 512, "%.*s", (int)len, *path);
    *path += len;
    return true;
}

/* Walk to a path; the errno of what stopped it. */
static inline int trig_walk(struct trig *t, const char *path,
                            struct ofs_entry *ret)
{
    struct ofs_entry e = { .attr = { .ino = OFS_ROOT_INO } };
    char name[512];

    while (trig_next(&path, name)) {
        int r =
            ofs_tree_lookup(t->tree, &t->call, e.attr.ino, name, &e, &t->err);

        if (r < 0)
            return r;
        if (e.attr.ino == 0)
            return -ENOENT;
    }
    if (e.attr.ino == OFS_ROOT_INO)
        assert_int_equal(
            ofs_tree_getattr(t->tree, &t->call, OFS_ROOT_INO, &e.attr, &t->err),
            0);
    *ret = e;
    return 0;
}

static inline struct ofs_entry trig_stat(struct trig *t, const char *path)
{
    struct ofs_entry e = { .valid_ms = 0 };
    int r = trig_walk(t, path, &e);

    if (r < 0)
        fail_msg("%s: %d %s", path, r, t->err.text);
    return e;
}

static inline bool trig_exists(struct trig *t, const char *path)
{
    struct ofs_entry e;
    int r = trig_walk(t, path, &e);

    if (r < 0 && r != -ENOENT)
        fail_msg("%s: %d %s", path, r, t->err.text);
    return r == 0;
}

/* The names of a directory without "." and "..", sorted; or its errno. */
static inline int trig_list(struct trig *t, const char *path,
                            struct ofs_strv *ret)
{
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = NULL;
    struct ofs_entry e;
    struct ofs_dirent de;
    int r = trig_walk(t, path, &e);

    if (r == 0)
        r = ofs_tree_opendir(t->tree, &t->call, e.attr.ino, &d, &t->err);
    if (r < 0)
        return r;
    for (size_t i = 0; ofs_dir_get(d, i, &de); i++)
        if (i < 2)
            assert_string_equal(de.name, i ? ".." : ".");
        else
            assert_int_equal(ofs_strv_add(ret, de.name), 0);
    ofs_strv_sort(ret);
    return 0;
}

/* "a b c" */
static inline void trig_ls_is(struct trig *t, const char *path,
                              const char *want)
{
    OFS_AUTOBUF struct ofs_buf line = OFS_BUF_INIT(1 << 20);
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    int r = trig_list(t, path, &names);

    if (r < 0)
        fail_msg("%s: %d %s", path, r, t->err.text);
    for (size_t i = 0; i < names.n; i++)
        (void)ofs_buf_addf(&line, "%s%s", i ? " " : "", names.at[i]);
    assert_string_equal(ofs_buf_str(&line), want);
}

/* The whole file by its inode; the errno of what failed. */
static inline int trig_read_ino(struct trig *t, uint64_t ino,
                                struct ofs_buf *ret)
{
    OFS_AUTO(ofs_file_closep) struct ofs_file *f = NULL;
    struct ofs_open_how how;
    char piece[4096];
    size_t n = 1;
    int r = ofs_tree_open(t->tree, &t->call, ino, &f, &how, &t->err);

    while (r == 0 && n > 0) {
        r = ofs_file_pread(f, &t->call, piece, sizeof(piece), ret->len, &n,
                           &t->err);
        if (r == 0)
            assert_int_equal(ofs_buf_add(ret, piece, n), 0);
    }
    return r;
}

/* As the kernel does: a name whose inode is stale is looked up once more. */
static inline int trig_read(struct trig *t, const char *path,
                            struct ofs_buf *ret)
{
    int r = -ESTALE;

    for (int i = 0; r == -ESTALE && i < 2; i++) {
        struct ofs_entry e;

        r = trig_walk(t, path, &e);
        if (r == 0)
            r = trig_read_ino(t, e.attr.ino, ret);
    }
    return r;
}

/* Read it; the size of its stat and its digest are as they should be. */
static inline void trig_reads(struct trig *t, const char *path,
                              const struct ofs_digest *want)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(64 << 20);
    struct ofs_entry e = trig_stat(t, path);
    struct ofs_digest d;
    int r = trig_read(t, path, &b);

    if (r < 0)
        fail_msg("%s: %d %s", path, r, t->err.text);
    assert_int_equal(b.len, e.attr.size);
    assert_int_equal(ofs_digest_of(want->alg, b.data, b.len, &d), 0);
    if (!ofs_digest_eq(&d, want))
        fail_msg("%s has other bytes", path);
}

static inline const char *trig_hex(const struct ofs_digest *d,
                                   char text[OFS_DIGEST_TEXT_MAX])
{
    return strchr(ofs_digest_format(d, text), ':') + 1;
}

/* "REPO/blobs/sha256/<hex>" */
static inline const char *
trig_blob_path(const char *repo, const struct ofs_digest *d, char path[512])
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)snprintf(path, 512, "%s/blobs/%s/%s", repo, ofs_digest_alg_name(d),
                   trig_hex(d, text));
    return path;
}

/* A manifest of our own writing. */
static inline struct ofs_digest trig_manifest(struct trig *t, const char *repo,
                                              const char *tag,
                                              const char *media_type,
                                              const char *json)
{
    struct ofs_digest d =
        fake_registry_manifest(t->fake, repo, media_type, json, strlen(json));

    if (tag)
        fake_registry_tag(t->fake, repo, tag, &d, 0);
    return d;
}

/* An index of these manifests. */
static inline struct ofs_digest trig_index(struct trig *t, const char *repo,
                                           const char *tag,
                                           const struct fake_image *images,
                                           size_t n)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_adds(&b, "{\"schemaVersion\":2,\"manifests\":[");
    for (size_t i = 0; i < n; i++)
        (void)ofs_buf_addf(&b,
                           "%s{\"mediaType\":\"" OFS_MT_OCI_MANIFEST
                           "\",\"digest\":\"%s\",\"size\":%zu}",
                           i ? "," : "",
                           ofs_digest_format(&images[i].manifest, text),
                           images[i].manifest_size);
    (void)ofs_buf_adds(&b, "]}");
    return trig_manifest(t, repo, tag, OFS_MT_OCI_INDEX, ofs_buf_str(&b));
}

#endif
