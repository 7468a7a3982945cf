/* SPDX-License-Identifier: Apache-2.0 */
#include "nearby.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* On Linux 0.0.0.0 is this machine. */
static bool is_near4(const uint8_t v4[4])
{
    return v4[0] == 127 || v4[0] == 0 || (v4[0] == 169 && v4[1] == 254);
}

/* Where an IPv4 address may stand in an IPv6 one. */
static const struct {
    uint8_t prefix[12];
    size_t len; /* of the prefix, bytes */
    size_t at;  /* of the IPv4 address */
} embedded[] = {
    { { [10] = 0xff, [11] = 0xff }, 12, 12 }, /* ::ffff:0:0/96 */
    { { [8] = 0xff, [9] = 0xff }, 12, 12 },   /* ::ffff:0:0:0/96 */
    { { 0 }, 12, 12 },                        /* ::/96 */
    { { 0x00, 0x64, 0xff, 0x9b }, 12, 12 },   /* 64:ff9b::/96 */
    { { 0x20, 0x02 }, 2, 2 },                 /* 2002::/16 */
};

static bool is_near6(const uint8_t v6[16])
{
    static const uint8_t loopback[16] = { [15] = 1 };

    if (memcmp(v6, loopback, sizeof(loopback)) == 0 ||
        (v6[0] == 0xfe && (v6[1] & 0xc0) == 0x80))
        return true;
    for (size_t i = 0; i < sizeof(embedded) / sizeof(embedded[0]); i++)
        if (memcmp(v6, embedded[i].prefix, embedded[i].len) == 0)
            return is_near4(v6 + embedded[i].at);
    return false;
}

bool ofs_nearby(const struct sockaddr *addr, socklen_t len)
{
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a = { 0 };
    uint8_t bytes[4];

    memcpy(&a, addr, len < sizeof(a) ? len : sizeof(a));
    if (addr->sa_family == AF_INET6)
        return is_near6(a.v6.sin6_addr.s6_addr);
    memcpy(bytes, &a.v4.sin_addr, sizeof(bytes));
    return addr->sa_family == AF_INET && is_near4(bytes);
}

bool ofs_nearby_text(const char *ip)
{
    char plain[INET6_ADDRSTRLEN];
    uint8_t bytes[16];

    (void)snprintf(plain, sizeof(plain), "%.*s", (int)strcspn(ip, "%"), ip);
    if (inet_pton(AF_INET6, plain, bytes) == 1)
        return is_near6(bytes);
    return inet_pton(AF_INET, plain, bytes) == 1 && is_near4(bytes);
}
