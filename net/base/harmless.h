/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HARMLESS_H
#define OFS_HARMLESS_H

/*
 * Turn the control characters of a text into '?'.  What a server said may be
 * quoted in an error or a log line; there it must not steer a terminal nor
 * look like a second line.
 */
void ofs_harmless(char *text);

#endif
