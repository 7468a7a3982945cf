/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "nearby.h"

#include "ocirfs/cleanup.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>

static const struct {
    const char *ip;
    bool near;
} rows[] = {
    { "127.0.0.1", true },
    { "127.255.255.254", true },
    { "0.0.0.0", true },
    { "0.1.2.3", true },
    { "169.254.169.254", true },
    { "169.254.0.1", true },
    { "128.0.0.1", false },
    { "169.253.255.255", false },
    { "169.255.0.0", false },
    { "10.0.0.1", false },
    { "192.168.1.1", false },
    { "172.16.0.1", false },
    { "100.64.0.1", false },
    { "8.8.8.8", false },
    { "::", true },
    { "::1", true },
    { "::2", true }, /* 0.0.0.2 */
    { "fe80::1", true },
    { "febf::1", true },
    { "fec0::1", false },
    { "fd00::1", false },
    { "2001:db8::1", false },
    { "::ffff:127.0.0.1", true },
    { "::ffff:0.0.0.0", true },
    { "::ffff:169.254.169.254", true },
    { "::ffff:10.0.0.1", false },
    { "::ffff:0:127.0.0.1", true },
    { "::127.0.0.1", true },
    { "::8.8.8.8", false },
    { "64:ff9b::127.0.0.1", true },
    { "64:ff9b::169.254.169.254", true },
    { "64:ff9b::8.8.8.8", false },
    { "2002:7f00:1::", true },
    { "2002:a9fe:a9fe::1", true },
    { "2002:808:808::", false },
};

static void addresses_of_this_machine_and_its_link_are_near(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct sockaddr_in v4 = { .sin_family = AF_INET };
        struct sockaddr_in6 v6 = { .sin6_family = AF_INET6 };
        bool is_v6 = inet_pton(AF_INET6, rows[i].ip, &v6.sin6_addr) == 1;
        bool got;

        if (!is_v6)
            assert_int_equal(inet_pton(AF_INET, rows[i].ip, &v4.sin_addr), 1);
        got = is_v6 ? ofs_nearby((const void *)&v6, sizeof(v6))
                    : ofs_nearby((const void *)&v4, sizeof(v4));
        if (got != rows[i].near || ofs_nearby_text(rows[i].ip) != got)
            fail_msg("%s", rows[i].ip);
    }
}

static void a_zone_does_not_hide_an_address(void **state)
{
    (void)state;
    assert_true(ofs_nearby_text("fe80::1%eth0"));
    assert_false(ofs_nearby_text("fd00::1%eth0"));
    assert_false(ofs_nearby_text(""));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(addresses_of_this_machine_and_its_link_are_near),
        cmocka_unit_test(a_zone_does_not_hide_an_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
