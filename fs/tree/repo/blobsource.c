/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/source.h"

#include "ocirfs/registry.h"

#include "ask.h"

/* The registry's range reads behind the store's interface. */
struct blobsource {
    struct ofs_source base;
    struct ofs_registry *registry; /* borrowed: outlives the store's use */
    struct ofs_digest digest;
    uint64_t size;
    bool use_mirror;
    char repo[];
};

static int source_read(struct ofs_source *s, struct ofs_call *call,
                       uint64_t off, uint64_t len, int attempt,
                       ofs_source_sink *sink, void *arg, struct ofs_err *err)
{
    struct blobsource *b = (struct blobsource *)s;
    const struct ofs_blob_range range = {
        .repo = b->repo,
        .digest = &b->digest,
        .size = b->size,
        .off = off,
        .len = len,
        /* The mirror's bytes were damaged, so the source itself now. */
        .use_mirror = b->use_mirror && attempt == 0,
    };

    return ofs_registry_blob_read(b->registry, call, &range, sink, arg, err);
}

static void source_free(struct ofs_source *s)
{
    free(s);
}

static const struct ofs_source_ops blobsource_ops = {
    .read = source_read,
    .free = source_free,
};

struct ofs_source *ofs_blobsource_new(struct ofs_repos *repos, const char *repo,
                                      const struct ofs_digest *digest,
                                      uint64_t size)
{
    size_t len = strlen(repo) + 1;
    struct blobsource *b = calloc(1, sizeof(*b) + len);

    if (!b)
        return NULL;
    memcpy(b->repo, repo, len);
    b->base.ops = &blobsource_ops;
    b->base.name = b->repo;
    atomic_init(&b->base.refs, 1);
    b->registry = repos->registry;
    b->digest = *digest;
    b->size = size;
    b->use_mirror = repos->use_mirror;
    return &b->base;
}
