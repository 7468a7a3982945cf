/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_oci.h"

#include "archive_pick.h"
#include "archive_plan.h"

#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"

enum {
    MAX_IMAGES = 4096,   /* of an archive */
    MAX_MANIFESTS = 512, /* of an image */
    MAX_DEPTH = 4,
    PATH_BYTES = 160,
};

/* A manifest or an index of the archive, read. */
struct node {
    struct ofs_digest digest;
    const struct ofs_member *file;
    struct ofs_manifest m;
};

static void node_done(struct node *n)
{
    ofs_manifest_done(&n->m);
}

/* All that one image needs; what is named comes before what names it. */
struct family {
    struct ofs_archive *a;
    struct node *at; /* owned, room for MAX_MANIFESTS */
    size_t n;
};

static void family_done(struct family *f)
{
    for (size_t i = 0; i < f->n; i++)
        node_done(&f->at[i]);
    free(f->at);
}

static const char *blob_path(const struct ofs_digest *d, char path[PATH_BYTES])
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)snprintf(path, PATH_BYTES, "blobs/%s/%s", ofs_digest_alg_name(d),
                   strchr(ofs_digest_format(d, text), ':') + 1);
    return path;
}

static struct ofs_member *find_blob(const struct ofs_archive *a,
                                    const struct ofs_descriptor *d)
{
    char path[PATH_BYTES];

    return ofs_members_find(&a->members, blob_path(&d->digest, path));
}

/* To whoever pushes it, malformed JSON is an invalid argument. */
static int decode(const struct ofs_member *f, const char *path,
                  const char *media_type, struct ofs_manifest *ret,
                  struct ofs_err *err)
{
    int r = ofs_manifest_decode(f->doc, f->doc_len, media_type, ret, err);

    return r < 0 ? ofs_err_wrap(err, r == -EBADMSG ? -EINVAL : r, path) : 0;
}

static int check_size(const struct ofs_member *f,
                      const struct ofs_descriptor *d, struct ofs_err *err)
{
    char path[PATH_BYTES];

    if (f->size == d->size)
        return 0;
    return ofs_err_set(err, -EBADMSG, "'%s' has %llu bytes, but %llu are named",
                       blob_path(&d->digest, path), (unsigned long long)f->size,
                       (unsigned long long)d->size);
}

/* A manifest or index of the archive, verified. */
static int load(const struct ofs_archive *a, const struct ofs_descriptor *d,
                struct node *ret, struct ofs_err *err)
{
    char path[PATH_BYTES];
    struct ofs_digest is;
    struct ofs_member *f;
    int r;

    r = ofs_members_doc(&a->members, blob_path(&d->digest, path), &f, err);
    if (r == 0)
        r = check_size(f, d, err);
    if (r < 0)
        return r;
    if (ofs_digest_of(d->digest.alg, f->doc, f->doc_len, &is) < 0)
        return ofs_err_nomem(err, "a manifest");
    if (!ofs_digest_eq(&is, &d->digest))
        return ofs_err_set(err, -EBADMSG, "'%s' does not have its digest",
                           path);
    ret->digest = d->digest;
    ret->file = f;
    return decode(f, path, d->media_type, &ret->m, err);
}

static bool is_in(const struct family *f, const struct ofs_digest *digest)
{
    for (size_t i = 0; i < f->n; i++)
        if (ofs_digest_eq(&f->at[i].digest, digest))
            return true;
    return false;
}

static int add_family(struct family *f, const struct ofs_descriptor *d,
                      int depth, struct ofs_err *err);

static int add_children(struct family *f, const struct ofs_manifest *m,
                        int depth, struct ofs_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < m->n_layers; i++)
        if (ofs_media_names_manifest(m->layers[i].media_type))
            r = add_family(f, &m->layers[i], depth, err);
    return r;
}

