/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERS_PRIV_H
#define OFS_LAYERS_PRIV_H

/*
 * What an open layer is, for the images it is in.
 */

#include "ocirfs/layers.h"

#include "layerindex.h"
#include "layerread.h"

struct ofs_layer {
    struct ofs_layer_index *index; /* owned */
    struct ofs_packed packed;
    struct ofs_unpacked unpacked;
    struct ofs_layers *in;
};

#endif
