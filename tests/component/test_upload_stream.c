/* SPDX-License-Identifier: Apache-2.0 */
#include "upload_rig.h"

#include <sched.h>

/* Uploads that run while their data are being written. */

static const uint64_t MiB = 1024 * 1024;

/* A stream on a thread of its own. */
struct streaming {
    struct rig *rig;
    struct ofs_upload *u;
    struct rig_source *s;
    struct ofs_call call;
    struct ofs_err err;
    int r;
    pthread_t thread;
};

static void *stream_run(void *arg)
{
    struct streaming *st = arg;

    st->r = ofs_upload_stream(st->u, &st->call, &st->s->data, &st->s->sent,
                              &st->err);
    return NULL;
}

static void stream_start(struct streaming *st, struct rig *rig,
                         struct rig_source *s)
{
    *st = (struct streaming){ .rig = rig, .s = s };
    s->data.size = OFS_UNTIL_END;
    ofs_call_init(&st->call, RIG_CALL_MS);
    assert_int_equal(
        ofs_upload_open(rig->r, &rig->call, RIG_REPO, &st->u, &rig->err), 0);
    assert_int_equal(pthread_create(&st->thread, NULL, stream_run, st), 0);
}

static int stream_join(struct streaming *st)
{
    (void)pthread_join(st->thread, NULL);
    ofs_call_done(&st->call);
    return st->r;
}

/* Until all that there is has been sent, and more was asked for. */
static void await_hunger(struct rig_source *s)
{
    int64_t until = ofs_mono_ms() + RIG_CALL_MS;

    while (atomic_load(&s->starved) == 0 && ofs_mono_ms() < until)
        (void)sched_yield();
    assert_int_not_equal(atomic_load(&s->starved), 0);
}

static void feed(struct rig *rig, struct rig_source *s, uint64_t n)
{
    atomic_store(&s->starved, 0);
    atomic_store(&s->ready, n);
    ofs_uploads_wake(rig->r);
}

static void data_are_sent_while_they_are_written(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 3 * MiB);
    atomic_store(&s.ready, 0);
    stream_start(&st, &rig, &s);
    for (uint64_t n = 100; n < 3 * MiB; n += 700001) {
        await_hunger(&s);
        feed(&rig, &s, n);
    }
    await_hunger(&s);
    feed(&rig, &s, 3 * MiB);
    assert_int_equal(stream_join(&st), 0);
    assert_int_equal(atomic_load(&s.sent), 3 * MiB);
    assert_int_equal(ofs_upload_finish(st.u, &rig.call, &s.digest, &rig.err),
                     0);
    ofs_upload_close(st.u);
    assert_true(fake_registry_has(rig.fake, RIG_REPO, &s.digest));
    assert_string_equal(rig_header(&rig, RIG_PATCH, 0, "Transfer-Encoding"),
                        "chunked");
    assert_string_equal(rig_header(&rig, RIG_PATCH, 0, "Content-Range"), "");
    assert_int_equal(rig_count(&rig, "* *"), 3);
}

static void nothing_can_be_streamed_too(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 0);
    stream_start(&st, &rig, &s);
    assert_int_equal(stream_join(&st), 0);
    assert_int_equal(ofs_upload_finish(st.u, &rig.call, &s.digest, &rig.err),
                     0);
    ofs_upload_close(st.u);
}

static void a_slow_writer_is_no_stall(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .stall_ms = 1500 });
    rig_source_init(&s, 7, 2000);
    atomic_store(&s.ready, 1000);
    stream_start(&st, &rig, &s);
    await_hunger(&s);
    assert_int_equal(ofs_call_pause(&rig.call, 3000, &rig.err), 0);
    feed(&rig, &s, 2000);
    assert_int_equal(stream_join(&st), 0);
    ofs_upload_close(st.u);
}

static void a_server_that_stops_reading_is_a_stall(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .stall_ms = 1500 });
    rig_source_init(&s, 7, 32 * MiB);
    rig_fault(&rig, RIG_PATCH, 0, FAKE_STALL_REQUEST, 64 * 1024);
    stream_start(&st, &rig, &s);
    assert_int_equal(stream_join(&st), -ETIMEDOUT);
    ofs_upload_close(st.u);
}

/* The answer is there while the source has nothing: no need to wait for it. */
static void a_refusal_is_heard_while_nothing_is_written(void **state)
{
    static const struct {
        int64_t status;
        const char *header;
        int r;
    } rows[] = {
        { 401, NULL, -EACCES }, { 403, "Connection: close", -EACCES },
        { 413, NULL, -EFBIG },  { 404, NULL, -ENOENT },
        { 500, NULL, -EIO },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct fake_fault fault = {
            .match = RIG_PATCH,
            .kind = FAKE_STATUS,
            .n = rows[i].status,
            .header = rows[i].header,
        };
        RIG_AUTO struct rig rig;
        struct rig_source s;
        struct streaming st;

        rig_start(&rig, NULL);
        rig_source_init(&s, 7, 4000);
        atomic_store(&s.ready, 2000);
        fake_server_fault(rig.server, &fault);
        rig_fault(&rig, RIG_PATCH, 0, FAKE_EARLY_ANSWER, 1000);
        stream_start(&st, &rig, &s);
        if (stream_join(&st) != rows[i].r)
            fail_msg("row %zu: %d %s", i, st.r, st.err.text);
        ofs_upload_close(st.u);
        assert_int_equal(fake_registry_sessions(rig.fake), 0);
    }
}

