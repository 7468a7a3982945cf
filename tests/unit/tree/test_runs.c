/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#include "runs.h"

enum { WRITER = 10, REMOVER = 20, OTHER = 30 };

static int parent; /* of the writer; 0: it has ended */

static int parent_of(int process)
{
    return process == WRITER ? parent : 0;
}

/* l: the remover lists; o: somebody else lists; n: the writer names the tag in
 * an index.json, as a child of the remover; s: the writer sets it by its name;
 * S: the remover does; x: another tag is named; y: one elsewhere. */
static void happen(struct ofs_runs *runs, char what)
{
    switch (what) {
    case 'l':
        ofs_runs_listed(runs, "app", REMOVER);
        break;
    case 'o':
        ofs_runs_listed(runs, "app", OTHER);
        break;
    case 'n':
        ofs_runs_named(runs, "app", "1.0", WRITER, REMOVER);
        break;
    case 's':
        ofs_runs_set(runs, "app", "1.0", WRITER);
        break;
    case 'S':
        ofs_runs_set(runs, "app", "1.0", REMOVER);
        break;
    case 'x':
        ofs_runs_named(runs, "app", "2.0", WRITER, REMOVER);
        break;
    default:
        ofs_runs_named(runs, "other", "1.0", WRITER, REMOVER);
        break;
    }
}

/* proves S98 */
static void who_may_take_a_tag_away(void **state)
{
    static const struct {
        const char *story;
        bool is_over; /* the writer has ended */
        enum ofs_runs_answer want;
    } rows[] = {
        { "", false, OFS_RUNS_YES },
        { "l", false, OFS_RUNS_YES },
        { "s", false, OFS_RUNS_YES },   /* cp; rm */
        { "ls", true, OFS_RUNS_STALE }, /* a list, cp, and then unlink */
        { "lsl", true, OFS_RUNS_YES },  /* rm -r */
        { "lS", false, OFS_RUNS_YES },  /* it knows what it did */
        { "n", true, OFS_RUNS_YES },    /* skopeo; rm */
        { "ln", true, OFS_RUNS_STALE },
        { "ln", false, OFS_RUNS_STALE }, /* rsync --delete-delay */
        { "nl", false, OFS_RUNS_OWN },   /* rsync --delete-after */
        { "n", false, OFS_RUNS_OWN },
        { "nl", true, OFS_RUNS_YES }, /* a script that called skopeo */
        { "on", true, OFS_RUNS_YES }, /* somebody else's list */
        { "lx", true, OFS_RUNS_YES },
        { "ly", true, OFS_RUNS_YES },
        { "lnS", false, OFS_RUNS_YES },
        { "lnSn", true, OFS_RUNS_STALE },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct ofs_runs runs;

        assert_int_equal(ofs_runs_init(&runs), 0);
        for (const char *p = rows[i].story; *p; p++)
            happen(&runs, *p);
        parent = rows[i].is_over ? 0 : REMOVER;
        if (ofs_runs_may_remove(&runs, "app", "1.0", REMOVER, parent_of) !=
            rows[i].want)
            fail_msg("story '%s'", rows[i].story);
        ofs_runs_done(&runs);
    }
}

static void it_does_not_grow_for_ever(void **state)
{
    struct ofs_runs runs;

    (void)state;
    assert_int_equal(ofs_runs_init(&runs), 0);
    for (int i = 1; i < 150000; i++)
        ofs_runs_listed(&runs, "app", i);
    assert_true(ofs_map_count(runs.lists) <= 64 * 1024);
    ofs_runs_done(&runs);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_may_take_a_tag_away),
        cmocka_unit_test(it_does_not_grow_for_ever),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
