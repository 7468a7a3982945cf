/* SPDX-License-Identifier: Apache-2.0 */
#include "deps.h"

#include "ocirfs/mediatype.h"

/* The specification lets an index name other things than manifests. */
static bool is_manifest(const struct ofs_manifest *parent,
                        const struct ofs_descriptor *d)
{
    return parent->kind == OFS_MANIFEST_INDEX &&
           ofs_media_names_manifest(d->media_type);
}

static struct ofs_need *find(const struct ofs_deps *n,
                             const struct ofs_digest *digest, bool manifest)
{
    for (size_t i = 0; i < n->n; i++)
        if (n->at[i].is_manifest == manifest &&
            ofs_digest_eq(&n->at[i].digest, digest))
            return &n->at[i];
    return NULL;
}

static void add(struct ofs_deps *n, const struct ofs_manifest *parent,
                const struct ofs_descriptor *d)
{
    bool manifest = is_manifest(parent, d);

    if (ofs_media_of(d->media_type) == OFS_MEDIA_FOREIGN ||
        find(n, &d->digest, manifest))
        return;
    n->at[n->n++] = (struct ofs_need){
        .digest = d->digest,
        .size = d->size,
        .is_manifest = manifest,
    };
    n->n_missing++;
}

int ofs_deps_of(const struct ofs_manifest *m, struct ofs_deps *ret)
{
    struct ofs_deps n = { .at = calloc(m->n_layers + 1, sizeof(*n.at)) };

    if (!n.at)
        return -ENOMEM;
    for (size_t i = 0; i < m->n_layers; i++)
        if (is_manifest(m, &m->layers[i]))
            add(&n, m, &m->layers[i]);
    for (size_t i = 0; i < m->n_layers; i++)
        if (!is_manifest(m, &m->layers[i]))
            add(&n, m, &m->layers[i]);
    if (m->kind == OFS_MANIFEST_IMAGE)
        add(&n, m, &m->config);
    *ret = n;
    return 0;
}

int ofs_deps_one(const struct ofs_digest *manifest, struct ofs_deps *ret)
{
    struct ofs_need *at = calloc(1, sizeof(*at));

    if (!at)
        return -ENOMEM;
    *at = (struct ofs_need){ .digest = *manifest, .is_manifest = true };
    *ret = (struct ofs_deps){ .at = at, .n = 1, .n_missing = 1 };
    return 0;
}

void ofs_deps_done(struct ofs_deps *n)
{
    free(n->at);
    *n = (struct ofs_deps){ 0 };
}

void ofs_deps_arrived(struct ofs_deps *n, const struct ofs_digest *digest,
                      bool manifest)
{
    struct ofs_need *need = find(n, digest, manifest);

    if (!need || need->there)
        return;
    need->there = true;
    n->n_missing--;
    if (n->absent == need)
        n->absent = NULL;
}

bool ofs_deps_wait(struct ofs_deps *n, const struct ofs_need *need)
{
    const struct ofs_need *ours = find(n, &need->digest, need->is_manifest);

    if (ours->there)
        return false;
    n->absent = ours;
    return true;
}

void ofs_deps_forget(struct ofs_deps *n)
{
    for (size_t i = 0; i < n->n; i++)
        n->at[i].there = false;
    n->n_missing = n->n;
    n->absent = NULL;
}

const struct ofs_need *ofs_deps_missing(const struct ofs_deps *n)
{
    for (size_t i = 0; i < n->n; i++)
        if (!n->at[i].there)
            return &n->at[i];
    return NULL;
}

bool ofs_deps_json(const void *head, size_t len)
{
    const char *p = head;

    for (; len > 0; p++, len--)
        if (*p != ' ' && *p != '\t' && *p != '\n' && *p != '\r')
            return *p == '{';
    return false;
}

int ofs_deps_decode(const char *bytes, size_t len, struct ofs_manifest *ret)
{
    int r;

    if (len > OFS_MANIFEST_MAX_BYTES || !ofs_deps_json(bytes, len))
        return -ENOENT;
    r = ofs_manifest_decode(bytes, len, NULL, ret, NULL);
    return r < 0 && r != -ENOMEM ? -ENOENT : r;
}
