/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "netsock.h"
#include "stall_timer.h"

#include "ocirfs/call.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>

static void each_phase_has_its_limit(void **state)
{
    static const struct ofs_stall_timer_limits limits = { 10, 30 };
    int64_t now = 1000;
    struct ofs_stall_timer l = { .limits = &limits, .now_ms = &now };

    (void)state;
    ofs_stall_timer_begin(&l);
    assert_int_equal(l.phase, OFS_PHASE_WAITING);
    assert_int_equal(ofs_stall_timer_due_ms(&l), OFS_NEVER);
    l.phase = OFS_PHASE_CONNECTING;
    assert_int_equal(ofs_stall_timer_due_ms(&l), 1010);
    l.phase = OFS_PHASE_TALKING;
    assert_int_equal(ofs_stall_timer_due_ms(&l), 1030);
    now = 1025;
    assert_int_equal(ofs_stall_timer_due_ms(&l), 1030);
    ofs_stall_timer_tick(&l);
    assert_int_equal(ofs_stall_timer_due_ms(&l), 1055);
}

static void an_upload_that_rests_is_not_due(void **state)
{
    static const struct ofs_stall_timer_limits limits = { 10, 30 };
    int64_t now = 1000;
    struct ofs_stall_timer l = { .limits = &limits, .now_ms = &now };

    (void)state;
    ofs_stall_timer_begin(&l);
    l.phase = OFS_PHASE_TALKING;
    ofs_stall_timer_rest(&l);
    assert_int_equal(ofs_stall_timer_due_ms(&l), OFS_NEVER);
    now = 5000;
    ofs_stall_timer_go_on(&l);
    assert_int_equal(ofs_stall_timer_due_ms(&l), 5030);
    ofs_stall_timer_rest(&l);
    ofs_stall_timer_begin(&l);
    assert_false(l.resting);
}

static void a_socket_knows_when_its_peer_is_dead(void **state)
{
    OFS_AUTOCLOSE int fd = ofs_netsock_open(AF_INET, SOCK_STREAM, 0, 1234);
    OFS_AUTOCLOSE int local = ofs_netsock_open(AF_UNIX, SOCK_STREAM, 0, 1234);
    unsigned value = 0;
    socklen_t len = sizeof(value);

    (void)state;
    assert_true(fd >= 0);
    assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(
        getsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &value, &len), 0);
    assert_int_equal(value, 1234);
    assert_true(local >= 0);
    assert_true(fcntl(local, F_GETFD) & FD_CLOEXEC);
    assert_int_equal(ofs_netsock_open(-1, SOCK_STREAM, 0, 1), -1);
}

static void addresses_are_written_with_their_port(void **state)
{
    struct sockaddr_in v4 = { .sin_family = AF_INET, .sin_port = htons(3128) };
    struct sockaddr_in6 v6 = { .sin6_family = AF_INET6,
                               .sin6_port = htons(443),
                               .sin6_addr = IN6ADDR_LOOPBACK_INIT };
    struct sockaddr other = { .sa_family = AF_UNIX };
    char text[64];

    (void)state;
    v4.sin_addr.s_addr = htonl(0x0a000001);
    ofs_netsock_name((struct sockaddr *)&v4, sizeof(v4), text, sizeof(text));
    assert_string_equal(text, "10.0.0.1:3128");
    ofs_netsock_name((struct sockaddr *)&v6, sizeof(v6), text, sizeof(text));
    assert_string_equal(text, "[::1]:443");
    ofs_netsock_name((struct sockaddr *)&v6, sizeof(v4), text, sizeof(text));
    assert_string_equal(text, "");
    ofs_netsock_name(&other, sizeof(other), text, sizeof(text));
    assert_string_equal(text, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_phase_has_its_limit),
        cmocka_unit_test(an_upload_that_rests_is_not_due),
        cmocka_unit_test(a_socket_knows_when_its_peer_is_dead),
        cmocka_unit_test(addresses_are_written_with_their_port),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
