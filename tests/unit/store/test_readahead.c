/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "readahead.h"

#include "ocirfs/cleanup.h"

#define K ((uint64_t)1024)
#define M (K * 1024)
#define G (M * 1024)

enum { READS_MAX = 4 };

/* After these reads of a 1 GiB blob, where does the window end?  0: none. */
static const struct {
    const char *label;
    struct {
        uint64_t off, len;
    } reads[READS_MAX];
    uint64_t to;
} cases[] = {
    { "the start counts as a sequence", { { 0, 4 * K } }, 1 * M },
    { "a large first read", { { 0, 1 * M } }, 4 * M },
    { "the second moves it on",
      { { 0, 128 * K }, { 128 * K, 128 * K } },
      2 * M },
    { "somewhere is random", { { 5 * M, 4 * K } }, 0 },
    { "twice somewhere is a sequence",
      { { 5 * M, 4 * K }, { 5 * M + 4 * K, 4 * K } },
      7 * M },
    { "the same place again is none",
      { { 5 * M, 4 * K }, { 5 * M, 4 * K } },
      0 },
    { "two places are random", { { 5 * M, 4 * K }, { 300 * M, 4 * K } }, 0 },
    { "a jump ends a sequence", { { 0, 4 * K }, { 300 * M, 4 * K } }, 0 },
    { "back to the start begins one",
      { { 300 * M, 4 * K }, { 0, 4 * K } },
      1 * M },
    { "a young run may be off by a little",
      { { 0, 4 * K }, { 200 * K, 4 * K } },
      2 * M },
    { "but not by more", { { 0, 4 * K }, { 300 * K, 4 * K } }, 0 },
    { "an old run may be off by more",
      { { 0, 4 * M }, { 6 * M, 128 * K } },
      32 * M },
    { "but not by all", { { 0, 4 * M }, { 6 * M + 8 * K, 128 * K } }, 0 },
    { "a late one changes nothing",
      { { 0, 4 * M }, { 4 * M + 128 * K, 128 * K }, { 4 * M, 128 * K } },
      24 * M },
    { "grown", { { 0, 16 * M }, { 16 * M, 128 * K } }, 80 * M },
    { "no further", { { 0, 500 * M }, { 500 * M, 128 * K } }, 576 * M },
    { "not beyond the end", { { 0, 1010 * M }, { 1010 * M, M } }, G },
};

static void windows_follow_the_reads(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        struct ofs_readahead ra = { 0 };
        uint64_t to;

        for (int j = 0; j < READS_MAX && cases[i].reads[j].len > 0; j++)
            ofs_readahead_note(&ra, cases[i].reads[j].off,
                               cases[i].reads[j].len, G, OFS_RA_WINDOW_MAX);
        to = ra.from < ra.to ? ra.to : 0;
        if (to != cases[i].to)
            fail_msg("%s: up to %llu KiB", cases[i].label,
                     (unsigned long long)(to / K));
    }
}

/* As the kernel's own read-ahead sends them: several at once, any order. */
static void a_sequence_out_of_order_stays_one(void **state)
{
    static const uint64_t order[] = { 0, 2, 1, 3, 6, 4, 5, 7 };
    struct ofs_readahead ra = { 0 };

    (void)state;
    for (uint64_t at = 0; at < 64 * M; at += 8 * 128 * K) {
        for (size_t i = 0; i < OFS_COUNT_OF(order); i++) {
            ofs_readahead_note(&ra, at + order[i] * 128 * K, 128 * K, G,
                               OFS_RA_WINDOW_MAX);
            assert_true(ra.to > ra.run_end);
        }
    }
    assert_int_equal(ra.piece, OFS_RA_PIECE_MAX);
    assert_int_equal(ra.run_start, 0);
}

static void without_a_disk_the_window_is_small(void **state)
{
    struct ofs_readahead ra = { 0 };

    (void)state;
    ofs_readahead_note(&ra, 0, 100 * M, G, 2 * M);
    assert_int_equal(ra.to, 2 * M);
    ofs_readahead_note(&ra, 100 * M, 1 * M, G, 2 * M);
    assert_int_equal(ra.to, 102 * M);
    assert_int_equal(ra.piece, 1 * M);
}

static void halted_until_the_next_read(void **state)
{
    struct ofs_readahead ra = { 0 };

    (void)state;
    ofs_readahead_note(&ra, 0, M, G, OFS_RA_WINDOW_MAX);
    ofs_readahead_halt(&ra);
    assert_true(ra.from >= ra.to);
    ofs_readahead_note(&ra, M, M, G, OFS_RA_WINDOW_MAX);
    assert_true(ra.from < ra.to);
}

static void pieces_grow_with_the_window(void **state)
{
    static const struct {
        uint64_t window, piece;
    } pieces[] = {
        { 1 * M, 1 * M },   { 2 * M, 1 * M },  { 4 * M, 1 * M },
        { 8 * M, 2 * M },   { 16 * M, 4 * M }, { 32 * M, 8 * M },
        { 64 * M, 16 * M }, { G, 16 * M },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(pieces); i++)
        assert_int_equal(ofs_readahead_piece(pieces[i].window),
                         pieces[i].piece);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(windows_follow_the_reads),
        cmocka_unit_test(a_sequence_out_of_order_stays_one),
        cmocka_unit_test(without_a_disk_the_window_is_small),
        cmocka_unit_test(halted_until_the_next_read),
        cmocka_unit_test(pieces_grow_with_the_window),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
