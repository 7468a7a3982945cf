/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STATUSCMD_H
#define OFS_STATUSCMD_H

/*
 * `ocirfs status [--watch] DIR`: what the mount that DIR is in says of itself.
 * Reads its .ocirfs/ as everybody can, so it works for all who may read there.
 */

struct ofs_env;

/* argv[0] is "status".  The exit status; has told what failed. */
int ofs_statuscmd_run(int argc, char *const *argv, const struct ofs_env *env);

#endif
