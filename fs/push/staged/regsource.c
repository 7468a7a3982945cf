/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/regsource.h"

struct regsource {
    struct ofs_source base;
    struct ofs_registry *registry; /* borrowed */
    struct ofs_digest digest;
    uint64_t size;
    bool use_mirror;
    char repo[];
};

static int regsource_read(struct ofs_source *s, struct ofs_call *call,
                          uint64_t off, uint64_t len, int attempt,
                          ofs_source_sink *sink, void *arg, struct ofs_err *err)
{
    struct regsource *b = (struct regsource *)s;
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

static void regsource_free(struct ofs_source *s)
{
    free(s);
}

static const struct ofs_source_ops regsource_ops = {
    .read = regsource_read,
    .free = regsource_free,
};

struct ofs_source *ofs_regsource_new(struct ofs_registry *reg, const char *repo,
                                     const struct ofs_digest *digest,
                                     uint64_t size, bool use_mirror)
{
    size_t len = strlen(repo) + 1;
    struct regsource *b = calloc(1, sizeof(*b) + len);

    if (!b)
        return NULL;
    memcpy(b->repo, repo, len);
    b->base.ops = &regsource_ops;
    b->base.name = b->repo;
    atomic_init(&b->base.refs, 1);
    b->registry = reg;
    b->digest = *digest;
    b->size = size;
    b->use_mirror = use_mirror;
    return &b->base;
}
