/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_WRITE_RIG_H
#define OFS_WRITE_RIG_H

/*
 * What programs do to a mount, system call by system call, on a writable tree:
 * names are looked up before they are made, as the kernel does it.
 */

#include "tree_rig.h"

/* A writable tree; `cfg` may be NULL. */
static inline void wrig_start(struct trig *t, const struct trig_cfg *cfg)
{
    struct trig_cfg mine = cfg ? *cfg : (struct trig_cfg){ 0 };

    mine.writable = true;
    trig_start(t, &mine);
}

/* The directory of a path, and its last part (borrowed from `path`). */
static inline int wrig_split(struct trig *t, const char *path, uint64_t *ret,
                             const char **ret_name)
{
    const char *slash = strrchr(path, '/');
    char above[512];
    struct ofs_entry e = { .attr = { .ino = OFS_ROOT_INO } };
    int r;

    (void)snprintf(above, sizeof(above), "%.*s",
                   slash ? (int)(slash - path) : 0, path);
    r = trig_walk(t, above, &e);
    *ret = e.attr.ino;
    *ret_name = slash ? slash + 1 : path;
    return r;
}

static inline int wrig_mkdir(struct trig *t, const char *path)
{
    struct ofs_entry e;
    const char *name;
    uint64_t dir;
    int r = wrig_split(t, path, &dir, &name);

    if (r == 0 && trig_exists(t, path))
        return -EEXIST;
    if (r == 0)
        r = ofs_tree_mkdir(t->tree, &t->call, dir, name, 0755, &e, &t->err);
    return r;
}

static inline int wrig_unlink(struct trig *t, const char *path)
{
    const char *name;
    uint64_t dir;
    int r = wrig_split(t, path, &dir, &name);

    return r < 0 ? r : ofs_tree_unlink(t->tree, &t->call, dir, name, &t->err);
}

static inline int wrig_rmdir(struct trig *t, const char *path)
{
    const char *name;
    uint64_t dir;
    int r = wrig_split(t, path, &dir, &name);

    return r < 0 ? r : ofs_tree_rmdir(t->tree, &t->call, dir, name, &t->err);
}

static inline int wrig_rename(struct trig *t, const char *from, const char *to)
{
    const char *from_name, *to_name;
    uint64_t from_dir, to_dir;
    int r = wrig_split(t, from, &from_dir, &from_name);

    if (r == 0)
        r = wrig_split(t, to, &to_dir, &to_name);
    if (r == 0)
        r = ofs_tree_rename(t->tree, &t->call, from_dir, from_name, to_dir,
                            to_name, 0, &t->err);
    return r;
}

static inline int wrig_link(struct trig *t, const char *from, const char *to)
{
    struct ofs_entry e, made;
    const char *name;
    uint64_t dir;
    int r = trig_walk(t, from, &e);

    if (r == 0)
        r = wrig_split(t, to, &dir, &name);
    if (r == 0)
        r = ofs_tree_link(t->tree, &t->call, e.attr.ino, dir, name, &made,
                          &t->err);
    return r;
}

/* O_WRONLY | O_CREAT, and O_TRUNC or not; as the kernel does it. */
static inline int wrig_open(struct trig *t, const char *path, bool truncate,
                            struct ofs_file **ret)
{
    int r = -ESTALE;

    for (int i = 0; r == -ESTALE && i < 2; i++) {
        struct ofs_open_how how;
        struct ofs_created made;
        struct ofs_entry e;
        const char *name;
        uint64_t dir;

        r = trig_walk(t, path, &e);
        if (r == 0) {
            r = ofs_tree_open_write(t->tree, &t->call, e.attr.ino, truncate,
                                    ret, &how, &t->err);
            continue;
        }
        if (r == -ENOENT)
            r = wrig_split(t, path, &dir, &name);
        if (r == 0)
            r = ofs_tree_create(t->tree, &t->call, dir, name, 0644, &made,
                                &t->err);
        if (r == 0)
            *ret = made.file;
    }
    return r;
}

static inline int wrig_put(struct trig *t, struct ofs_file *f,
                           const void *bytes, size_t len)
{
    enum { PIECE = 128 * 1024 };
    int r = 0;

    for (size_t off = 0; r == 0 && off < len; off += PIECE)
        r = ofs_file_pwrite(f, &t->call, (const char *)bytes + off,
                            len - off < PIECE ? len - off : PIECE, off,
                            &t->err);
    return r;
}

/* close(): what it says, and the file is closed in any case. */
static inline int wrig_close(struct trig *t, struct ofs_file *f)
{
    int r = ofs_file_flush(f, &t->call, &t->err);

    ofs_file_close(f);
    return r;
}

/* open, write, close */
static inline int wrig_write(struct trig *t, const char *path,
                             const void *bytes, size_t len)
{
    struct ofs_file *f = NULL;
    int r = wrig_open(t, path, /* truncate= */ true, &f);

    if (r < 0)
        return r;
    r = wrig_put(t, f, bytes, len);
    if (r == 0)
        return wrig_close(t, f);
    ofs_file_close(f);
    return r;
}

