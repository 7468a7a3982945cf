/* SPDX-License-Identifier: Apache-2.0 */
/* The second walk through an archive: its blobs, as planned. */
#include "archive_docker.h"
#include "archive_plan.h"
#include "image_archive.h"
#include "layerpack.h"
#include "tarball.h"
#include "tarname.h"

enum { CHUNK_BYTES = 128 * 1024 };

static int bad_digest(const struct ofs_archive_part *part, const char *name,
                      struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_err_set(err, -EBADMSG, "'%.150s' of the archive is not %.19s",
                       name, ofs_digest_format(&part->digest, text));
}

static int copy(struct ofs_tarball *t, struct ofs_hash *h,
                const struct ofs_archive_sink *sink, struct ofs_err *err)
{
    OFS_AUTOFREE char *buf = malloc(CHUNK_BYTES);
    int r = buf ? 0 : ofs_err_nomem(err, "a blob");
    size_t n = 1;

    while (r == 0 && n > 0) {
        r = ofs_tarball_read(t, buf, CHUNK_BYTES, &n, err);
        if (r < 0 || n == 0)
            break;
        ofs_hash_update(h, buf, n);
        r = sink->write(sink->arg, buf, n, err);
    }
    return r;
}

/* As it is; its digest is known. */
static int send_blob(struct ofs_tarball *t, struct ofs_archive_part *part,
                     const struct ofs_tar_member *member,
                     const struct ofs_archive_sink *sink, struct ofs_err *err)
{
    OFS_AUTO(ofs_hash_freep)
    struct ofs_hash *h = ofs_hash_new(part->digest.alg);
    struct ofs_digest is;
    int r;

    if (!h)
        return ofs_err_nomem(err, "a blob");
    part->blob = part->digest;
    part->blob_size = member->size;
    r = sink->begin(sink->arg, &part->digest, member->size, err);
    if (r != 0)
        return r < 0 ? r : 0; /* not wanted */
    r = copy(t, h, sink, err);
    if (r < 0)
        return r;
    ofs_hash_final(h, &is);
    if (!ofs_digest_eq(&is, &part->digest))
        return bad_digest(part, member->name, err);
    return sink->end(sink->arg, &part->blob, part->blob_size, err);
}

/* Compressed; the digest of its plain bytes is known. */
static int send_layer(struct ofs_tarball *t, struct ofs_archive_part *part,
                      const struct ofs_tar_member *member,
                      const struct ofs_archive_sink *sink, struct ofs_err *err)
{
    struct ofs_layerpack packed;
    int r = sink->begin(sink->arg, NULL, 0, err);

    if (r == 0)
        r = ofs_layerpack(t, sink, &packed, err);
    if (r < 0)
        return r;
    if (!ofs_digest_eq(&packed.plain, &part->digest))
        return bad_digest(part, member->name, err);
    part->blob = packed.digest;
    part->blob_size = packed.size;
    return sink->end(sink->arg, &part->blob, part->blob_size, err);
}

/* The part that the n-th member is to become; NULL: none. */
static int part_of(const struct ofs_archive *a, const char *name, size_t place,
                   struct ofs_archive_part **ret, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf clean = OFS_BUF_INIT(2 * OFS_TARNAME_MAX);
    int r = ofs_tarname(NULL, name, &clean, err);
    const struct ofs_member *f;

    if (r < 0)
        return r;
    f = ofs_map_get(a->members.by_name, ofs_buf_str(&clean));
    /* Another place: a later member of this name has replaced it. */
    *ret = f && f->place == place ? f->part : NULL;
    return 0;
}

static int send_member(struct ofs_archive *a, struct ofs_tarball *t,
                       const struct ofs_tar_member *member, size_t place,
                       const struct ofs_archive_sink *sink, size_t *n_left,
                       struct ofs_err *err)
{
    struct ofs_archive_part *part;
    int r = part_of(a, member->name, place, &part, err);

    if (r < 0 || !part || part->done)
        return r;
    r = part->pack ? send_layer(t, part, member, sink, err)
                   : send_blob(t, part, member, sink, err);
    if (r < 0)
        return r;
    part->done = true;
    --*n_left;
    return 0;
}

int ofs_archive_unpack(struct ofs_archive *a, struct ofs_call *call,
                       const struct ofs_archive_sink *sink, struct ofs_err *err)
{
    OFS_AUTO(ofs_tarball_closep) struct ofs_tarball *t = NULL;
    size_t n_left = a->n_parts;
    struct ofs_tar_member member;
    int r = ofs_tarball_open(a->fd, a->size, call, &t, err);

    for (size_t place = 1; r >= 0 && n_left > 0; place++) {
        r = ofs_tarball_next(t, &member, err);
        if (r == 0)
            return ofs_err_set(err, -EIO,
                               "the archive has changed while it was read");
        if (r > 0)
            r = send_member(a, t, &member, place, sink, &n_left, err);
    }
    if (r < 0)
        return r;
    return a->config ? ofs_archive_make_docker_manifest(a, err) : 0;
}
