/* SPDX-License-Identifier: Apache-2.0 */
#include "upload_policy.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const uint64_t MiB = 1024 * 1024;

static const struct {
    enum reg_upload_step step;
    int code, status;
    const char *id;
    bool patched;
    enum reg_upload_next next;
} rows[] = {
    /* No answer. */
    { REG_UP_OPEN, -EIO, 0, "", false, REG_UP_RESUME },
    { REG_UP_WHOLE, -EIO, 0, "", false, REG_UP_RESUME },
    { REG_UP_WHOLE, -EIO, 201, "", false, REG_UP_RESUME }, /* cut short */
    { REG_UP_PART, -ETIMEDOUT, 0, "", true, REG_UP_RESUME },
    { REG_UP_COMMIT, -ECONNREFUSED, 0, "", false, REG_UP_RESUME },
    { REG_UP_COMMIT, -EHOSTUNREACH, 0, "", false, REG_UP_RESUME },
    { REG_UP_WHOLE, -EPROTO, 0, "", false, REG_UP_RESUME },
    { REG_UP_WHOLE, -EINTR, 0, "", false, REG_UP_FAIL },
    { REG_UP_WHOLE, -ENOMEM, 0, "", false, REG_UP_FAIL },
    { REG_UP_WHOLE, -EACCES, 0, "", false, REG_UP_FAIL },
    { REG_UP_WHOLE, -EBADMSG, 0, "", false, REG_UP_FAIL },
    { REG_UP_WHOLE, -EAGAIN, 0, "", false, REG_UP_FAIL },
    /* Later, perhaps. */
    { REG_UP_OPEN, -EBUSY, 429, "", false, REG_UP_RESUME },
    { REG_UP_WHOLE, -EBUSY, 503, "", false, REG_UP_RESUME },
    { REG_UP_PART, -EIO, 500, "", true, REG_UP_RESUME },
    { REG_UP_COMMIT, -ETIMEDOUT, 504, "", true, REG_UP_RESUME },
    { REG_UP_COMMIT, -ETIMEDOUT, 408, "", true, REG_UP_RESUME },
    { REG_UP_COMMIT, -EIO, 502, "", true, REG_UP_RESUME },
    /* The session is gone, or not where we are. */
    { REG_UP_OPEN, -ENOENT, 404, "", false, REG_UP_FAIL },
    { REG_UP_PART, -ENOENT, 404, "", true, REG_UP_RESTART },
    { REG_UP_COMMIT, -ENOENT, 410, "", true, REG_UP_RESTART },
    { REG_UP_WHOLE, -EEXIST, 409, "", false, REG_UP_RESTART },
    { REG_UP_OPEN, -EEXIST, 409, "", false, REG_UP_FAIL },
    { REG_UP_PART, -EBADMSG, 416, "", true, REG_UP_RESUME },
    { REG_UP_PART, -EIO, 400, "BLOB_UPLOAD_INVALID", true, REG_UP_RESTART },
    { REG_UP_PART, -EIO, 400, "BLOB_UPLOAD_UNKNOWN", true, REG_UP_RESTART },
    { REG_UP_WHOLE, -EBADMSG, 400, "SIZE_INVALID", false, REG_UP_RESTART },
    { REG_UP_OPEN, -EIO, 400, "BLOB_UPLOAD_INVALID", false, REG_UP_FAIL },
    /* A wrong digest is the fault of the data, unless it was patched up. */
    { REG_UP_WHOLE, -EBADMSG, 400, "DIGEST_INVALID", false, REG_UP_FAIL },
    { REG_UP_COMMIT, -EBADMSG, 400, "DIGEST_INVALID", true, REG_UP_RESTART },
    { REG_UP_WHOLE, -EINVAL, 400, "", false, REG_UP_FAIL },
    /* Too large. */
    { REG_UP_WHOLE, -EFBIG, 413, "", false, REG_UP_SMALLER },
    { REG_UP_PART, -EFBIG, 413, "", true, REG_UP_SMALLER },
    { REG_UP_OPEN, -EFBIG, 413, "", false, REG_UP_FAIL },
    /* No. */
    { REG_UP_WHOLE, -EACCES, 401, "", false, REG_UP_FAIL },
    { REG_UP_OPEN, -EACCES, 403, "DENIED", false, REG_UP_FAIL },
    { REG_UP_OPEN, -ENOTSUP, 405, "", false, REG_UP_FAIL },
    { REG_UP_WHOLE, -EDQUOT, 507, "", false, REG_UP_FAIL },
    { REG_UP_WHOLE, -EBADMSG, 307, "", false, REG_UP_FAIL },
};

static void every_failure_has_its_next_step(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err why = { .http_status = rows[i].status };
        enum reg_upload_next next;

        (void)snprintf(why.id, sizeof(why.id), "%s", rows[i].id);
        next = ofs_reg_upload_next(rows[i].step, rows[i].code, &why,
                                   rows[i].patched);
        if (next != rows[i].next)
            fail_msg("row %zu: %d", i, (int)next);
    }
}

static void pauses_grow_and_end(void **state)
{
    static const struct {
        unsigned n;
        int64_t wish_ms, pause_ms;
    } pauses[] = {
        { 1, -1, 200 },        { 2, 0, 400 },     { 5, -1, 3200 },
        { 6, -1, -1 },         { 1, 7000, 7000 }, { 1, 100, 200 },
        { 1, 120000, 120000 }, { 1, 120001, -1 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(pauses); i++)
        if (ofs_reg_upload_pause_ms(pauses[i].n, pauses[i].wish_ms) !=
            pauses[i].pause_ms)
            fail_msg("row %zu", i);
}

static void a_long_upload_may_fail_more_often(void **state)
{
    (void)state;
    assert_int_equal(ofs_reg_upload_patience(0, 0), 16);
    assert_int_equal(ofs_reg_upload_patience(160 * MiB, 0), 26);
    assert_int_equal(ofs_reg_upload_patience(160 * MiB, 8 * MiB), 66);
}

static void what_is_too_large_becomes_smaller(void **state)
{
    static const struct {
        uint64_t refused, least, size;
    } sizes[] = {
        { 1000 * MiB, 0, 64 * MiB },
        { 64 * MiB, 0, 8 * MiB },
        { 8 * MiB, 0, MiB - 65536 },
        { 5 * MiB, 0, MiB - 65536 },
        { MiB - 65536, 0, 0 },
        { 1000, 0, 0 },
        { 1000 * MiB, 100 * MiB, 100 * MiB },
        { 64 * MiB, 10 * MiB, 10 * MiB },
        { 10 * MiB, 10 * MiB, 0 },
        { 5 * MiB, 10 * MiB, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(sizes); i++)
        if (ofs_reg_smaller(sizes[i].refused, sizes[i].least) != sizes[i].size)
            fail_msg("row %zu", i);
}

static void puts_with_a_digest_finish_an_upload(void **state)
{
    (void)state;
    assert_false(ofs_reg_step_commits(REG_UP_OPEN));
    assert_false(ofs_reg_step_commits(REG_UP_PART));
    assert_true(ofs_reg_step_commits(REG_UP_WHOLE));
    assert_true(ofs_reg_step_commits(REG_UP_COMMIT));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_has_its_next_step),
        cmocka_unit_test(pauses_grow_and_end),
        cmocka_unit_test(a_long_upload_may_fail_more_often),
        cmocka_unit_test(what_is_too_large_becomes_smaller),
        cmocka_unit_test(puts_with_a_digest_finish_an_upload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
