/* SPDX-License-Identifier: Apache-2.0 */
#include "netsock.h"

#include <arpa/inet.h>
#include <limits.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>

/*
 * Bytes of an upload that may lie unsent in the kernel.  Without it these are
 * megabytes, and the last sign of life of an upload over a slow line would be
 * minutes before the server has read it.
 */
enum { UNSENT_MAX = 256 * 1024 };

static void set(int fd, int option, unsigned value)
{
    (void)setsockopt(fd, IPPROTO_TCP, option, &value, sizeof(value));
}

int ofs_netsock_open(int family, int type, int protocol, int64_t dead_ms)
{
    /* Credential helpers are started with what is not closed on exec. */
    int fd = socket(family, type | SOCK_CLOEXEC, protocol);

    if (fd < 0 || (family != AF_INET && family != AF_INET6))
        return fd;
    /*
     * An HTTP/2 connection outlives its requests, also those that were given
     * up because nothing came; so the kernel has to notice that the path is
     * dead, or the next request would be sent the same way.
     */
    set(fd, TCP_USER_TIMEOUT, dead_ms > INT_MAX ? INT_MAX : (unsigned)dead_ms);
    set(fd, TCP_NOTSENT_LOWAT, UNSENT_MAX);
    return fd;
}

void ofs_netsock_name(const struct sockaddr *addr, socklen_t len, char *text,
                      size_t room)
{
    union {
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } a;
    char ip[INET6_ADDRSTRLEN];

    text[0] = '\0';
    if (addr->sa_family == AF_INET && len >= sizeof(a.v4)) {
        memcpy(&a.v4, addr, sizeof(a.v4));
        if (inet_ntop(AF_INET, &a.v4.sin_addr, ip, sizeof(ip)))
            (void)snprintf(text, room, "%s:%d", ip, ntohs(a.v4.sin_port));
    } else if (addr->sa_family == AF_INET6 && len >= sizeof(a.v6)) {
        memcpy(&a.v6, addr, sizeof(a.v6));
        if (inet_ntop(AF_INET6, &a.v6.sin6_addr, ip, sizeof(ip)))
            (void)snprintf(text, room, "[%s]:%d", ip, ntohs(a.v6.sin6_port));
    }
}
