/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_UMOUNTCMD_H
#define OFS_UMOUNTCMD_H

/*
 * `ocirfs umount DIR`: what unmounts here, umount(8) for root and
 * fusermount3(1) for everybody else, runs in place of this program.  Returns
 * only when it could not be started: the exit status, after a sentence.
 */
int ofs_umountcmd_run(int argc, char **argv);

#endif
