/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NEARBY_H
#define OFS_NEARBY_H

/*
 * Addresses where services listen that trust whoever reaches them: this
 * machine's own and those of its link, the instance metadata among them.  What
 * a registry elsewhere names must not lead there, whatever name it has.  Pure.
 * Source: RFC 6890; RFC 4291, 2.5; RFC 6052 and 3056 for IPv4 within IPv6.
 */

#include <stdbool.h>
#include <sys/socket.h>

/* Private networks (10/8, fc00::/7, ...) are not: object stores live there. */
bool ofs_nearby(const struct sockaddr *addr, socklen_t len);

/* The same of an address as text, "127.0.0.1" or "fe80::1%eth0". */
bool ofs_nearby_text(const char *ip);

#endif
