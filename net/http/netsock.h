/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_NETSOCK_H
#define OFS_NETSOCK_H

/* TCP sockets as this program wants them. */

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

/* A socket, closed on exec, that gives a dead peer up after `dead_ms`. */
int ofs_netsock_open(int family, int type, int protocol, int64_t dead_ms);

/* "10.0.0.1:3128", "[::1]:443"; "" for other families. */
void ofs_netsock_name(const struct sockaddr *addr, socklen_t len, char *text,
                      size_t room);

#endif
