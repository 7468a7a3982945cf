/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_plan.h"

#include <assert.h>

enum { MAX_PARTS = 8192, MAX_MANIFESTS = 1024 };

int ofs_archive_reserve(struct ofs_archive *a, size_t max_parts,
                        size_t max_manifests, struct ofs_err *err)
{
    if (max_parts > MAX_PARTS || max_manifests > MAX_MANIFESTS)
        return ofs_err_set(err, -EFBIG,
                           "an image of %zu blobs and %zu manifests, limits %d "
                           "and %d",
                           max_parts, max_manifests, MAX_PARTS, MAX_MANIFESTS);
    a->parts = calloc(max_parts, sizeof(*a->parts));
    a->manifests = calloc(max_manifests, sizeof(*a->manifests));
    a->layers = calloc(max_parts, sizeof(*a->layers));
    if (!a->parts || !a->manifests || !a->layers)
        return ofs_err_nomem(err, "an archive");
    a->max_parts = max_parts;
    a->max_manifests = max_manifests;
    return 0;
}

static struct ofs_archive_part *find_part(struct ofs_archive *a,
                                          const struct ofs_digest *digest)
{
    for (size_t i = 0; i < a->n_parts; i++)
        if (ofs_digest_eq(&a->parts[i].digest, digest))
            return &a->parts[i];
    return NULL;
}

int ofs_archive_want(struct ofs_archive *a, struct ofs_member *f,
                     const struct ofs_digest *digest, bool pack,
                     const struct ofs_archive_part **ret, struct ofs_err *err)
{
    struct ofs_archive_part *part = find_part(a, digest);

    if (!part) {
        if (f->part)
            return ofs_err_set(err, -EBADMSG,
                               "one file of the archive is named with two "
                               "digests");
        assert(a->n_parts < a->max_parts);
        part = &a->parts[a->n_parts++];
        *part = (struct ofs_archive_part){ .digest = *digest, .pack = pack };
        f->part = part;
    }
    *ret = part;
    return 0;
}

int ofs_archive_publish(struct ofs_archive *a, const char *media_type,
                        const void *bytes, size_t len, struct ofs_err *err)
{
    struct ofs_archive_manifest *m = &a->manifests[a->n_manifests];

    assert(a->n_manifests < a->max_manifests);
    a->n_manifests++;
    m->media_type = strdup(media_type);
    m->bytes = malloc(len + 1);
    if (!m->media_type || !m->bytes ||
        ofs_digest_of(OFS_SHA256, bytes, len, &m->digest) < 0)
        return ofs_err_nomem(err, "a manifest");
    memcpy(m->bytes, bytes, len);
    m->bytes[len] = '\0';
    m->len = len;
    return 0;
}
