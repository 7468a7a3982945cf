/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "ocirfs/harmless.h"

#include "ocirfs/cleanup.h"

#include <string.h>

static const struct {
    const char *text, *harmless;
} rows[] = {
    { "", "" },
    { "plain ~", "plain ~" },
    { "a\nb\x1b[2J\x7f", "a?b?[2J?" },
    { "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8b",
      "gr\xc3\xbc\xc3\x9f \xe2\x82\xac \xf0\x9f\x90\x8b" },
    { "\xc2\x9b"
      "2J",
      "??2J" }, /* U+009B, as UTF-8 */
    { "\x9b"
      "2J",
      "?2J" }, /* and as Latin-1 */
    { "\xff\xfe", "??" },
    { "\xc3", "?" }, /* cut short */
    { "\xe2\x82", "??" },
    { "\xc3"
      "a",
      "?a" },
    { "\xc0\xaf", "??" }, /* longer than needed */
    { "\xe0\x80\x8a", "???" },
    { "\xed\xa0\x80", "???" },      /* half of a pair */
    { "\xf4\x90\x80\x80", "????" }, /* beyond U+10FFFF */
    { "a\xe2\x80\xae"
      "b",
      "a???b" }, /* U+202E */
    { "\xe2\x80\xaa\xe2\x81\xa6\xe2\x81\xa9", "?????????" },
    { "\xe2\x80\x8f\xd8\x9c", "?????" }, /* U+200F, U+061C */
    { "\xe2\x80\xa8"
      "x",
      "???x" },                         /* a line's end */
    { "\xe2\x80\xa6", "\xe2\x80\xa6" }, /* an ellipsis is not */
};

static void nothing_steers_a_terminal(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        char text[64] = { 0 };

        memcpy(text, rows[i].text, strlen(rows[i].text));
        ofs_harmless(text);
        if (strcmp(text, rows[i].harmless) != 0)
            fail_msg("row %zu: '%s'", i, text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_steers_a_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
