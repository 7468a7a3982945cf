/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/bindnow.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <unistd.h>

#define VARIABLE "LD_BIND_NOW"

/* What the dynamic linker has read, not what it would read the next time. */
static bool is_bound(void)
{
    const char *value = getenv(VARIABLE);

    return value && *value;
}

void ofs_bind_now(char **argv)
{
    const char *self = (const char *)getauxval(AT_EXECFN);

    /* The linker drops the variable where AT_SECURE is set: no end. */
    if (is_bound() || getauxval(AT_SECURE) || !self)
        return;
    if (setenv(VARIABLE, "1", 1) == 0)
        (void)execv(self, argv);
}
