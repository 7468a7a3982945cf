/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "retry.h"

#include "ocirfs/call.h"

static const struct ofs_retry_policy policy = {
    .max_attempts = 4,
    .base_ms = 200,
    .cap_ms = 1000,
    .wish_cap_ms = 60000,
};

/* An attempt that failed so, with much time left and no wish. */
#define ANSWER(number, status)                                                 \
    .n = (number), .http_status = (status), .sent = true,                      \
    .retry_after_ms = -1, .left_ms = OFS_NEVER
#define FAILURE(number, errno_value)                                           \
    .n = (number), .code = -(errno_value), .sent = true, .retry_after_ms = -1, \
    .left_ms = OFS_NEVER

static void the_policy_is_this_table(void **state)
{
    static const struct {
        const char *name;
        struct ofs_attempt a;
        int64_t want;
    } rows[] = {
        { "200 is an answer", { ANSWER(1, 200), .idempotent = true }, -1 },
        { "304 is an answer", { ANSWER(1, 304), .idempotent = true }, -1 },
        { "401 is an answer", { ANSWER(1, 401), .idempotent = true }, -1 },
        { "404 is an answer", { ANSWER(1, 404), .idempotent = true }, -1 },
        { "501 is an answer", { ANSWER(1, 501), .idempotent = true }, -1 },
        { "507 is an answer", { ANSWER(1, 507), .idempotent = true }, -1 },
        { "408", { ANSWER(1, 408) }, 100 },
        { "429", { ANSWER(1, 429) }, 100 },
        { "503", { ANSWER(1, 503) }, 100 },
        { "500 to a GET", { ANSWER(1, 500), .idempotent = true }, 100 },
        { "502 to a GET", { ANSWER(1, 502), .idempotent = true }, 100 },
        { "504 to a GET", { ANSWER(1, 504), .idempotent = true }, 100 },
        { "500 to a POST", { ANSWER(1, 500) }, -1 },
        { "502 to a POST", { ANSWER(1, 502) }, -1 },
        { "504 to a POST", { ANSWER(1, 504) }, -1 },

        { "reset of a GET", { FAILURE(1, EIO), .idempotent = true }, 100 },
        { "reset of a POST", { FAILURE(1, EIO) }, -1 },
        { "stalled GET", { FAILURE(1, ETIMEDOUT), .idempotent = true }, -1 },
        { "stalled POST", { FAILURE(1, ETIMEDOUT) }, -1 },
        { "broken HTTP", { FAILURE(1, EPROTO), .idempotent = true }, 100 },
        { "bad certificate",
          { FAILURE(1, EPROTO), .idempotent = true, .permanent = true },
          -1 },
        { "too big", { FAILURE(1, EFBIG), .idempotent = true }, -1 },
        { "no memory", { FAILURE(1, ENOMEM), .idempotent = true }, -1 },
        { "given up", { FAILURE(1, EINTR), .idempotent = true }, -1 },
        { "POST not sent",
          { .n = 1,
            .code = -ECONNREFUSED,
            .retry_after_ms = -1,
            .left_ms = OFS_NEVER },
          100 },
        { "no host for a POST",
          { .n = 1,
            .code = -EHOSTUNREACH,
            .retry_after_ms = -1,
            .left_ms = OFS_NEVER },
          100 },

        { "bytes delivered",
          { FAILURE(1, EIO), .idempotent = true, .delivered = true },
          -1 },
        { "503 after delivery", { ANSWER(1, 503), .delivered = true }, -1 },

        { "second doubles", { ANSWER(2, 503) }, 200 },
        { "third doubles twice", { ANSWER(3, 503) }, 400 },
        { "attempts are over", { ANSWER(4, 503) }, -1 },
        { "jitter", { ANSWER(1, 503), .jitter = 0.5 }, 150 },
        { "most jitter", { ANSWER(1, 503), .jitter = 0.9999 }, 199 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        int64_t got = ofs_retry_delay_ms(&policy, &rows[i].a);

        if (got != rows[i].want)
            fail_msg("%s: got %lld, want %lld", rows[i].name, (long long)got,
                     (long long)rows[i].want);
    }
}

static void wishes_and_deadlines_count(void **state)
{
    static const struct {
        const char *name;
        int64_t wish_ms, left_ms, want;
    } rows[] = {
        { "server's wish wins", 7000, OFS_NEVER, 7000 },
        { "a smaller wish does not", 10, OFS_NEVER, 100 },
        { "no wish at all", 0, OFS_NEVER, 100 },
        { "the longest wish", 60000, OFS_NEVER, 60000 },
        { "too long a wish", 60001, OFS_NEVER, -1 },
        { "wish within the time left", 7000, 7001, 7000 },
        { "wish beyond the time left", 7000, 7000, -1 },
        { "pause within the time left", -1, 101, 100 },
        { "pause beyond the time left", -1, 100, -1 },
        { "no time left", -1, 0, -1 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_attempt a = { .n = 1,
                                 .http_status = 429,
                                 .retry_after_ms = rows[i].wish_ms,
                                 .left_ms = rows[i].left_ms };
        int64_t got = ofs_retry_delay_ms(&policy, &a);

        if (got != rows[i].want)
            fail_msg("%s: got %lld, want %lld", rows[i].name, (long long)got,
                     (long long)rows[i].want);
    }
}

static void pauses_grow_up_to_the_cap(void **state)
{
    struct ofs_retry_policy many = policy;

    (void)state;
    many.max_attempts = 100;
    for (int n = 4; n < 100; n++) {
        struct ofs_attempt a = { ANSWER(n, 503) };

        assert_int_equal(ofs_retry_delay_ms(&many, &a), 500);
    }
}

static void the_default_policy_is_sane(void **state)
{
    struct ofs_attempt a = { ANSWER(1, 503), .jitter = 0.9 };

    (void)state;
    assert_in_range(ofs_retry_delay_ms(&ofs_retry_default, &a), 50, 1000);
    a.n = ofs_retry_default.max_attempts;
    assert_int_equal(ofs_retry_delay_ms(&ofs_retry_default, &a), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_policy_is_this_table),
        cmocka_unit_test(wishes_and_deadlines_count),
        cmocka_unit_test(pauses_grow_up_to_the_cap),
        cmocka_unit_test(the_default_policy_is_sane),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
