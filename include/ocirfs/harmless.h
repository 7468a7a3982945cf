/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HARMLESS_H
#define OFS_HARMLESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * Turn the control characters of a text, those that turn the direction of
 * writing, and bytes that are not UTF-8 into '?'.  What a server said may be
 * quoted in an error or a log line, and so may a name that a local user made;
 * there it must not steer a terminal nor look like a second line.
 */
void ofs_harmless(char *text);

/* The character at `text`, which ends with a NUL, and its bytes.  False: those
 * are not UTF-8. */
bool ofs_utf8_at(const char *text, uint32_t *ret, size_t *ret_len);

#endif
