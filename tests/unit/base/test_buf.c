/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/buf.h"

static void text_grows_piece_by_piece(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(1000);

    (void)state;
    assert_string_equal(ofs_buf_str(&b), "");
    assert_int_equal(ofs_buf_adds(&b, "one"), 0);
    assert_int_equal(ofs_buf_addc(&b, ' '), 0);
    assert_int_equal(ofs_buf_addf(&b, "%d-%s", 2, "two"), 0);
    assert_int_equal(ofs_buf_add(&b, NULL, 0), 0);
    assert_int_equal(ofs_buf_add(&b, "\0z", 2), 0);
    assert_int_equal(b.len, 11);
    assert_memory_equal(ofs_buf_str(&b), "one 2-two\0z", 12);
    ofs_buf_done(&b);
    assert_string_equal(ofs_buf_str(&b), "");
    assert_int_equal(b.limit, 1000);
}

static void much_text_keeps_its_bytes(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(SIZE_MAX);

    (void)state;
    for (int i = 0; i < 10000; i++)
        assert_int_equal(ofs_buf_addf(&b, "%04d", i), 0);
    assert_int_equal(b.len, 40000);
    assert_memory_equal(b.data + 4 * 1234, "1234", 4);
    assert_string_equal(b.data + 4 * 9999, "9999");
    ofs_buf_done(&b);
}

static void the_limit_is_exact_and_sticks(void **state)
{
    struct ofs_buf b;

    (void)state;
    ofs_buf_init(&b, 5);
    assert_int_equal(ofs_buf_adds(&b, "12345"), 0);
    assert_int_equal(ofs_buf_add(&b, "", 0), 0);
    assert_int_equal(ofs_buf_addc(&b, '6'), -EFBIG);
    assert_int_equal(b.failed, -EFBIG);
    assert_string_equal(ofs_buf_str(&b), "12345");
    assert_int_equal(ofs_buf_add(&b, "", 0), -EFBIG);
    assert_int_equal(ofs_buf_addf(&b, "%s", ""), -EFBIG);
    assert_null(ofs_buf_take(&b));
    ofs_buf_done(&b);
    assert_int_equal(b.failed, 0);
}

static void formatted_text_obeys_the_limit(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(100);

    (void)state;
    assert_int_equal(ofs_buf_addf(&b, "%100d", 1), 0);
    assert_int_equal(b.len, 100);
    assert_int_equal(ofs_buf_addf(&b, "%d", 1), -EFBIG);
    assert_int_equal(b.len, 100);
    ofs_buf_done(&b);
}

static void lengths_beyond_all_memory_fail(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(SIZE_MAX);

    (void)state;
    assert_int_equal(ofs_buf_adds(&b, "x"), 0);
    assert_int_equal(ofs_buf_add(&b, "", SIZE_MAX - 1), -ENOMEM);
    assert_int_equal(b.failed, -ENOMEM);
    ofs_buf_done(&b);
}

/* The C locale has no such character, so printf fails. */
static void what_cannot_be_formatted_fails(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(SIZE_MAX);

    (void)state;
    assert_int_equal(ofs_buf_addf(&b, "%ls", L"\u20ac"), -EFBIG);
    assert_int_equal(b.len, 0);
    ofs_buf_done(&b);
}

static void reset_keeps_memory_and_forgets_failures(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(3);
    const char *data;

    (void)state;
    ofs_buf_reset(&b);
    assert_int_equal(ofs_buf_adds(&b, "abc"), 0);
    data = b.data;
    assert_int_equal(ofs_buf_adds(&b, "d"), -EFBIG);
    ofs_buf_reset(&b);
    assert_string_equal(ofs_buf_str(&b), "");
    assert_int_equal(ofs_buf_adds(&b, "xyz"), 0);
    assert_ptr_equal(b.data, data);
    ofs_buf_done(&b);
}

static void take_hands_the_text_over(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(10);
    char *text;

    (void)state;
    text = ofs_buf_take(&b);
    assert_string_equal(text, "");
    free(text);
    assert_int_equal(ofs_buf_adds(&b, "mine"), 0);
    text = ofs_buf_take(&b);
    assert_string_equal(text, "mine");
    free(text);
    assert_int_equal(b.len, 0);
    assert_null(b.data);
    assert_int_equal(b.limit, 10);
}

static void wipe_leaves_an_empty_buffer(void **state)
{
    struct ofs_buf b = OFS_BUF_INIT(100);

    (void)state;
    ofs_buf_wipe(&b);
    assert_int_equal(ofs_buf_adds(&b, "token"), 0);
    ofs_buf_wipe(&b);
    assert_null(b.data);
    assert_int_equal(b.room, 0);
    assert_int_equal(ofs_buf_adds(&b, "again"), 0);
    ofs_buf_wipe(&b);
}

static void a_guarded_buffer_frees_itself(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

    (void)state;
    assert_int_equal(ofs_buf_adds(&b, "leak checkers see it"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_grows_piece_by_piece),
        cmocka_unit_test(much_text_keeps_its_bytes),
        cmocka_unit_test(the_limit_is_exact_and_sticks),
        cmocka_unit_test(formatted_text_obeys_the_limit),
        cmocka_unit_test(lengths_beyond_all_memory_fail),
        cmocka_unit_test(what_cannot_be_formatted_fails),
        cmocka_unit_test(reset_keeps_memory_and_forgets_failures),
        cmocka_unit_test(take_hands_the_text_over),
        cmocka_unit_test(wipe_leaves_an_empty_buffer),
        cmocka_unit_test(a_guarded_buffer_frees_itself),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
