/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_VIEW_DIR_H
#define OFS_VIEW_DIR_H

#include "view.h"

/* `ret` stands for that directory (ns.h says what a scope is). */
void ofs_found_dir(struct ofs_found *ret, uint64_t scope, const char *path);

#endif
