/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PUSH_RIG_H
#define OFS_PUSH_RIG_H

/*
 * Push on a real client, a real store and a fake registry, and an image to
 * push: a layer that is long enough to be sent while it is written, a
 * configuration, a manifest and an index.json.
 */

#include "registry_rig.h"

#include "ocirfs/mediatype.h"
#include "ocirfs/push.h"
#include "ocirfs/store.h"

#include <ftw.h>
#include <sched.h>
#include <sys/stat.h>

enum { PRIG_LAYER = 4 * 1024 * 1024 + 77, PRIG_PIECE = 512 * 1024 };

struct prig {
    struct rig rig;
    char dir[64];
    struct ofs_store *store;
    struct ofs_push *push;
    struct ofs_err err;
    const char *where; /* what the hook says of every digest; NULL: nothing */

    char *layer, *manifest, *index; /* owned */
    const char *config;
    struct ofs_digest layer_digest, config_digest, digest;
};

static inline int prig_where(void *arg, const struct ofs_digest *digest,
                             struct ofs_strv *ret)
{
    struct prig *p = arg;

    (void)digest;
    return p->where ? ofs_strv_add(ret, p->where) : 0;
}

/* The upper half: what goes with a mount. */
static inline void prig_mount(struct prig *p)
{
    char stage[96], cache[96];
    const struct ofs_store_cfg store = { .dir = cache };
    struct ofs_push_cfg push = {
        .registry = p->rig.r,
        .dir = stage,
        .url = fake_registry_url(p->rig.fake),
        .hooks = { .where = prig_where, .arg = p },
    };

    (void)snprintf(stage, sizeof(stage), "%s/stage", p->dir);
    (void)snprintf(cache, sizeof(cache), "%s/cache", p->dir);
    assert_int_equal(ofs_store_open(&store, &p->store, &p->err), 0);
    assert_int_equal(ofs_store_start(p->store, &p->err), 0);
    push.store = p->store;
    assert_int_equal(ofs_push_open(&push, &p->push, &p->err), 0);
    assert_int_equal(ofs_push_start(p->push, &p->err), 0);
}

static inline void prig_unmount(struct prig *p)
{
    ofs_push_stop(p->push);
    ofs_push_free(p->push);
    ofs_store_stop(p->store);
    ofs_store_free(p->store);
}

static inline struct ofs_digest prig_digest(const void *bytes, size_t len)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, bytes, len, &d), 0);
    return d;
}

static inline void prig_image(struct prig *p)
{
    char layer[OFS_DIGEST_TEXT_MAX], config[OFS_DIGEST_TEXT_MAX];
    char whole[OFS_DIGEST_TEXT_MAX];

    p->layer = malloc(PRIG_LAYER);
    assert_non_null(p->layer);
    fake_blob_fill(7, p->layer, PRIG_LAYER, 0);
    p->config = "{\"os\":\"linux\"}";
    p->layer_digest = prig_digest(p->layer, PRIG_LAYER);
    p->config_digest = prig_digest(p->config, strlen(p->config));
    p->manifest = ofs_strf(
        "{\"schemaVersion\":2,\"mediaType\":\"" OFS_MT_OCI_MANIFEST "\","
        "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\""
        ",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
        "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\","
        "\"size\":%d}]}",
        ofs_digest_format(&p->config_digest, config), strlen(p->config),
        ofs_digest_format(&p->layer_digest, layer), PRIG_LAYER);
    p->digest = prig_digest(p->manifest, strlen(p->manifest));
    p->index =
        ofs_strf("{\"schemaVersion\":2,\"manifests\":[{\"mediaType\":"
                 "\"" OFS_MT_OCI_MANIFEST "\",\"digest\":\"%s\","
                 "\"size\":%zu,\"annotations\":{"
                 "\"org.opencontainers.image.ref.name\":\"1.5\"}}]}",
                 ofs_digest_format(&p->digest, whole), strlen(p->manifest));
}

static inline void prig_start(struct prig *p, const struct rig_cfg *cfg)
{
    memset(p, 0, sizeof(*p));
    rig_start(&p->rig, cfg);
    (void)snprintf(p->dir, sizeof(p->dir), "/tmp/ofs-push-XXXXXX");
    assert_non_null(mkdtemp(p->dir));
    prig_image(p);
    prig_mount(p);
}

static inline int prig_remove(const char *path, const struct stat *st, int type,
                              struct FTW *ftw)
{
    (void)st;
    (void)type;
    (void)ftw;
    return remove(path);
}

static inline void prig_stop(struct prig *p)
{
    prig_unmount(p);
    rig_stop(&p->rig);
    (void)nftw(p->dir, prig_remove, 16, FTW_DEPTH | FTW_PHYS);
    free(p->layer);
    free(p->manifest);
    free(p->index);
}

/* ---- what a writer does ---- */

/* `aim` NULL: under a scratch name. */
static inline struct ofs_draft *prig_write(struct prig *p, const char *repo,
                                           const struct ofs_digest *aim,
                                           const void *bytes, size_t len)
{
    struct ofs_draft *d = NULL;

    assert_int_equal(ofs_draft_new(p->push, repo, &d, &p->err), 0);
    ofs_draft_aim(d, aim);
    for (size_t off = 0; off < len; off += PRIG_PIECE)
        assert_int_equal(
            ofs_draft_write(d, &p->rig.call, (const char *)bytes + off,
                            len - off < PRIG_PIECE ? len - off : PRIG_PIECE,
                            off, &p->err),
            0);
    return d;
}

static inline int prig_blob(struct prig *p, const char *repo, const void *bytes,
                            size_t len)
{
    OFS_AUTO(ofs_draft_unrefp)
    struct ofs_draft *d = prig_write(p, repo, NULL, bytes, len);
    struct ofs_digest digest = prig_digest(bytes, len);

    return ofs_push_blob(p->push, &p->rig.call, d, repo, &digest, &p->err);
}

/* As skopeo does. */
static inline int prig_layout(struct prig *p, const char *repo)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    int r = prig_blob(p, repo, p->layer, PRIG_LAYER);

    if (r == 0)
        r = prig_blob(p, repo, p->config, strlen(p->config));
    if (r == 0)
        r = prig_blob(p, repo, p->manifest, strlen(p->manifest));
    if (r < 0)
        return r;
    d = prig_write(p, repo, NULL, p->index, strlen(p->index));
    return ofs_push_index(p->push, &p->rig.call, d, repo, NULL, &p->err);
}

/* As cp of a tag file does, when the blobs are elsewhere. */
static inline int prig_tag(struct prig *p, const char *repo)
{
    OFS_AUTO(ofs_draft_unrefp)
    struct ofs_draft *d =
        prig_write(p, repo, NULL, p->manifest, strlen(p->manifest));

    return ofs_push_tag(p->push, &p->rig.call, d, repo, "1.5", NULL, &p->err);
}

static inline uint64_t prig_pending(struct prig *p)
{
    struct ofs_push_stat st;

    ofs_push_stat(p->push, &st);
    return st.n_pending;
}

/* Is the tag there?  Then all of its image must be, too. */
static inline bool prig_is_set(struct prig *p, const char *repo)
{
    struct fake_registry *f = p->rig.fake;
    struct ofs_digest is;

    if (!fake_registry_tagged(f, repo, "1.5", &is))
        return false;
    assert_true(ofs_digest_eq(&is, &p->digest));
    assert_true(fake_registry_has(f, repo, &p->digest));
    assert_true(fake_registry_has(f, repo, &p->config_digest));
    assert_true(fake_registry_has(f, repo, &p->layer_digest));
    return true;
}

#endif
