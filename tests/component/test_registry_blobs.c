/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#define GET_BLOB "GET /v2/a/b/blobs/*"

enum { MIB = 1024 * 1024 };

static void one_cold_read_is_one_request(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 1, 8 * MIB);
    assert_int_equal(rig_read(&rig, &blob, 5 * MIB + 7, 4096), 0);
    assert_int_equal(rig_count(&rig, "* *"), 1);
    assert_true(fake_server_body_bytes(rig.server) <= 4096);
}

static void the_whole_is_read_without_a_range(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    const struct fake_request *req;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 1, 3 * MIB + 1);
    assert_int_equal(rig_read(&rig, &blob, 0, blob.size), 0);
    assert_int_equal(rig_count(&rig, GET_BLOB), 1);
    req = fake_server_request(rig.server, GET_BLOB, 0);
    assert_int_equal(fake_request_has(req, "Range"), 0);
    assert_int_equal(fake_request_has(req, "Accept-Encoding"), 1);
}

static void edges_of_a_blob_are_read(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 2, 1000);
    assert_int_equal(rig_read(&rig, &blob, 0, 1), 0);
    assert_int_equal(rig_read(&rig, &blob, 999, 1), 0);
    assert_int_equal(rig_read(&rig, &blob, 1, 999), 0);
    assert_int_equal(rig_read(&rig, &blob, 0, 999), 0);
    assert_int_equal(rig_read(&rig, &blob, 1, 1000), -EINVAL);
    assert_int_equal(rig_count(&rig, GET_BLOB), 4);
}

static void many_reads_share_one_connection(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 3, MIB);
    for (uint64_t i = 0; i < 20; i++)
        assert_int_equal(rig_read(&rig, &blob, i * 4096, 4096), 0);
    assert_int_equal(fake_server_connections(rig.server), 1);
}

/* One fault on the first answer; what is asked in all, and the result. */
static const struct {
    const char *what;
    enum fake_fault_kind kind;
    int64_t n;
    const char *text;
    uint64_t off, len;
    int r;
    unsigned requests;
} faults[] = {
    { "200", FAKE_WHOLE_FOR_RANGE, 0, NULL, 70000, 4096, 0, 1 },
    { "short body", FAKE_SHORT_BODY, 1000, NULL, 100, 5000, 0, 2 },
    { "short whole", FAKE_SHORT_BODY, 1000, NULL, 0, MIB, 0, 2 },
    { "long body", FAKE_LONG_BODY, 77, NULL, 100, 5000, 0, 2 },
    { "no length", FAKE_NO_CONTENT_LENGTH, 0, NULL, 100, 5000, 0, 1 },
    { "whole, no length", FAKE_NO_CONTENT_LENGTH, 0, NULL, 0, MIB, 0, 1 },
    { "wrong place", FAKE_WRONG_CONTENT_RANGE, 0, NULL, 100, 5000, 0, 2 },
    { "no place", FAKE_DROP_HEADER, 0, "Content-Range", 100, 5000, 0, 2 },
    { "wrong total", FAKE_WRONG_TOTAL, 0, NULL, 100, 5000, -EBADMSG, 1 },
    { "reset at once", FAKE_RESET_NOW, 0, NULL, 100, 5000, 0, 2 },
    { "reset after the head", FAKE_RESET_AFTER, 0, NULL, 100, 5000, 0, 2 },
    { "reset", FAKE_RESET_AFTER, 300000, NULL, 5, MIB - 10, 0, 2 },
    { "404", FAKE_STATUS, 404, NULL, 0, 10, -ENOENT, 1 },
    { "403", FAKE_STATUS, 403, NULL, 0, 10, -EACCES, 1 },
    { "416 of an empty blob", FAKE_STATUS, 416, NULL, 5, 10, -EBADMSG, 1 },
    { "204", FAKE_STATUS, 204, NULL, 5, 10, -EBADMSG, 1 },
    { "range is 400", FAKE_STATUS, 400, NULL, 100, 5000, 0, 2 },
    { "range is 412", FAKE_STATUS, 412, NULL, 100, 5000, 0, 2 },
    { "range is 501", FAKE_STATUS, 501, NULL, 100, 5000, 0, 2 },
    { "all is 400", FAKE_STATUS, 400, NULL, 0, MIB, -EINVAL, 1 },
    { "503, then fine", FAKE_STATUS, 503, NULL, 5, 10, 0, 2 },
    { "odd case", FAKE_ODD_CASE, 0, NULL, 5, 10, 0, 1 },
    { "all twice", FAKE_DUPLICATE_HEADER, 0, NULL, 5, 10, 0, 1 },
    { "to ftp", FAKE_REDIRECT, 0, "ftp://h/x", 5, 10, -EBADMSG, 1 },
    { "to nowhere", FAKE_STATUS, 302, NULL, 5, 10, -EBADMSG, 1 },
};

