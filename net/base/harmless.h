/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HARMLESS_H
#define OFS_HARMLESS_H

/*
 * Turn the control characters of a text, those that turn the direction of
 * writing, and bytes that are not UTF-8 into '?'.  What a server said may be
 * quoted in an error or a log line, and so may a name that a local user made;
 * there it must not steer a terminal nor look like a second line.
 */
void ofs_harmless(char *text);

#endif
