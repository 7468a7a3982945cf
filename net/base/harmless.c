/* SPDX-License-Identifier: Apache-2.0 */
#include "harmless.h"

/*
 * 0xc2 0x80-0x9f are the control characters beyond ASCII in UTF-8; among them
 * is U+009B, which terminals take for ESC [.
 */
void ofs_harmless(char *text)
{
    for (unsigned char *p = (unsigned char *)text; *p; p++) {
        if (*p < 0x20 || *p == 0x7f)
            *p = '?';
        else if (*p == 0xc2 && p[1] >= 0x80 && p[1] <= 0x9f)
            p[0] = p[1] = '?';
    }
}