static void odd_answers_are_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(faults); i++) {
        RIG_AUTO struct rig rig;
        struct fake_fault fault = {
            .match = GET_BLOB,
            .nth = 1,
            .kind = faults[i].kind,
            .n = faults[i].n,
            .text = faults[i].text,
        };
        struct rig_blob blob;
        int r;

        rig_start(&rig, NULL);
        blob = rig_seeded(&rig, 10 + i, MIB);
        fake_server_fault(rig.server, &fault);
        r = rig_read(&rig, &blob, faults[i].off, faults[i].len);
        if (r != faults[i].r || rig_count(&rig, "* *") != faults[i].requests)
            fail_msg("'%s': %d '%s', %u requests", faults[i].what, r,
                     rig.err.text, rig_count(&rig, "* *"));
        if (r < 0)
            assert_true(strlen(rig.err.text) > 10);
    }
}

static void a_server_that_calls_ranges_impossible_gives_all(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 4, 100000);
    rig_fault(&rig, GET_BLOB, 1, FAKE_STATUS, 416);
    fake_server_fault(rig.server, &(struct fake_fault){
                                      .match = GET_BLOB,
                                      .nth = 1,
                                      .kind = FAKE_DROP_HEADER,
                                      .text = "Content-Range",
                                  });
    assert_int_equal(rig_read(&rig, &blob, 500, 100), 0);
    assert_int_equal(rig_count(&rig, GET_BLOB), 2);
    assert_int_equal(
        fake_request_has(fake_server_request(rig.server, GET_BLOB, 1), "Range"),
        0);
}

static void a_read_goes_on_where_it_broke(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    OFS_AUTOFREE char *range = NULL;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 4, 4 * MIB);
    rig_fault(&rig, GET_BLOB, 1, FAKE_RESET_AFTER, MIB);
    rig_fault(&rig, GET_BLOB, 2, FAKE_RESET_AFTER, MIB);
    rig_fault(&rig, GET_BLOB, 3, FAKE_RESET_AFTER, MIB);
    rig_fault(&rig, GET_BLOB, 4, FAKE_SHORT_BODY, 5);
    assert_int_equal(rig_read(&rig, &blob, 10, 4 * MIB - 10), 0);
    assert_true(rig_count(&rig, GET_BLOB) >= 5);
    range = fake_request_header(fake_server_request(rig.server, GET_BLOB, 1),
                                "Range");
    assert_non_null(range);
    assert_null(strstr(range, "bytes=10-"));
    assert_non_null(strstr(range, "-4194303"));
}

/* What lies close behind is read for nothing, so that the connection stays. */
static void a_little_too_much_does_not_cost_the_connection(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 4, 50000);
    rig_fault(&rig, GET_BLOB, 0, FAKE_WHOLE_FOR_RANGE, 0);
    for (uint64_t i = 0; i < 5; i++)
        assert_int_equal(rig_read(&rig, &blob, 100 * i, 100), 0);
    assert_int_equal(fake_server_connections(rig.server), 1);
    blob = rig_seeded(&rig, 4, 50000000);
    assert_int_equal(rig_read(&rig, &blob, 100, 100), 0);
    assert_true(fake_server_body_bytes(rig.server) < 40000000);
}