/* A session takes bytes once: no attempt is repeated behind our back. */
static void a_broken_stream_is_over(void **state)
{
    static const struct {
        enum fake_fault_kind kind;
        int64_t n;
    } rows[] = {
        { FAKE_RESET_NOW, 0 },
        { FAKE_LOSE_ANSWER, 0 },
        { FAKE_CUT_REQUEST, 70000 },
        { FAKE_KEEP_LESS, 10 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        RIG_AUTO struct rig rig;
        struct rig_source s;
        struct streaming st;

        rig_start(&rig, NULL);
        rig_source_init(&s, 7, 100000);
        rig_fault(&rig, RIG_PATCH, 0, rows[i].kind, rows[i].n);
        stream_start(&st, &rig, &s);
        if (stream_join(&st) != -EIO)
            fail_msg("row %zu: %d %s", i, st.r, st.err.text);
        assert_int_equal(rig_count(&rig, RIG_PATCH), 1);
        ofs_upload_close(st.u);
        assert_int_equal(rig_count(&rig, RIG_CANCEL), 1);
        assert_int_equal(fake_registry_sessions(rig.fake), 0);
    }
}

static void a_reset_is_heard_while_nothing_is_written(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 2000);
    atomic_store(&s.ready, 1000);
    rig_fault(&rig, RIG_PATCH, 0, FAKE_CUT_REQUEST, 1000);
    stream_start(&st, &rig, &s);
    assert_int_equal(stream_join(&st), -EIO);
    ofs_upload_close(st.u);
}

static void a_token_may_end_before_the_stream_does(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, &(struct rig_cfg){ .fake = { .auth = FAKE_AUTH_BEARER,
                                                 .narrow_tokens = true } });
    rig_source_init(&s, 7, 2000);
    atomic_store(&s.ready, 1000);
    stream_start(&st, &rig, &s);
    await_hunger(&s);
    fake_registry_expire_tokens(rig.fake);
    feed(&rig, &s, 2000);
    /* Only the fake looks at the token when all has come; it begins anew. */
    assert_int_equal(stream_join(&st), 0);
    assert_int_equal(ofs_upload_finish(st.u, &rig.call, &s.digest, &rig.err),
                     0);
    ofs_upload_close(st.u);
    assert_true(fake_registry_has(rig.fake, RIG_REPO, &s.digest));
}

static void giving_up_ends_a_stream_that_waits(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 2000);
    atomic_store(&s.ready, 1000);
    stream_start(&st, &rig, &s);
    await_hunger(&s);
    ofs_call_cancel(&st.call);
    assert_int_equal(stream_join(&st), -EINTR);
    ofs_upload_close(st.u);
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
}

static void a_source_that_fails_ends_the_stream(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s;
    struct streaming st;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 2000);
    s.fail_at = 1000;
    atomic_store(&s.ready, 1000);
    stream_start(&st, &rig, &s);
    assert_int_equal(stream_join(&st), -ENOSPC);
    ofs_upload_close(st.u);
}

static void the_wrong_digest_is_found_at_the_end(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_source s, other;
    struct streaming st;

    (void)state;
    rig_start(&rig, NULL);
    rig_source_init(&s, 7, 2000);
    rig_source_init(&other, 8, 2000);
    stream_start(&st, &rig, &s);
    assert_int_equal(stream_join(&st), 0);
    assert_int_equal(
        ofs_upload_finish(st.u, &rig.call, &other.digest, &rig.err), -EBADMSG);
    ofs_upload_close(st.u);
    assert_int_equal(fake_registry_sessions(rig.fake), 0);
}

static void closing_does_not_wait_for_a_silent_registry(void **state)
{
    RIG_AUTO struct rig rig;
    struct ofs_upload *u;
    int64_t begun;

    (void)state;
    rig_start(&rig, NULL);
    assert_int_equal(ofs_upload_open(rig.r, &rig.call, RIG_REPO, &u, &rig.err),
                     0);
    rig_fault(&rig, RIG_CANCEL, 0, FAKE_STALL, 0);
    begun = ofs_mono_ms();
    ofs_upload_close(u);
    assert_in_range(ofs_mono_ms() - begun, 0, 8000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(data_are_sent_while_they_are_written),
        cmocka_unit_test(nothing_can_be_streamed_too),
        cmocka_unit_test(a_slow_writer_is_no_stall),
        cmocka_unit_test(a_server_that_stops_reading_is_a_stall),
        cmocka_unit_test(a_refusal_is_heard_while_nothing_is_written),
        cmocka_unit_test(a_broken_stream_is_over),
        cmocka_unit_test(a_reset_is_heard_while_nothing_is_written),
        cmocka_unit_test(a_token_may_end_before_the_stream_does),
        cmocka_unit_test(giving_up_ends_a_stream_that_waits),
        cmocka_unit_test(a_source_that_fails_ends_the_stream),
        cmocka_unit_test(the_wrong_digest_is_found_at_the_end),
        cmocka_unit_test(closing_does_not_wait_for_a_silent_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
