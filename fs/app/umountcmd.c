/* SPDX-License-Identifier: Apache-2.0 */
#include "umountcmd.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { EXIT_TROUBLE = 1, EXIT_USAGE = 2 };

int ofs_umountcmd_run(int argc, char **argv)
{
    const char *program = geteuid() == 0 ? "umount" : "fusermount3";

    if (argc != 2 || argv[1][0] == '-') {
        (void)fprintf(stderr, "ocirfs: usage: ocirfs umount DIR\n");
        return EXIT_USAGE;
    }
    if (geteuid() == 0)
        (void)execlp(program, program, "--", argv[1], (char *)NULL);
    else
        (void)execlp(program, program, "-u", "--", argv[1], (char *)NULL);
    (void)fprintf(stderr, "ocirfs: cannot run '%s': %s\n", program,
                  strerror(errno));
    return EXIT_TROUBLE;
}
