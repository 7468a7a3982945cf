/* SPDX-License-Identifier: Apache-2.0 */
#include "signals.h"

#include <signal.h>
#include <stddef.h>
#include <unistd.h>

/* With SIGXFSZ ignored, a write beyond `ulimit -f` is EFBIG: the cache then
 * goes without the disk, as with a full one. */
static const int harmless[] = {
    SIGPIPE,   SIGUSR1, SIGUSR2, SIGALRM, SIGVTALRM, SIGPROF,
    SIGSTKFLT, SIGPOLL, SIGXCPU, SIGXFSZ, SIGPWR,
};

static void ignore(int number)
{
    (void)sigaction(number, &(struct sigaction){ .sa_handler = SIG_IGN }, NULL);
}

static void unmount(int number)
{
    (void)number;
    (void)kill(getpid(), SIGTERM);
}

void ofs_signals_tame(bool foreground)
{
    /* Without SA_RESTART, since the session's loop must wake up. */
    struct sigaction quit = { .sa_handler = foreground ? unmount : SIG_IGN };

    for (size_t i = 0; i < sizeof(harmless) / sizeof(harmless[0]); i++)
        ignore(harmless[i]);
    for (int number = SIGRTMIN; number <= SIGRTMAX; number++)
        ignore(number);
    (void)sigaction(SIGQUIT, &quit, NULL);
}
