/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "ocirfs/err.h"

static void set_records_and_returns_the_code(void **state)
{
    struct ofs_err err = { .http_status = 500, .id = "OLD", .code = -EIO };

    (void)state;
    assert_int_equal(ofs_err_set(&err, -ENOENT, "no tag '%s'", "x"), -ENOENT);
    assert_int_equal(err.code, -ENOENT);
    assert_string_equal(err.text, "no tag 'x'");
    assert_int_equal(err.http_status, 0);
    assert_int_equal(err.retry_after_ms, -1);
    assert_string_equal(err.id, "");
}

static void nobody_needs_to_look(void **state)
{
    (void)state;
    assert_int_equal(ofs_err_set(NULL, -EIO, "x"), -EIO);
    assert_int_equal(ofs_err_wrap(NULL, -EACCES, "x"), -EACCES);
    assert_int_equal(ofs_err_nomem(NULL, "x"), -ENOMEM);
    assert_int_equal(ofs_err_errno(NULL, ENOSPC, "x"), -ENOSPC);
}

static void a_sentence_may_be_made_of_the_old_one(void **state)
{
    struct ofs_err err;

    (void)state;
    (void)ofs_err_set(&err, -EIO, "inner");
    (void)ofs_err_set(&err, -EIO, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
}

static void control_characters_become_question_marks(void **state)
{
    struct ofs_err err;

    (void)state;
    (void)ofs_err_set(&err, -EIO, "a\nb\x1b[31mc\x7f \xc2\x9b \xc3\xa3");
    assert_string_equal(err.text, "a?b?[31mc? ?? \xc3\xa3");
    (void)ofs_err_wrap(&err, -EIO, "x\ry");
    assert_string_equal(err.text, "x?y: a?b?[31mc? ?? \xc3\xa3");
}

static void wrap_puts_words_before_and_keeps_the_rest(void **state)
{
    struct ofs_err err;

    (void)state;
    (void)ofs_err_set(&err, -EIO, "no route");
    err.http_status = 503;
    err.retry_after_ms = 7;
    assert_int_equal(ofs_err_wrap(&err, -EBUSY, "tag list"), -EBUSY);
    assert_int_equal(err.code, -EBUSY);
    assert_string_equal(err.text, "tag list: no route");
    assert_int_equal(err.http_status, 503);
    assert_int_equal(err.retry_after_ms, 7);
}

static void wrap_of_nothing_is_the_words_alone(void **state)
{
    struct ofs_err err = { 0 };

    (void)state;
    assert_int_equal(ofs_err_wrap(&err, -EIO, "opening the store"), -EIO);
    assert_string_equal(err.text, "opening the store");
    assert_int_equal(err.retry_after_ms, -1);
}

static void a_line_has_the_request_s_id(void **state)
{
    char line[OFS_ERR_LINE_MAX];
    struct ofs_err err;

    (void)state;
    (void)ofs_err_set(&err, -EACCES, "denied");
    assert_string_equal(ofs_err_line(&err, line), "denied");
    (void)snprintf(err.request_id, sizeof(err.request_id), "%s", "A1/B2");
    assert_string_equal(ofs_err_line(&err, line), "denied [request A1/B2]");
    (void)ofs_err_wrap(&err, -EACCES, "mkdir");
    assert_string_equal(ofs_err_line(&err, line),
                        "mkdir: denied [request A1/B2]");
    memset(err.text, 'x', sizeof(err.text) - 1);
    memset(err.request_id, 'y', sizeof(err.request_id) - 1);
    assert_int_equal(strlen(ofs_err_line(&err, line)),
                     sizeof(err.text) + sizeof(err.request_id) - 2 +
                         strlen(" [request ]"));
}

static void long_sentences_are_cut(void **state)
{
    char words[600];
    struct ofs_err err;

    (void)state;
    memset(words, 'a', sizeof(words) - 1);
    words[sizeof(words) - 1] = '\0';
    (void)ofs_err_set(&err, -EIO, "%s", words);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    (void)ofs_err_wrap(&err, -EIO, "head");
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
    assert_memory_equal(err.text, "head: aaa", 9);
    (void)ofs_err_wrap(&err, -EIO, words);
    assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void common_failures_have_their_sentence(void **state)
{
    struct ofs_err err;

    (void)state;
    assert_int_equal(ofs_err_nomem(&err, "a manifest"), -ENOMEM);
    assert_string_equal(err.text, "no memory for a manifest");
    assert_int_equal(ofs_err_errno(&err, ENOENT, "open"), -ENOENT);
    assert_string_equal(err.text, "open: No such file or directory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_records_and_returns_the_code),
        cmocka_unit_test(nobody_needs_to_look),
        cmocka_unit_test(a_sentence_may_be_made_of_the_old_one),
        cmocka_unit_test(control_characters_become_question_marks),
        cmocka_unit_test(wrap_puts_words_before_and_keeps_the_rest),
        cmocka_unit_test(wrap_of_nothing_is_the_words_alone),
        cmocka_unit_test(a_line_has_the_request_s_id),
        cmocka_unit_test(long_sentences_are_cut),
        cmocka_unit_test(common_failures_have_their_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