/* cp by copy_file_range. */
static inline int wrig_copy(struct trig *t, const char *from, const char *to)
{
    OFS_AUTO(ofs_file_closep) struct ofs_file *in = NULL;
    struct ofs_file *out = NULL;
    struct ofs_open_how how;
    uint64_t off = 0, n = 1;
    struct ofs_entry e;
    int r = trig_walk(t, from, &e);

    if (r == 0)
        r = ofs_tree_open(t->tree, &t->call, e.attr.ino, &in, &how, &t->err);
    if (r == 0)
        r = wrig_open(t, to, /* truncate= */ true, &out);
    for (; r == 0 && n > 0; off += n) {
        const struct ofs_range source = { .file = in, .off = off };
        const struct ofs_range target = { .file = out, .off = off };

        r = ofs_file_copy(&source, &target, 1 << 30, &t->call, &n, &t->err);
    }
    if (r == 0)
        return wrig_close(t, out);
    ofs_file_close(out);
    return r;
}

/* ---- an image to write ---- */

struct wrig_image {
    char *layer, *manifest, *index; /* owned */
    const char *config;
    size_t layer_len;
    struct ofs_digest layer_digest, config_digest, digest;
};

static inline struct ofs_digest wrig_digest(const void *bytes, size_t len)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, bytes, len, &d), 0);
    return d;
}

/* With `tag` in its index.json. */
static inline void wrig_image(struct wrig_image *im, uint64_t seed,
                              const char *tag)
{
    char layer[OFS_DIGEST_TEXT_MAX], config[OFS_DIGEST_TEXT_MAX];
    char whole[OFS_DIGEST_TEXT_MAX];

    im->layer_len = 300000 + (size_t)seed;
    im->layer = malloc(im->layer_len);
    assert_non_null(im->layer);
    fake_blob_fill(seed, im->layer, im->layer_len, 0);
    im->config = "{\"os\":\"linux\"}";
    im->layer_digest = wrig_digest(im->layer, im->layer_len);
    im->config_digest = wrig_digest(im->config, strlen(im->config));
    im->manifest = ofs_strf(
        "{\"schemaVersion\":2,\"mediaType\":\"" OFS_MT_OCI_MANIFEST "\","
        "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\""
        ",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
        "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\","
        "\"size\":%zu}]}",
        ofs_digest_format(&im->config_digest, config), strlen(im->config),
        ofs_digest_format(&im->layer_digest, layer), im->layer_len);
    im->digest = wrig_digest(im->manifest, strlen(im->manifest));
    im->index = ofs_strf(
        "{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
        "\"" OFS_MT_OCI_MANIFEST "\",\"digest\":\"%s\",\"size\":%zu,"
        "\"annotations\":{\"org.opencontainers.image.ref.name\":\"%s\"}}]}",
        ofs_digest_format(&im->digest, whole), strlen(im->manifest), tag);
    assert_non_null(im->index);
}

static inline void wrig_image_done(struct wrig_image *im)
{
    free(im->layer);
    free(im->manifest);
    free(im->index);
}
#define WRIG_AUTO_IMAGE OFS_AUTO(wrig_image_done)

/* Its parts under their final names, as cp does it. */
static inline void wrig_put_blobs(struct trig *t, const char *repo,
                                  const struct wrig_image *im)
{
    char path[512];

    assert_int_equal(wrig_write(t,
                                trig_blob_path(repo, &im->layer_digest, path),
                                im->layer, im->layer_len),
                     0);
    assert_int_equal(wrig_write(t,
                                trig_blob_path(repo, &im->config_digest, path),
                                im->config, strlen(im->config)),
                     0);
}

/* A new repository with that image as a tag. */
static inline void wrig_push(struct trig *t, const char *repo, const char *tag,
                             const struct wrig_image *im)
{
    char path[512];

    assert_int_equal(wrig_mkdir(t, repo), 0);
    (void)snprintf(path, sizeof(path), "%s/blobs", repo);
    assert_int_equal(wrig_mkdir(t, path), 0);
    (void)snprintf(path, sizeof(path), "%s/blobs/sha256", repo);
    assert_int_equal(wrig_mkdir(t, path), 0);
    wrig_put_blobs(t, repo, im);
    (void)snprintf(path, sizeof(path), "%s/%s", repo, tag);
    assert_int_equal(wrig_write(t, path, im->manifest, strlen(im->manifest)),
                     0);
}

/* Does the registry itself say so, with all that belongs to it? */
static inline bool wrig_has(struct trig *t, const char *repo, const char *tag,
                            const struct wrig_image *im)
{
    struct ofs_digest is;

    return fake_registry_tagged(t->fake, repo, tag, &is) &&
           ofs_digest_eq(&is, &im->digest) &&
           fake_registry_has(t->fake, repo, &im->digest) &&
           fake_registry_has(t->fake, repo, &im->config_digest) &&
           fake_registry_has(t->fake, repo, &im->layer_digest);
}

#endif
