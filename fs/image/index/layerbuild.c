/* SPDX-License-Identifier: Apache-2.0 */
#include "layerbuild.h"

#include "decoder.h"
#include "layerfile.h"

static const uint64_t point_span = UINT64_C(1) << 20;
static const uint64_t max_unpacked = UINT64_C(1) << 40;

struct build {
    const struct ofs_layer_pass *pass;
    struct ofs_call *call;
    struct ofs_decoder *d; /* owned, as are the others */
    struct ofs_hash *hash; /* of what was unpacked */
    struct ofs_layer_tree *tree;
    struct ofs_points points;
    struct ofs_layer_parts parts;
};

static void build_done(struct build *b)
{
    ofs_decoder_free(b->d);
    ofs_hash_free(b->hash);
    ofs_layer_tree_free(b->tree);
    ofs_points_done(&b->points);
    ofs_layer_parts_done(&b->parts);
}

static int read_unpacked(void *arg, void *buf, size_t len, size_t *ret_n,
                         struct ofs_err *err)
{
    struct build *b = arg;
    uint64_t most = b->pass->max_size ? b->pass->max_size : max_unpacked;
    int r = ofs_call_check(b->call, err);

    if (r == 0)
        r = ofs_decoder_read(b->d, b->call, buf, len, ret_n, err);
    if (r < 0)
        return r;
    if (ofs_decoder_at(b->d) > most)
        return ofs_err_set(err, -EFBIG,
                           "the layer unpacks to more than %llu bytes",
                           (unsigned long long)most);
    ofs_hash_update(b->hash, buf, *ret_n);
    if (b->pass->progress)
        b->pass->progress(b->pass->progress_arg, ofs_decoder_used(b->d));
    return 0;
}

static int take_tar_entry(void *arg, const struct ofs_tar_entry *e,
                          struct ofs_err *err)
{
    struct build *b = arg;

    return ofs_layer_tree_add(b->tree, e, err);
}

static void note_skipped(void *arg, const char *path, const char *why)
{
    struct build *b = arg;

    ofs_layer_tree_skip(b->tree, path, why);
}

static int open_all(struct build *b, struct ofs_err *err)
{
    enum ofs_packing packing = OFS_PACKING_NONE;
    int r = ofs_packing_of(b->pass->from, b->call, &packing, err);

    b->tree = ofs_layer_tree_new();
    b->hash = ofs_hash_new(b->pass->id.diff.alg
                               ? (enum ofs_digest_alg)b->pass->id.diff.alg
                               : OFS_SHA256);
    ofs_points_init(&b->points);
    ofs_layer_parts_init(&b->parts);
    if (!b->tree || !b->hash)
        return ofs_err_nomem(err, "a layer's index");
    b->parts.head.packing = packing;
    if (r == 0)
        r = ofs_decoder_open(packing, b->pass->from, NULL, b->call, &b->d, err);
    if (r == 0)
        ofs_decoder_mark(b->d, point_span, ofs_points_take, &b->points);
    return r;
}

/*
 * The last packed byte is asked for even if nothing needs it: who hands it out
 * has proven the whole, so an index is of a layer that has its digest.
 */
static int see_last_byte(struct build *b, struct ofs_err *err)
{
    const struct ofs_packed *from = b->pass->from;
    uint8_t byte;
    size_t n = 1;
    int r = from->size > 0 ? from->read(from->arg, b->call, &byte, 1,
                                        from->size - 1, &n, err)
                           : 0;

    return r == 0 && n == 0
               ? ofs_err_set(err, -EBADMSG, "the layer ends before its size")
               : r;
}

static int check_diff(struct build *b, struct ofs_err *err)
{
    const struct ofs_digest *want = &b->pass->id.diff;

    ofs_hash_final(b->hash, &b->parts.head.diff);
    if (want->alg == 0 || ofs_digest_eq(want, &b->parts.head.diff))
        return 0;
    return ofs_err_set(err, -EBADMSG,
                       "the unpacked layer does not have the diff_id that the "
                       "image's configuration says");
}

static int encode(struct build *b, struct ofs_buf *ret, struct ofs_err *err)
{
    struct ofs_layer_head *h = &b->parts.head;
    int r = ofs_layer_tree_flatten(b->tree, &b->parts, err);

    if (r < 0)
        return r;
    h->blob = b->pass->id.blob;
    h->packed_size = b->pass->from->size;
    b->parts.sections[OFS_SECTION_POINTS] = b->points.recs;
    b->parts.sections[OFS_SECTION_WINDOWS] = b->points.windows;
    ofs_points_init(&b->points);
    return ofs_layer_encode(&b->parts, ret, err);
}

int ofs_layer_build(const struct ofs_layer_pass *pass, struct ofs_call *call,
                    struct ofs_buf *ret, struct ofs_layer_skipped *ret_skipped,
                    struct ofs_err *err)
{
    OFS_AUTO(build_done) struct build b = { .pass = pass, .call = call };
    struct ofs_tar_in in = { read_unpacked, take_tar_entry, note_skipped, &b };
    int r = open_all(&b, err);

    if (r == 0)
        r = ofs_tar_pass(&in, &b.parts.head.size, err);
    if (r == 0)
        r = see_last_byte(&b, err);
    if (r == 0)
        r = check_diff(&b, err);
    if (r < 0)
        return r;
    *ret_skipped = *ofs_layer_tree_skipped(b.tree);
    return encode(&b, ret, err);
}
