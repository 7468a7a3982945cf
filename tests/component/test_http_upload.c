/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "letters.h"

/* Request bodies that are made as they are sent. */

#define AUTOSERVER OFS_AUTO(fake_server_freep) struct fake_server

static struct ofs_http_req ask(char *url, size_t room, struct fake_server *s,
                               const struct letters *l)
{
    (void)snprintf(url, room, "%s/up", fake_server_url(s));
    return (struct ofs_http_req){ .method = "PUT",
                                  .url = url,
                                  .upload = &l->upload };
}

static void a_body_of_unknown_length_is_chunked(void **state)
{
    const struct ofs_http_cfg cfg = { .no_proxy = true };
    AUTOCLIENT *h = client(&cfg);
    AUTOSERVER *s = fake_server_start();
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct letters l;
    char url[128];
    struct ofs_http_req req = ask(url, sizeof(url), s, &l);
    struct ofs_err err;
    OFS_AUTOFREE char *coding = NULL;

    (void)state;
    fake_server_canned(s, "PUT /up", 201, NULL, NULL);
    letters_init(&l, 5000000, 5000000);
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    assert_int_equal(resp.status, 201);
    coding = fake_request_header(fake_server_request(s, "PUT /up", 0),
                                 "Transfer-Encoding");
    assert_string_equal(coding, "chunked");
    assert_true(is_whole(fake_server_request(s, "PUT /up", 0), 5000000));
}

static void an_attempt_that_is_repeated_begins_at_0(void **state)
{
    const struct ofs_http_cfg cfg = { .no_proxy = true };
    AUTOCLIENT *h = client(&cfg);
    AUTOSERVER *s = fake_server_start();
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct letters l;
    char url[128];
    struct ofs_http_req req = ask(url, sizeof(url), s, &l);
    struct ofs_err err;

    (void)state;
    fake_server_canned(s, "PUT /up", 201, NULL, NULL);
    fake_server_fault(s, &(struct fake_fault){ .match = "PUT /up",
                                               .nth = 1,
                                               .kind = FAKE_CUT_REQUEST,
                                               .n = 1000 });
    letters_init(&l, 200000, 200000);
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    assert_int_equal(atomic_load(&l.begun), 2);
    assert_true(is_whole(fake_server_request(s, "PUT /up", 1), 200000));
}

/* Also when libcurl would do it by itself, on a connection that it knew. */
static void what_is_to_be_sent_once_is_sent_once(void **state)
{
    const struct ofs_http_cfg cfg = { .no_proxy = true };
    AUTOCLIENT *h = client(&cfg);
    AUTOSERVER *s = fake_server_start();
    struct letters l;
    char url[128];
    struct ofs_http_req req = ask(url, sizeof(url), s, &l);
    OFS_AUTORESP struct ofs_http_resp first = { 0 }, second = { 0 };
    struct ofs_err err;

    (void)state;
    req.no_retry = true;
    fake_server_canned(s, "PUT /up", 201, NULL, NULL);
    fake_server_fault(s, &(struct fake_fault){ .match = "PUT /up",
                                               .nth = 2,
                                               .kind = FAKE_CUT_REQUEST,
                                               .n = 1000 });
    letters_init(&l, 200000, 200000);
    assert_int_equal(perform(h, LONG_MS, &req, &first, &err), 0);
    assert_int_equal(perform(h, LONG_MS, &req, &second, &err), -EIO);
    assert_int_equal(fake_server_count(s, "PUT /up"), 2);
    /* The second one went out on a connection that was known. */
    assert_int_equal(fake_server_request(s, "PUT /up", 1)->connection, 1);
}

enum { MANY = 8 };

static void many_uploads_rest_and_go_on_together(void **state)
{
    const struct ofs_http_cfg cfg = { .no_proxy = true };
    AUTOCLIENT *h = client(&cfg);
    AUTOSERVER *s = fake_server_start();
    struct letters l[MANY];
    struct background b[MANY];
    char url[MANY][128];

    (void)state;
    fake_server_canned(s, "PUT /up", 201, NULL, NULL);
    for (size_t i = 0; i < MANY; i++) {
        struct ofs_http_req req = ask(url[i], sizeof(url[i]), s, &l[i]);

        letters_init(&l[i], 1000, 300000);
        background_start(&b[i], h, LONG_MS, &req);
    }
    for (uint64_t n = 2000; n < 300000; n += 50000)
        for (size_t i = 0; i < MANY; i++) {
            await_hunger(&l[i]);
            atomic_store(&l[i].ready, n);
            ofs_http_upload_more(h);
        }
    for (size_t i = 0; i < MANY; i++)
        atomic_store(&l[i].ready, 300000);
    ofs_http_upload_more(h);
    for (size_t i = 0; i < MANY; i++) {
        assert_int_equal(background_join(&b[i]), 0);
        assert_true(
            is_whole(fake_server_request(s, "PUT /up", (unsigned)i), 300000));
    }
}

static void stopping_ends_an_upload_that_rests(void **state)
{
    const struct ofs_http_cfg cfg = { .no_proxy = true };
    AUTOCLIENT *h = client(&cfg);
    AUTOSERVER *s = fake_server_start();
    struct letters l;
    struct background b;
    char url[128];
    struct ofs_http_req req = ask(url, sizeof(url), s, &l);

    (void)state;
    letters_init(&l, 1000, 2000);
    background_start(&b, h, LONG_MS, &req);
    await_hunger(&l);
    ofs_http_stop(h);
    assert_int_equal(background_join(&b), -EINTR);
}

static void a_pause_ends_with_the_engine(void **state)
{
    const struct ofs_http_cfg cfg = { .no_proxy = true };
    AUTOCLIENT *h = client(&cfg);
    struct ofs_call call;
    struct ofs_err err = { 0 };

    (void)state;
    ofs_call_init(&call, LONG_MS);
    assert_int_equal(ofs_http_pause(h, &call, 10, &err), 0);
    ofs_call_cancel(&call);
    assert_int_equal(ofs_http_pause(h, &call, LONG_MS, &err), -EINTR);
    ofs_http_stop(h);
    assert_int_equal(ofs_http_pause(h, &call, 10, &err), -EINTR);
    ofs_call_done(&call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_of_unknown_length_is_chunked),
        cmocka_unit_test(an_attempt_that_is_repeated_begins_at_0),
        cmocka_unit_test(what_is_to_be_sent_once_is_sent_once),
        cmocka_unit_test(many_uploads_rest_and_go_on_together),
        cmocka_unit_test(stopping_ends_an_upload_that_rests),
        cmocka_unit_test(a_pause_ends_with_the_engine),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
