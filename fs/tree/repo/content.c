/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Small objects that never change: manifests and image configurations.  They
 * live in the store; what is not there is fetched once, however many want it.
 */
#include "content.h"

#include "ocirfs/mediatype.h"
#include "ocirfs/registry.h"
#include "ocirfs/store.h"

#include "left_out.h"
#include "pending_save.h"

enum { MAX_CONFIG_BYTES = 4 * 1024 * 1024 };

struct object {
    struct ofs_repos *repos;
    struct ofs_repo *repo;
    const struct ofs_digest *digest;
    uint64_t size; /* of a configuration */
    size_t limit;
    int (*fetch)(struct object *o, struct ofs_call *call, struct ofs_err *err);
    struct ofs_buf *bytes;
    bool fetched; /* by us: `bytes` is filled */
};

static int stored(struct object *o)
{
    ofs_buf_reset(o->bytes);
    if (ofs_pending_save_get(o->repos->pending, o->digest, o->bytes) == 0)
        return 0;
    ofs_buf_reset(o->bytes);
    return ofs_store_get(o->repos->store, o->digest, o->limit, o->bytes, NULL);
}

bool ofs_content_is_here(struct ofs_repos *repos,
                         const struct ofs_digest *digest)
{
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    uint64_t size;

    return ofs_pending_save_get(repos->pending, digest, &bytes) == 0 ||
           ofs_store_size(repos->store, digest, &size) == 0;
}

static int fetch_manifest(struct object *o, struct ofs_call *call,
                          struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    char ref[OFS_DIGEST_TEXT_MAX];
    int r = ofs_registry_manifest_get(o->repos->registry, call, o->repo->path,
                                      ofs_digest_format(o->digest, ref), &info,
                                      err);

    if (r < 0)
        return r;
    ofs_buf_reset(o->bytes);
    if (ofs_buf_add(o->bytes, info.bytes, info.size) < 0)
        return ofs_err_nomem(err, "a manifest");
    ofs_pending_save_add(o->repos->pending, o->digest, info.bytes, info.size);
    return 0;
}

static int into_buf(void *arg, const void *data, size_t len)
{
    return ofs_buf_add(arg, data, len);
}

static int fetch_blob_once(struct object *o, struct ofs_call *call,
                           bool use_mirror, struct ofs_err *err)
{
    const struct ofs_blob_range range = {
        .repo = o->repo->path,
        .digest = o->digest,
        .size = o->size,
        .len = o->size,
        .use_mirror = use_mirror,
    };
    struct ofs_digest d;
    int r;

    ofs_buf_reset(o->bytes);
    r = ofs_registry_blob_read(o->repos->registry, call, &range, into_buf,
                               o->bytes, err);
    if (r < 0)
        return r;
    r = ofs_digest_of(o->digest->alg, ofs_buf_str(o->bytes), o->bytes->len, &d);
    if (r < 0 || !ofs_digest_eq(&d, o->digest))
        return ofs_err_set(err, -EBADMSG,
                           "a configuration with other bytes "
                           "than its digest says");
    ofs_pending_save_add(o->repos->pending, o->digest, o->bytes->data,
                         o->bytes->len);
    return 0;
}

static int fetch_blob(struct object *o, struct ofs_call *call,
                      struct ofs_err *err)
{
    int r = fetch_blob_once(o, call, o->repos->use_mirror, err);

    if (r == -EBADMSG && o->repos->use_mirror)
        r = fetch_blob_once(o, call, /* use_mirror= */ false, err);
    return r;
}

static int fly(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    struct object *o = arg;
    int r = stored(o);

    if (r != 0)
        r = o->fetch(o, call, err);
    o->fetched = r == 0;
    return r;
}

static int load(struct object *o, struct ofs_call *call, struct ofs_err *err)
{
    char digest[OFS_DIGEST_TEXT_MAX];
    int r;

    if (stored(o) == 0)
        return 0;
    if (!call->may_wait)
        return -EAGAIN;
    r = ofs_flights_run(o->repos->sync->flights,
                        ofs_digest_format(o->digest, digest), call, fly, o,
                        err);
    if (r < 0 || o->fetched || stored(o) == 0)
        return r;
    /* Somebody else had it and the store could not keep it. */
    return o->fetch(o, call, err);
}

