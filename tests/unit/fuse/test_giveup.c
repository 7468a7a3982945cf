/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "giveup.h"

#include "ocirfs/cleanup.h"

#include <signal.h>
#include <stdio.h>

/* proves S31 */
static void only_what_ends_the_thread_is_giving_up(void **state)
{
    static const struct {
        const char *what;
        int thread, process, blocked; /* signals; 0: none */
        bool ends;
    } rows[] = {
        { "nothing", 0, 0, 0, false },
        { "Go moves its threads along", SIGURG, 0, 0, false },
        { "a child has ended", 0, SIGCHLD, 0, false },
        { "the window was resized", 0, SIGWINCH, 0, false },
        { "a profiler ticks", SIGPROF, 0, 0, false },
        { "Ctrl-C", 0, SIGINT, 0, true },
        { "Ctrl-C after a child has ended", SIGCHLD, SIGINT, 0, true },
        { "Ctrl-C, but not for this thread", 0, SIGINT, SIGINT, false },
        { "kill", 0, SIGTERM, 0, true },
        { "kill -9, and what the end of a process is for its threads", SIGKILL,
          0, 0, true },
        { "a signal of its own", 0, SIGUSR1, 0, true },
        { "the last one there is", 0, 64, 0, true },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        uint64_t mask[3] = { 0 };
        char text[256];

        if (rows[i].thread)
            mask[0] = UINT64_C(1) << (rows[i].thread - 1);
        if (rows[i].process)
            mask[1] = UINT64_C(1) << (rows[i].process - 1);
        if (rows[i].blocked)
            mask[2] = UINT64_C(1) << (rows[i].blocked - 1);
        (void)snprintf(text, sizeof(text),
                       "Name:\tcat\nSigQ:\t0/95\nSigPnd:\t%016llx\n"
                       "ShdPnd:\t%016llx\nSigBlk:\t%016llx\nSigIgn:\tffff\n",
                       (unsigned long long)mask[0], (unsigned long long)mask[1],
                       (unsigned long long)mask[2]);
        if (ofs_giveup_in_status(text) != rows[i].ends)
            fail_msg("%s", rows[i].what);
    }
}

static void a_status_without_signals_tells_of_none(void **state)
{
    (void)state;
    assert_false(ofs_giveup_in_status(""));
    assert_false(ofs_giveup_in_status("Name:\tSigPnd:\t4\n"));
    assert_false(ofs_giveup_in_status("\nSigPnd:"));
    assert_false(ofs_giveup_in_status("\nSigPnd:\tzz\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_what_ends_the_thread_is_giving_up),
        cmocka_unit_test(a_status_without_signals_tells_of_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