static void three_attempts_without_a_byte_are_enough(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 5, MIB);
    rig_fault(&rig, GET_BLOB, 0, FAKE_SHORT_BODY, 100);
    assert_int_equal(rig_read(&rig, &blob, 0, 100), -EIO);
    assert_true(rig_count(&rig, GET_BLOB) <= 4);
}

static void a_reset_without_progress_ends(void **state)
{
    const struct rig_cfg cfg = { .max_attempts = 2 };
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &cfg);
    blob = rig_seeded(&rig, 5, MIB);
    rig_fault(&rig, GET_BLOB, 0, FAKE_RESET_AFTER, 0);
    assert_int_equal(rig_read(&rig, &blob, 0, 100), -EIO);
    assert_int_equal(rig_count(&rig, GET_BLOB), 2);
}

static void a_server_may_send_the_whole_for_a_range(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 6, MIB);
    rig_fault(&rig, GET_BLOB, 1, FAKE_WHOLE_FOR_RANGE, 0);
    assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
    assert_int_equal(rig_count(&rig, GET_BLOB), 1);
    assert_int_equal(rig_read(&rig, &blob, 5, 100), 0);
    assert_int_equal(rig_count(&rig, GET_BLOB), 2);
}

static void other_sizes_are_told(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 7, 1000);
    blob.size = 999;
    assert_int_equal(rig_read(&rig, &blob, 0, 999), -EBADMSG);
    assert_non_null(strstr(rig.err.text, "1000"));
    assert_int_equal(rig_read(&rig, &blob, 0, 10), -EBADMSG);
    blob.size = 1001;
    assert_int_equal(rig_read(&rig, &blob, 0, 1001), -EBADMSG);
    assert_int_equal(rig_read(&rig, &blob, 1000, 1), -EBADMSG);
}

/* Also with an errno that the network has, too. */
static void a_sink_that_fails_ends_the_read(void **state)
{
    static const int codes[] = { -ENOSPC, -EIO, -ETIMEDOUT };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(codes); i++) {
        RIG_AUTO struct rig rig;
        OFS_AUTO(rig_bytes_done)
        struct rig_bytes b = { .refuse_at = 100000, .refuse_code = codes[i] };
        struct rig_blob blob;

        rig_start(&rig, NULL);
        blob = rig_seeded(&rig, 8, MIB);
        assert_int_equal(rig_read_to(&rig, &blob, 0, MIB, &b), codes[i]);
        assert_int_equal(rig_count(&rig, GET_BLOB), 1);
    }
}

static void names_that_cannot_be_never_leave(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    uint64_t size;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 9, 100);
    blob.repo = "../../etc";
    assert_int_equal(rig_read(&rig, &blob, 0, 100), -ENOENT);
    assert_int_equal(ofs_registry_blob_head(rig.r, &rig.call, "A", &blob.digest,
                                            &size, &rig.err),
                     -ENOENT);
    assert_int_equal(rig_count(&rig, "* *"), 0);
}

static void a_cancelled_read_ends_at_once(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 9, 100);
    ofs_call_cancel(&rig.call);
    assert_int_equal(rig_read(&rig, &blob, 0, 100), -EINTR);
    assert_int_equal(rig_count(&rig, "* *"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_cold_read_is_one_request),
        cmocka_unit_test(the_whole_is_read_without_a_range),
        cmocka_unit_test(edges_of_a_blob_are_read),
        cmocka_unit_test(many_reads_share_one_connection),
        cmocka_unit_test(odd_answers_are_taken_or_refused),
        cmocka_unit_test(a_server_that_calls_ranges_impossible_gives_all),
        cmocka_unit_test(a_read_goes_on_where_it_broke),
        cmocka_unit_test(a_little_too_much_does_not_cost_the_connection),
        cmocka_unit_test(three_attempts_without_a_byte_are_enough),
        cmocka_unit_test(a_reset_without_progress_ends),
        cmocka_unit_test(a_server_may_send_the_whole_for_a_range),
        cmocka_unit_test(other_sizes_are_told),
        cmocka_unit_test(a_sink_that_fails_ends_the_read),
        cmocka_unit_test(names_that_cannot_be_never_leave),
        cmocka_unit_test(a_cancelled_read_ends_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
