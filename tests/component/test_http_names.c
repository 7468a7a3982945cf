/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "fake_server.h"
#include "http_client.h"

#include <dlfcn.h>
#include <netdb.h>

/*
 * Names: the C library's resolver is replaced, so that it may hang as it does
 * when no name server answers.
 */

static struct {
    pthread_mutex_t mtx;
    pthread_cond_t changed;
    unsigned hanging; /* look-ups that hang now */
    bool open;        /* they go on */
} gate = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0, false };

static void hang(void)
{
    (void)pthread_mutex_lock(&gate.mtx);
    gate.hanging++;
    (void)pthread_cond_broadcast(&gate.changed);
    while (!gate.open)
        (void)pthread_cond_wait(&gate.changed, &gate.mtx);
    gate.hanging--;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.mtx);
}

static void wait_for_hanging(unsigned n)
{
    (void)pthread_mutex_lock(&gate.mtx);
    while (gate.hanging != n)
        (void)pthread_cond_wait(&gate.changed, &gate.mtx);
    (void)pthread_mutex_unlock(&gate.mtx);
}

static void let_go(void)
{
    (void)pthread_mutex_lock(&gate.mtx);
    gate.open = true;
    (void)pthread_cond_broadcast(&gate.changed);
    (void)pthread_mutex_unlock(&gate.mtx);
    wait_for_hanging(0);
    gate.open = false;
}

int getaddrinfo(const char *name, const char *service,
                const struct addrinfo *hints, struct addrinfo **ret)
{
    int (*real)(const char *, const char *, const struct addrinfo *,
                struct addrinfo **);
    void *found = dlsym(RTLD_NEXT, "getaddrinfo");

    memcpy(&real, &found, sizeof(real));
    if (name && strcmp(name, "hangs.test") == 0) {
        hang();
        return EAI_AGAIN;
    }
    if (name && strcmp(name, "good.test") == 0)
        name = "127.0.0.1";
    return real(name, service, hints, ret);
}

static const struct ofs_http_req hanging = { .method = "GET",
                                             .url = "http://hangs.test/" };

static void a_name_is_looked_up(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .no_proxy = true });
    OFS_AUTOFREE char *url =
        ofs_strf("http://good.test:%d/x", fake_server_port(s));
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    fake_server_canned(s, "GET /x", 200, NULL, "");
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET", .url = url }, &resp,
                &err),
        0);
    assert_int_equal(resp.status, 200);
}

static void a_hanging_look_up_holds_nobody_up(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .no_proxy = true });
    OFS_AUTOFREE char *url = ofs_strf("%s/x", fake_server_url(s));
    OFS_AUTORESP struct ofs_http_resp one = { 0 }, two = { 0 };
    struct ofs_http_req req = { .method = "GET", .url = url };
    struct background b;
    int64_t begun;
    struct ofs_err err;

    (void)state;
    fake_server_canned(s, "GET /x", 200, NULL, "");
    background_start(&b, h, OFS_NEVER, &hanging);
    wait_for_hanging(1);
    assert_int_equal(perform(h, SOON_MS, &req, &one, &err), 0);
    begun = ofs_mono_ms();
    ofs_call_cancel(&b.call);
    assert_int_equal(background_join(&b), -EINTR);
    assert_true(b.ended_ms - begun < SOON_MS);
    assert_int_equal(perform(h, SOON_MS, &req, &two, &err), 0);
    let_go();
}

static void a_look_up_is_part_of_connecting(void **state)
{
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){
        .connect_timeout_ms = 200, .max_attempts = 1, .no_proxy = true });
    struct ofs_http_resp resp;
    int64_t begun = ofs_mono_ms();
    struct ofs_err err;

    (void)state;
    assert_int_equal(perform(h, LONG_MS, &hanging, &resp, &err), -ETIMEDOUT);
    assert_in_range(ofs_mono_ms() - begun, 200, 200 + SOON_MS);
    assert_string_equal(err.text, "cannot connect to hangs.test: no answer "
                                  "within 0.2 s");
    let_go();
}

static void stopping_does_not_wait_for_names(void **state)
{
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .no_proxy = true });
    struct background b;
    int64_t begun;

    (void)state;
    background_start(&b, h, OFS_NEVER, &hanging);
    wait_for_hanging(1);
    begun = ofs_mono_ms();
    ofs_http_stop(h);
    assert_true(ofs_mono_ms() - begun < SOON_MS);
    assert_int_equal(background_join(&b), -EINTR);
    let_go();
}

static void a_name_that_is_not_known_is_said_so(void **state)
{
    AUTOCLIENT *h =
        client(&(struct ofs_http_cfg){ .max_attempts = 1, .no_proxy = true });
    struct ofs_http_resp resp;
    struct ofs_err err;

    (void)state;
    assert_int_equal(
        perform(h, LONG_MS,
                &(struct ofs_http_req){ .method = "GET",
                                        .url = "https://registry.invalid/" },
                &resp, &err),
        -EHOSTUNREACH);
    assert_string_equal(err.text, "registry.invalid: no such host");
}

/* What `origin` named, at a name of this machine. */
static int ask_what_it_names(struct ofs_http *h, const char *origin,
                             struct fake_server *s, struct ofs_err *err)
{
    OFS_AUTOFREE char *url =
        ofs_strf("http://good.test:%s/", strrchr(fake_server_url(s), ':') + 1);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };

    return perform(h, LONG_MS,
                   &(struct ofs_http_req){
                       .method = "GET", .url = url, .named_by = origin },
                   &resp, err);
}

static void a_name_of_this_machine_is_refused_from_elsewhere(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *s = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .no_proxy = true });
    struct ofs_err err;

    (void)state;
    assert_int_equal(ask_what_it_names(h, "http://far.test", s, &err), -EACCES);
    assert_non_null(strstr(err.text, "is at 127.0.0.1:"));
    assert_non_null(strstr(err.text, "sends us to this machine"));
    assert_int_equal(fake_server_count(s, "GET /"), 0);
    /* Also where a connection is there already, which we ourselves made. */
    assert_int_equal(ask_what_it_names(h, NULL, s, &err), 0);
    assert_int_equal(ask_what_it_names(h, "http://far.test", s, &err), -EACCES);
    assert_int_equal(fake_server_count(s, "GET /"), 1);
}

static void who_is_on_this_machine_may_name_it(void **state)
{
    OFS_AUTO(fake_server_freep) struct fake_server *a = fake_server_start();
    OFS_AUTO(fake_server_freep) struct fake_server *b = fake_server_start();
    AUTOCLIENT *h = client(&(struct ofs_http_cfg){ .no_proxy = true });
    OFS_AUTOFREE char *origin =
        ofs_strf("http://good.test:%s", strrchr(fake_server_url(a), ':') + 1);
    struct ofs_err err;

    (void)state;
    assert_int_equal(ask_what_it_names(h, origin, a, &err), 0);
    assert_int_equal(ask_what_it_names(h, origin, b, &err), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_looked_up),
        cmocka_unit_test(a_name_of_this_machine_is_refused_from_elsewhere),
        cmocka_unit_test(who_is_on_this_machine_may_name_it),
        cmocka_unit_test(a_hanging_look_up_holds_nobody_up),
        cmocka_unit_test(a_look_up_is_part_of_connecting),
        cmocka_unit_test(stopping_does_not_wait_for_names),
        cmocka_unit_test(a_name_that_is_not_known_is_said_so),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
