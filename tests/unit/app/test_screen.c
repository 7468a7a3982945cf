/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    const char *text;
    unsigned columns, rows;
    const char *fits;
} rows[] = {
    { "", 10, 3, "" },
    { "\n", 10, 3, "\n" },
    { "one\ntwo\n", 10, 3, "one\ntwo\n" },
    { "one\ntwo", 10, 3, "one\ntwo\n" },
    { "one\n\nthree\n", 10, 3, "one\n\nthree\n" },
    { "1\n2\n3\n4\n", 10, 3, "1\n2\n... and 2 more\n" },
    { "1\n2\n3\n4\n", 10, 4, "1\n2\n3\n4\n" },
    { "0123456789abc\n", 10, 3, "0123456789\n" },
    { "gr\xc3\xbc\xc3\x9f"
      "e\n",
      4, 3, "gr\xc3\xbc\xc3\x9f\n" },
    { "gr\xc3\xbc\xc3\x9f\n", 4, 3, "gr\xc3\xbc\xc3\x9f\n" },
};

static void what_fits_is_shown(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

        assert_int_equal(
            ofs_screen_fit(rows[i].text, rows[i].columns, rows[i].rows, &b), 0);
        if (strcmp(ofs_buf_str(&b), rows[i].fits) != 0)
            fail_msg("row %zu: '%s'", i, ofs_buf_str(&b));
    }
}

static void a_pipe_is_not_drawn_on(void **state)
{
    struct ofs_screen s;
    char text[64] = { 0 };
    int ends[2];

    (void)state;
    assert_int_equal(pipe(ends), 0);
    ofs_screen_init(&s, ends[1], "xterm");
    ofs_screen_measure(&s);
    assert_false(s.redraws);
    assert_int_equal(s.columns, 0);
    assert_int_equal(ofs_screen_show(&s, "one\n", NULL), 0);
    assert_int_equal(ofs_screen_show(&s, "two\n", NULL), 0);
    assert_int_equal(read(ends[0], text, sizeof(text) - 1), 8);
    assert_string_equal(text, "one\ntwo\n");
    (void)close(ends[0]);
    (void)close(ends[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_is_shown),
        cmocka_unit_test(a_pipe_is_not_drawn_on),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
