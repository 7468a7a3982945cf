/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_APP_H
#define OFS_APP_H

/*
 * The composition root: builds all objects in layer order, starts their
 * threads, serves, and takes everything down in the reverse order.
 */

#include "ocirfs/options.h"

/* Mount and serve until unmounted.  The exit status; has told what failed. */
int ofs_app_run(const struct ofs_options *options, const struct ofs_env *env);

#endif
