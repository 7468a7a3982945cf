/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "archive_head.h"

#include "ocirfs/cleanup.h"

#include <string.h>

/* What is known after each number of bytes.  proves S94 */
static void a_file_is_told_by_its_beginning(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum ofs_head want;
    } cases[] = {
        { "", 0, OFS_HEAD_SHORT },
        { "{", 1, OFS_HEAD_JSON },
        { " \n\t{\"a\":1}", 10, OFS_HEAD_JSON },
        { " \r\n", 3, OFS_HEAD_SHORT },
        { "hello\n", 6, OFS_HEAD_SHORT }, /* a member's name, perhaps */
        { "BZh", 3, OFS_HEAD_SHORT },
        { "BZh91AY&SY", 10, OFS_HEAD_BZIP2 },
        { "BZh9.txt.and.more", 17, OFS_HEAD_SHORT },
        { "\x1f", 1, OFS_HEAD_SHORT },
        { "\x1f\x8b\x08", 3, OFS_HEAD_ARCHIVE },
        { "\x28\xb5\x2f\xfd", 4, OFS_HEAD_ARCHIVE },
        { "\xfd\x37zXZ", 6, OFS_HEAD_XZ },
        { "\x7f"
          "ELF",
          4, OFS_HEAD_SHORT },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++)
        if (ofs_head_of(cases[i].bytes, cases[i].len) != cases[i].want)
            fail_msg("case %zu", i);
}

static void a_whole_block_decides(void **state)
{
    unsigned char block[OFS_ARCHIVE_HEAD];
    unsigned sum = 0;

    (void)state;
    memset(block, 'x', sizeof(block));
    assert_int_equal(ofs_head_of(block, sizeof(block) - 1), OFS_HEAD_SHORT);
    assert_int_equal(ofs_head_of(block, sizeof(block)), OFS_HEAD_OTHER);
    /* A tar's member may have any name. */
    memset(block, 0, sizeof(block));
    memcpy(block, "BZh91AY&SY", 10);
    memset(block + 148, ' ', 8);
    for (size_t i = 0; i < sizeof(block); i++)
        sum += block[i];
    for (int i = 5; i >= 0; i--, sum /= 8)
        block[148 + i] = (unsigned char)('0' + sum % 8);
    block[154] = 0;
    assert_int_equal(ofs_head_of(block, sizeof(block)), OFS_HEAD_ARCHIVE);
    /* JSON goes on for as long as it likes. */
    block[0] = '{';
    assert_int_equal(ofs_head_of(block, sizeof(block)), OFS_HEAD_JSON);
    memset(block, ' ', sizeof(block));
    assert_int_equal(ofs_head_of(block, sizeof(block)), OFS_HEAD_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_file_is_told_by_its_beginning),
        cmocka_unit_test(a_whole_block_decides),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
