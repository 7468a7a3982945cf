/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HOLDERS_H
#define OFS_HOLDERS_H

/*
 * Who else holds an open file.  The kernel tells of each close() of a
 * descriptor, also of those that are copies, and not which one is the last:
 * in `{ cat a; cat b; } > tag` both `cat` close what the shell goes on with.
 */

#include <stdbool.h>
#include <stdint.h>

/* Pure: is it a descriptor open for writing to inode `ino`?  `text` is that of
 * /proc/<process>/fdinfo/<n>. */
bool ofs_holders_in_fdinfo(const char *text, uint64_t ino);

/*
 * Does `process` itself, or one of those that it descends from, hold inode
 * `ino` open for writing?  False where we may not look.  Reads /proc.
 */
bool ofs_holders_above(int process, uint64_t ino);

#endif