static int add_family(struct family *f, const struct ofs_descriptor *d,
                      int depth, struct ofs_err *err)
{
    struct node node = { 0 };
    int r;

    if (is_in(f, &d->digest))
        return 0;
    if (depth > MAX_DEPTH)
        return ofs_err_set(err, -EINVAL, "more than %d indexes in each other",
                           MAX_DEPTH);
    r = load(f->a, d, &node, err);
    if (r == 0 && node.m.kind == OFS_MANIFEST_INDEX)
        r = add_children(f, &node.m, depth + 1, err);
    if (r == 0 && f->n == MAX_MANIFESTS)
        r = ofs_err_set(err, -EFBIG, "more than %d manifests", MAX_MANIFESTS);
    if (r < 0)
        node_done(&node);
    else
        f->at[f->n++] = node;
    return r;
}

/* ---- what of it is sent ---- */

static int want_blob(struct ofs_archive *a, const struct ofs_descriptor *d,
                     struct ofs_err *err)
{
    const struct ofs_archive_part *part;
    struct ofs_member *f = find_blob(a, d);
    char path[PATH_BYTES];
    int r;

    if (!f && ofs_media_of(d->media_type) == OFS_MEDIA_FOREIGN)
        return 0; /* its bytes lie elsewhere */
    if (!f)
        return ofs_err_set(err, -EINVAL, "the archive lacks '%s'",
                           blob_path(&d->digest, path));
    r = check_size(f, d, err);
    return r < 0 ? r
                 : ofs_archive_want(a, f, &d->digest, /* pack= */ false, &part,
                                    err);
}

static int want_image(struct ofs_archive *a, const struct ofs_manifest *m,
                      struct ofs_err *err)
{
    int r = want_blob(a, &m->config, err);

    for (size_t i = 0; r == 0 && i < m->n_layers; i++)
        r = want_blob(a, &m->layers[i], err);
    return r;
}

/* An index may name blobs beside manifests. */
static int want_blobs_of_index(struct ofs_archive *a,
                               const struct ofs_manifest *m,
                               struct ofs_err *err)
{
    int r = 0;

    for (size_t i = 0; r == 0 && i < m->n_layers; i++)
        if (!ofs_media_names_manifest(m->layers[i].media_type))
            r = want_blob(a, &m->layers[i], err);
    return r;
}

static int plan(const struct family *f, struct ofs_err *err)
{
    size_t n_parts = 1;
    int r;

    for (size_t i = 0; i < f->n; i++)
        n_parts += f->at[i].m.n_layers + 1;
    r = ofs_archive_reserve(f->a, n_parts, f->n, err);
    for (size_t i = 0; r == 0 && i < f->n; i++) {
        const struct node *node = &f->at[i];

        r = node->m.kind == OFS_MANIFEST_IMAGE
                ? want_image(f->a, &node->m, err)
                : want_blobs_of_index(f->a, &node->m, err);
        if (r == 0)
            r = ofs_archive_publish(f->a, node->m.media_type, node->file->doc,
                                    node->file->doc_len, err);
    }
    return r;
}

/* ---- which image ---- */

/* An entry's names, one at least, perhaps NULL. */
static size_t add_names(const struct ofs_descriptor *d, size_t image,
                        struct ofs_archive_name *to)
{
    const char *tag = ofs_annotation_get(&d->annotations,
                                         "org.opencontainers.image.ref.name");
    const char *full =
        ofs_annotation_get(&d->annotations, "io.containerd.image.name");
    size_t n = 0;

    if (tag || !full)
        to[n++] = (struct ofs_archive_name){ tag, image };
    if (full)
        to[n++] = (struct ofs_archive_name){ full, image };
    return n;
}

/* Entries of one digest are one image. */
static size_t first_of(const struct ofs_manifest *index,
                       const struct ofs_digest *digest)
{
    size_t i = 0;

    while (!ofs_digest_eq(&index->layers[i].digest, digest))
        i++;
    return i;
}

