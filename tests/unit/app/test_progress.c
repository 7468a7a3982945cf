/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define HEX "0e7b33735ba00e7b33735ba00e7b33735ba00e7b33735ba00e7b33735ba00e7b"

enum { LIMIT = 4096, MIB = 1024 * 1024 };

/* ---- lines for programs ---- */

static void a_line_is_read_back(void **state)
{
    const struct ofs_progress p = { .up = true,
                                    .done = 12582912,
                                    .size = UINT64_MAX,
                                    .rate_bytes = 7,
                                    .what = "sha256:" HEX,
                                    .where = "prod/app" };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(LIMIT);
    struct ofs_progress is = { 0 };

    (void)state;
    assert_int_equal(ofs_progress_print(&p, &b), 0);
    assert_string_equal(ofs_buf_str(&b),
                        "up done=12582912 size=18446744073709551615 rate=7 "
                        "what=sha256:" HEX " where=prod/app\n");
    b.data[b.len - 1] = '\0';
    assert_int_equal(ofs_progress_parse(b.data, &is), 0);
    assert_true(is.up);
    assert_int_equal(is.done, p.done);
    assert_int_equal(is.size, p.size);
    assert_int_equal(is.rate_bytes, p.rate_bytes);
    assert_string_equal(is.what, p.what);
    assert_string_equal(is.where, p.where);
}

/* Of an upload whose digest is not known yet. */
static void what_is_one_word(void **state)
{
    const struct ofs_progress p = { .what = "a blob", .where = "app" };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(LIMIT);

    (void)state;
    assert_int_equal(ofs_progress_print(&p, &b), 0);
    assert_string_equal(ofs_buf_str(&b),
                        "down done=0 size=0 rate=0 what=a-blob where=app\n");
}

static const struct {
    const char *line;
    int r;
} lines[] = {
    { "down done=1 size=2 rate=3 what=latest where=a", 0 },
    { "down done=1 size=2 rate=3 what=latest where=the repo of a mirror", 0 },
    { "down done=1 size=2 new=word rate=3 what=x where=a", 0 },
    { "down where=a", 0 },
    { "", -EBADMSG },
    { "down", -EBADMSG },
    { "down ", -EBADMSG },
    { "sideways done=1 where=a", -EBADMSG },
    { "down done=1 size=2 rate=3 what=x", -EBADMSG },
    { "down done=-1 where=a", -EBADMSG },
    { "down done= where=a", -EBADMSG },
    { "down size=99999999999999999999 where=a", -EBADMSG },
    { "down word where=a", -EBADMSG },
    { "down  done=1 where=a", 0 },
};

static void only_such_lines_are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(lines); i++) {
        struct ofs_progress p;
        int r = ofs_progress_parse(lines[i].line, &p);

        if (r != lines[i].r)
            fail_msg("'%s': %d", lines[i].line, r);
    }
}

static void a_name_has_a_limit(void **state)
{
    OFS_AUTOFREE char *line = ofs_strf("down what=%0200d where=a", 1);
    OFS_AUTOFREE char *where = ofs_strf("down where=%0300d", 1);
    struct ofs_progress p;

    (void)state;
    assert_int_equal(ofs_progress_parse(line, &p), -EBADMSG);
    assert_int_equal(ofs_progress_parse(where, &p), -EBADMSG);
}

/* ---- time left ---- */

static const struct {
    uint64_t done, size, rate;
    const char *left;
} times[] = {
    { 0, 100, 0, "" },
    { 0, 100, 100, "1s" },
    { 0, 99, 100, "0s" },
    { 100, 100, 5, "0s" },
    { 200, 100, 5, "0s" },
    { 0, 59, 1, "59s" },
    { 0, 60, 1, "1m00s" },
    { 0, 200, 1, "3m20s" },
    { 0, 3600, 1, "1h00m" },
    { 0, 7500, 1, "2h05m" },
    { 0, 86400, 1, "1d00h" },
    { 0, 356400, 1, "4d03h" },
    { 0, 99 * 86400, 1, "99d00h" },
    { 0, 100 * 86400, 1, "" },
    { 0, UINT64_MAX, 1, "" },
};

static void the_time_left_is_short_to_say(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(times); i++) {
        const struct ofs_progress p = { .done = times[i].done,
                                        .size = times[i].size,
                                        .rate_bytes = times[i].rate };
        char text[16];

        assert_string_equal(ofs_progress_left(&p, text), times[i].left);
    }
}

/* ---- lines for people ---- */

static const struct {
    struct ofs_progress p;
    unsigned columns;
    const char *line;
} drawn[] = {
    { { true, 500ull * MIB, 1000ull * MIB, 10 * MIB, "sha256:" HEX,
        "prod/app" },
      120,
      "up    [##########..........]   50%   500.0 MiB of 1000.0 MiB    "
      "10.0 MiB/s     50s  prod/app  sha256:0e7b33735ba0\n" },
    { { false, 0, 1000ull * MIB, 0, "sha256:" HEX, "prod/app" },
      110,
      "down  [....................]    0%         0 B of 1000.0 MiB         "
      "0 B/s          prod/app  sha256:0e7b33735\n" },
    { { true, 999, 1000, 10, "1.5", "prod/app" },
      80,
      "up    [###############.]   99%        10 B/s      0s  prod/app  1.5\n" },
    { { false, 1000, 1000, 10, "sha512:" HEX, "prod/app" },
      66,
      "down  [################]  100%        10 B/s      0s  prod/app  sh\n" },
    { { true, 1, 2, 1, "sha256:" HEX, "prod/app" },
      40,
      "up    [####....]   50%  prod/app  sha256\n" },
    { { true, 1, 2, 1, "sha256:" HEX, "prod/app" },
      20,
      "up    [####....]   5\n" },
    { { true, 1, 2, 1, "sha256:" HEX, "prod/app" },
      0,
      "up     50%         1 B of        2 B         1 B/s      1s  prod/app  "
      "sha256:0e7b33735ba0\n" },
};

static void a_line_fits_its_width(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(drawn); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(LIMIT);

        assert_int_equal(ofs_progress_draw(&drawn[i].p, drawn[i].columns, &b),
                         0);
        if (strcmp(ofs_buf_str(&b), drawn[i].line) != 0)
            fail_msg("row %zu:\n%s%s", i, ofs_buf_str(&b), drawn[i].line);
    }
}

static void no_number_makes_a_line_too_long(void **state)
{
    static const uint64_t numbers[] = {
        0, 1, 1023, UINT64_MAX / 100, UINT64_MAX - 1, UINT64_MAX
    };
    enum { N = OFS_COUNT_OF(numbers) };

    (void)state;
    for (size_t i = 0; i < N * N * N; i++)
        for (unsigned columns = 20; columns < 140; columns++) {
            const struct ofs_progress p = { .done = numbers[i % N],
                                            .size = numbers[i / N % N],
                                            .rate_bytes = numbers[i / N / N],
                                            .what = "sha256:" HEX,
                                            .where = "prod/app" };
            OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(LIMIT);

            assert_int_equal(ofs_progress_draw(&p, columns, &b), 0);
            assert_true(b.len <= columns + 1);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_line_is_read_back),
        cmocka_unit_test(what_is_one_word),
        cmocka_unit_test(only_such_lines_are_read),
        cmocka_unit_test(a_name_has_a_limit),
        cmocka_unit_test(the_time_left_is_short_to_say),
        cmocka_unit_test(a_line_fits_its_width),
        cmocka_unit_test(no_number_makes_a_line_too_long),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
