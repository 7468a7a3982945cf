/* SPDX-License-Identifier: Apache-2.0 */
#include "blobanswer.h"

#include "ocirfs/cleanup.h"

#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* Wanted is [100, 150) of 1000 bytes. */
static const struct blob_want want = {
    .off = 100, .len = 50, .size = 1000, .ranged = true
};

static const struct {
    const char *what;
    int status;
    const char *length, *range, *encoding;
    int r;
    struct blob_plan plan;
} rows[] = {
    { "the range", 206, "50", "bytes 100-149/1000", NULL, 0, { 0, 50, 0, 0 } },
    { "no length", 206, NULL, "bytes 100-149/1000", NULL, 0, { 0, 50, 0, 0 } },
    { "no total", 206, "50", "bytes 100-149/*", NULL, 0, { 0, 50, 0, 0 } },
    { "a shorter one",
      206,
      "10",
      "bytes 100-109/1000",
      NULL,
      0,
      { 0, 10, 0, 0 } },
    { "a wider one",
      206,
      "110",
      "bytes 90-199/1000",
      NULL,
      0,
      { 10, 50, 50, 0 } },
    { "the end", 206, "900", "bytes 100-999/1000", NULL, 0, { 0, 50, 850, 0 } },
    { "begins behind", 206, "50", "bytes 101-150/1000", NULL, -ERANGE, { 0 } },
    { "ends before", 206, "50", "bytes 50-99/1000", NULL, -ERANGE, { 0 } },
    { "beyond the end", 206, "901", "bytes 100-1000/*", NULL, -ERANGE, { 0 } },
    { "no place", 206, "50", NULL, NULL, -ERANGE, { 0 } },
    { "garbage", 206, "50", "bytes 100", NULL, -ERANGE, { 0 } },
    { "the form of a 416", 206, "50", "bytes */1000", NULL, -ERANGE, { 0 } },
    { "lengths differ", 206, "49", "bytes 100-149/1000", NULL, -ERANGE, { 0 } },
    { "other total", 206, "50", "bytes 100-149/1001", NULL, -EBADMSG, { 0 } },
    { "the whole", 200, "1000", NULL, NULL, 0, { 100, 50, 850, 1 } },
    { "the whole, no length", 200, NULL, NULL, NULL, 0, { 100, 50, 850, 1 } },
    { "another whole", 200, "999", NULL, NULL, -EBADMSG, { 0 } },
    { "odd length", 200, "+1000", NULL, NULL, 0, { 100, 50, 850, 1 } },
    { "stored gzip", 200, "1000", NULL, "gzip", 0, { 100, 50, 850, 1 } },
    { "gzip on the fly", 200, NULL, NULL, "gzip", -EBADMSG, { 0 } },
    { "identity", 200, NULL, NULL, "Identity", 0, { 100, 50, 850, 1 } },
    { "part, stored gzip",
      206,
      "50",
      "bytes 100-149/1000",
      "gzip",
      0,
      { 0, 50, 0, 0 } },
    { "part, gzip", 206, "50", "bytes 100-149/*", "gzip", -EBADMSG, { 0 } },
    { "nothing", 204, NULL, NULL, NULL, -EBADMSG, { 0 } },
    { "created", 201, "1000", NULL, NULL, -EBADMSG, { 0 } },
};

static void add(struct ofs_headers *h, const char *name, const char *value)
{
    if (value)
        assert_int_equal(
            ofs_headers_add(h, name, strlen(name), value, strlen(value)), 0);
}

static void every_answer_has_its_plan(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };
        struct blob_plan plan = { 0 };
        struct ofs_err err = { 0 };
        int r;

        add(&h, "Content-Length", rows[i].length);
        add(&h, "Content-Range", rows[i].range);
        add(&h, "Content-Encoding", rows[i].encoding);
        r = ofs_blob_answer(rows[i].status, &h, &want, &plan, &err);
        if (r != rows[i].r || (r < 0 && err.code != r) ||
            plan.skip != rows[i].plan.skip || plan.take != rows[i].plan.take ||
            plan.rest != rows[i].plan.rest ||
            plan.ignored_range != rows[i].plan.ignored_range)
            fail_msg("'%s': %d", rows[i].what, r);
    }
}

static void the_whole_when_asked_for_is_no_surprise(void **state)
{
    const struct blob_want all = { .len = 1000, .size = 1000 };
    OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };
    struct blob_plan plan;

    (void)state;
    assert_int_equal(ofs_blob_answer(200, &h, &all, &plan, NULL), 0);
    assert_int_equal(plan.skip, 0);
    assert_int_equal(plan.take, 1000);
    assert_int_equal(plan.rest, 0);
    assert_false(plan.ignored_range);
}

static const struct {
    const char *range;
    bool known;
    uint64_t total;
} totals[] = {
    { "bytes */0", true, 0 },   { "bytes */77", true, 77 },
    { "bytes 0-0/5", true, 5 }, { "bytes 0-0/*", false, 0 },
    { "x", false, 0 },          { NULL, false, 0 },
};

static void a_total_is_read_where_there_is_one(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(totals); i++) {
        OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };
        uint64_t total = 0;

        add(&h, "Content-Range", totals[i].range);
        if (ofs_blob_total(&h, &total) != totals[i].known ||
            total != totals[i].total)
            fail_msg("row %zu", i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_answer_has_its_plan),
        cmocka_unit_test(the_whole_when_asked_for_is_no_surprise),
        cmocka_unit_test(a_total_is_read_where_there_is_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
