/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERCHECK_H
#define OFS_LAYERCHECK_H

/*
 * Is what a layer's index says possible?  Pure.  After it nothing that follows
 * a number of the index need look whether it leads outside.
 */

#include "layerview.h"

bool ofs_layer_is_sound(const struct ofs_layer_view *v);

#endif