int ofs_manifest_load(struct ofs_repos *repos, struct ofs_call *call,
                      struct ofs_repo *repo, const struct ofs_digest *digest,
                      struct ofs_buf *ret, struct ofs_err *err)
{
    struct object o = {
        .repos = repos,
        .repo = repo,
        .digest = digest,
        .limit = OFS_MANIFEST_MAX_BYTES,
        .fetch = fetch_manifest,
        .bytes = ret,
    };

    return load(&o, call, err);
}

int ofs_config_load(struct ofs_repos *repos, struct ofs_call *call,
                    struct ofs_repo *repo, const struct ofs_descriptor *config,
                    struct ofs_buf *ret, struct ofs_err *err)
{
    struct object o = {
        .repos = repos,
        .repo = repo,
        .digest = &config->digest,
        .size = config->size,
        .limit = MAX_CONFIG_BYTES,
        .fetch = fetch_blob,
        .bytes = ret,
    };

    if (config->size == 0 || config->size > MAX_CONFIG_BYTES)
        return ofs_err_set(err, -EFBIG, "an image configuration beyond limits");
    return load(&o, call, err);
}

bool ofs_is_elsewhere(const struct ofs_descriptor *d)
{
    return ofs_media_of(d->media_type) == OFS_MEDIA_FOREIGN;
}

bool ofs_names_manifest(const struct ofs_manifest *m,
                        const struct ofs_descriptor *d)
{
    return m->kind == OFS_MANIFEST_INDEX &&
           ofs_media_names_manifest(d->media_type);
}

/* With repo.mtx held.  False: no memory. */
static bool learn_one(struct ofs_repo *repo, const struct ofs_descriptor *d,
                      enum ofs_known_kind kind)
{
    return ofs_is_elsewhere(d) || !d->digest.alg ||
           d->size == OFS_SIZE_UNKNOWN ||
           ofs_blobset_put(&repo->blobs, &d->digest, d->size, kind) == 0;
}

/*
 * With repo.mtx held.  False: no memory.  Layers of a manifest are in its
 * repository; what an index names may not have been copied along.
 */
static bool learn_parts(struct ofs_repo *repo, const struct ofs_manifest *m)
{
    bool index = m->kind == OFS_MANIFEST_INDEX;
    bool ok = index || learn_one(repo, &m->config, OFS_KNOWN_BLOB);

    for (size_t i = 0; ok && i < m->n_layers; i++)
        ok =
            learn_one(repo, &m->layers[i],
                      ofs_names_manifest(m, &m->layers[i]) ? OFS_KNOWN_MENTIONED
                                                           : OFS_KNOWN_BLOB);
    return ok;
}

void ofs_repo_learn(struct ofs_repo *repo, const struct ofs_digest *digest,
                    uint64_t size, const struct ofs_manifest *m)
{
    OFS_GUARD(&repo->mtx);
    if (ofs_blobset_put(&repo->blobs, digest, size, OFS_KNOWN_MANIFEST) < 0)
        return;
    if (!m || ofs_blobset_find(&repo->blobs, digest)->learnt)
        return;
    /* In this order: what is learnt may move the set. */
    if (learn_parts(repo, m))
        ofs_blobset_find(&repo->blobs, digest)->learnt = true;
}

/* Of one that is not as it should be, what its parts are may be lost. */
static void tell_odd(struct ofs_repos *repos, struct ofs_repo *repo,
                     const struct ofs_digest *digest, int r,
                     struct ofs_err *why)
{
    char text[OFS_DIGEST_TEXT_MAX], name[20];

    (void)snprintf(name, sizeof(name), "%.19s",
                   ofs_digest_format(digest, text));
    (void)ofs_err_wrap(why, why->code, name);
    if (ofs_repo_note_unread(repos, repo, digest, r))
        ofs_left_out(repos, repo, "blobs", "is not complete", why);
}

int ofs_manifest_read(struct ofs_repos *repos, struct ofs_call *call,
                      struct ofs_repo *repo, const struct ofs_digest *digest,
                      struct ofs_manifest *ret, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    struct ofs_err why = { 0 };
    int r = ofs_manifest_load(repos, call, repo, digest, &bytes, err);

    if (r < 0)
        return r;
    r = ofs_manifest_decode_odd(ofs_buf_str(&bytes), bytes.len, NULL, ret,
                                &why);
    ofs_repo_learn(repo, digest, bytes.len, r >= 0 ? ret : NULL);
    if (r != 0 && why.code != -ENOMEM)
        tell_odd(repos, repo, digest, r, &why);
    if (r < 0 && err)
        *err = why;
    return r < 0 ? r : 0;
}
