/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERS_H
#define OFS_LAYERS_H

/*
 * Layers that are open, and their indexes on disk.  Thread-safe.
 */

#include "ocirfs/packed.h"

/* Where indexes lie on disk, and what is kept between reads of all layers. */
struct ofs_layers;

/* `dir` is made if missing, mode 0700. */
int ofs_layers_open(const char *dir, struct ofs_layers **ret,
                    struct ofs_err *err) OFS_MUST_CHECK;
void ofs_layers_free(struct ofs_layers *ls); /* its layers have gone before */
OFS_DEFINE_AUTO(struct ofs_layers, ofs_layers_free)

/* A layer, as a manifest and a configuration have it. */
struct ofs_layer_cfg {
    struct ofs_packed packed;
    struct ofs_layer_id id;
    uint64_t max_size; /* unpacked bytes that are too many; 0: 1 TiB */
    /* While it is indexed: packed bytes so far, now and then; may be NULL. */
    void (*progress)(void *arg, uint64_t packed);
    void *progress_arg;
};

struct ofs_layer;

/*
 * Pass over a layer and keep its index.  Takes as long as the layer does; ends
 * early by `call`, and the next time begins anew.  -EBADMSG: damaged, or not
 * of its diff_id; -EFBIG; else what `packed` or the disk says.
 */
int ofs_layer_make_index(struct ofs_layers *ls, const struct ofs_layer_cfg *cfg,
                         struct ofs_call *call,
                         struct ofs_layer_skipped *ret_skipped,
                         struct ofs_err *err) OFS_MUST_CHECK;

/*
 * A layer whose index is there.  `cfg->packed.arg` stays until it is closed.
 * -ENOENT: there is none, or a wrong one: make it.
 */
int ofs_layer_open(struct ofs_layers *ls, const struct ofs_layer_cfg *cfg,
                   struct ofs_layer **ret, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_layer_close(struct ofs_layer *l); /* nobody reads from it any more */
OFS_DEFINE_AUTO(struct ofs_layer, ofs_layer_close)

#endif
