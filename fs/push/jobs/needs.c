/* SPDX-License-Identifier: Apache-2.0 */
#include "needs.h"

#include "ocirfs/mediatype.h"

/* The specification lets an index name other things than manifests. */
static bool is_manifest(const struct ofs_manifest *parent,
                        const struct ofs_descriptor *d)
{
    return parent->kind == OFS_MANIFEST_INDEX &&
           ofs_media_names_manifest(d->media_type);
}

static struct ofs_need *find(const struct ofs_needs *n,
                             const struct ofs_digest *digest, bool manifest)
{
    for (size_t i = 0; i < n->n; i++)
        if (n->at[i].is_manifest == manifest &&
            ofs_digest_eq(&n->at[i].digest, digest))
            return &n->at[i];
    return NULL;
}

static void add(struct ofs_needs *n, const struct ofs_manifest *parent,
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

int ofs_needs_of(const struct ofs_manifest *m, struct ofs_needs *ret)
{
    struct ofs_needs n = { .at = calloc(m->n_layers + 1, sizeof(*n.at)) };

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

int ofs_needs_one(const struct ofs_digest *manifest, struct ofs_needs *ret)
{
    struct ofs_need *at = calloc(1, sizeof(*at));

    if (!at)
        return -ENOMEM;
    *at = (struct ofs_need){ .digest = *manifest, .is_manifest = true };
    *ret = (struct ofs_needs){ .at = at, .n = 1, .n_missing = 1 };
    return 0;
}

void ofs_needs_done(struct ofs_needs *n)
{
    free(n->at);
    *n = (struct ofs_needs){ 0 };
}

void ofs_needs_arrived(struct ofs_needs *n, const struct ofs_digest *digest,
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

bool ofs_needs_wait(struct ofs_needs *n, const struct ofs_need *need)
{
    const struct ofs_need *ours = find(n, &need->digest, need->is_manifest);

    if (ours->there)
        return false;
    n->absent = ours;
    return true;
}

void ofs_needs_forget(struct ofs_needs *n)
{
    for (size_t i = 0; i < n->n; i++)
        n->at[i].there = false;
    n->n_missing = n->n;
    n->absent = NULL;
}

const struct ofs_need *ofs_needs_missing(const struct ofs_needs *n)
{
    for (size_t i = 0; i < n->n; i++)
        if (!n->at[i].there)
            return &n->at[i];
    return NULL;
}

bool ofs_needs_json(const void *head, size_t len)
{
    const char *p = head;

    for (; len > 0; p++, len--)
        if (*p != ' ' && *p != '\t' && *p != '\n' && *p != '\r')
            return *p == '{';
    return false;
}

int ofs_needs_decode(const char *bytes, size_t len, struct ofs_manifest *ret)
{
    int r;

    if (len > OFS_MANIFEST_MAX_BYTES || !ofs_needs_json(bytes, len))
        return -ENOENT;
    r = ofs_manifest_decode(bytes, len, NULL, ret, NULL);
    return r < 0 && r != -ENOMEM ? -ENOENT : r;
}
