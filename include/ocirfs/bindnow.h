/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BINDNOW_H
#define OFS_BINDNOW_H

/*
 * Resolve every library's functions before the program begins.
 *
 * The dynamic linker looks a function up at its first call, and for that saves
 * the vector registers on the stack.  After a memcpy() they hold what was
 * copied: a piece of a secret then lies in memory that nobody wipes.  Linking
 * with -z now is for the program alone; libjansson, zlib and nghttp2 of
 * Debian, and sanitizer builds, are bound at the first call all the same.
 */

/* First thing in main: starts the program again where that is needed, and
 * returns where it is not, or cannot be. */
void ofs_bind_now(char **argv);

#endif