static int pick(const struct ofs_manifest *index, const char *repo,
                const char *tag, const struct ofs_descriptor **ret,
                struct ofs_err *err)
{
    OFS_AUTOFREE struct ofs_archive_name *names =
        calloc(2 * index->n_layers + 1, sizeof(*names));
    size_t n = 0, image;
    int r;

    if (!names)
        return ofs_err_nomem(err, "an archive");
    if (index->n_layers > MAX_IMAGES)
        return ofs_err_set(err, -EFBIG, "%zu images in an archive, limit %d",
                           index->n_layers, MAX_IMAGES);
    for (size_t i = 0; i < index->n_layers; i++)
        n += add_names(&index->layers[i],
                       first_of(index, &index->layers[i].digest), &names[n]);
    r = ofs_archive_pick(names, n, repo, tag, &image, err);
    if (r == 0)
        *ret = &index->layers[image];
    return r;
}

/* What buildkit attests has a platform by name only. */
static bool is_runnable(const struct ofs_descriptor *d)
{
    return !d->platform.os || strcmp(d->platform.os, "unknown") != 0;
}

/*
 * docker with containerd's store names the index of an image in all
 * platforms, but saves the one it has pulled: that one is meant then.
 */
static int settle(const struct ofs_archive *a, const struct ofs_manifest *index,
                  const struct ofs_descriptor **top, struct ofs_err *err)
{
    const struct ofs_descriptor *there = NULL;
    size_t n_there = 0, n_missing = 0;

    for (size_t i = 0; i < index->n_layers; i++) {
        const struct ofs_descriptor *d = &index->layers[i];

        if (!find_blob(a, d)) {
            n_missing++;
        } else if (is_runnable(d)) {
            n_there++;
            there = d;
        }
    }
    if (n_missing == 0)
        return 0;
    if (n_there != 1)
        return ofs_err_set(err, -EINVAL,
                           "the archive has %zu of the %zu images of its index",
                           n_there, index->n_layers);
    *top = there;
    return 0;
}

static bool has_plain_layers(const struct ofs_manifest *m)
{
    for (size_t i = 0; m->kind == OFS_MANIFEST_IMAGE && i < m->n_layers; i++)
        if (ofs_str_ends(m->layers[i].media_type, ".tar"))
            return true;
    return false;
}

/* The image in index.json that is meant, and its manifest or index. */
static int choose(const struct ofs_archive *a, const struct ofs_manifest *index,
                  const char *repo, const char *tag,
                  const struct ofs_descriptor **ret_top, struct node *ret,
                  struct ofs_err *err)
{
    int r = pick(index, repo, tag, ret_top, err);

    if (r == 0)
        r = load(a, *ret_top, ret, err);
    if (r == 0 && ret->m.kind == OFS_MANIFEST_INDEX)
        r = settle(a, &ret->m, ret_top, err);
    return r;
}

int ofs_archive_plan_oci(struct ofs_archive *a, const char *repo,
                         const char *tag, bool unless_plain,
                         struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest index = { 0 };
    OFS_AUTO(node_done) struct node chosen = { 0 };
    OFS_AUTO(family_done) struct family family = { .a = a };
    const struct ofs_descriptor *top = NULL;
    struct ofs_member *f;
    int r = ofs_members_doc(&a->members, "index.json", &f, err);

    if (r == 0)
        r = decode(f, "index.json", OFS_MT_OCI_INDEX, &index, err);
    if (r == 0)
        r = choose(a, &index, repo, tag, &top, &chosen, err);
    if (r < 0)
        return r;
    if (unless_plain && has_plain_layers(&chosen.m))
        return 1;
    family.at = calloc(MAX_MANIFESTS, sizeof(*family.at));
    if (!family.at)
        return ofs_err_nomem(err, "an archive");
    r = add_family(&family, top, 1, err);
    return r < 0 ? r : plan(&family, err);
}
