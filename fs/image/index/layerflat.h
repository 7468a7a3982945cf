/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERFLAT_H
#define OFS_LAYERFLAT_H

/*
 * From a tree that grew to the sorted arrays of an index: directories in
 * breadth, the names of each by bytes.  What is not reached from the root any
 * more is left behind.
 */

#include "layerfile.h"
#include "treenodes.h"

/* Takes texts, attributes and extents out of `t`.  -ENOMEM, -EFBIG. */
int ofs_layer_flatten(struct ofs_treenodes *t,
                      struct ofs_layer_parts *ret) OFS_MUST_CHECK;

#endif
