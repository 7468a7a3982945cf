/* SPDX-License-Identifier: Apache-2.0 */
#include "stall_timer.h"

#include "nearby.h"
#include "netsock.h"

#include "ocirfs/call.h"

#include <netinet/in.h>
#include <string.h>

static void enter(struct ofs_stall_timer *l, enum ofs_phase phase)
{
    l->phase = phase;
    l->since_ms = *l->now_ms;
}

void ofs_stall_timer_begin(struct ofs_stall_timer *l)
{
    enter(l, OFS_PHASE_WAITING);
    l->sent = false;
    l->resting = false;
    l->roused = false;
    l->peer[0] = '\0';
}

void ofs_stall_timer_tick(struct ofs_stall_timer *l)
{
    l->since_ms = *l->now_ms;
}

void ofs_stall_timer_rest(struct ofs_stall_timer *l)
{
    l->resting = true;
}

void ofs_stall_timer_go_on(struct ofs_stall_timer *l)
{
    l->resting = false;
    l->roused = false;
    ofs_stall_timer_tick(l);
}

int64_t ofs_stall_timer_due_ms(const struct ofs_stall_timer *l)
{
    if (l->resting)
        return OFS_NEVER;
    switch (l->phase) {
    case OFS_PHASE_CONNECTING:
        return l->since_ms + l->limits->connect_ms;
    case OFS_PHASE_TALKING:
        return l->since_ms + l->limits->stall_ms;
    default:
        return OFS_NEVER; /* its call's deadline is enough */
    }
}

/* libcurl begins to look up a name. */
static int on_resolve(void *resolver, void *reserved, void *arg)
{
    struct ofs_stall_timer *l = arg;

    (void)resolver;
    (void)reserved;
    if (l->phase == OFS_PHASE_WAITING)
        enter(l, OFS_PHASE_CONNECTING);
    return 0;
}

/* A proxy may be anywhere: it was not the peer that named it. */
static bool may_connect(struct ofs_peer_guard *g, bool near, int port)
{
    if (!near || port != g->port)
        return true;
    g->near = true;
    g->refused = g->far_only;
    return !g->refused;
}

static int port_of(const struct curl_sockaddr *addr)
{
    struct sockaddr_in6 a = { 0 }; /* the port is where IPv4 has it */

    memcpy(&a, &addr->addr,
           addr->addrlen < sizeof(a) ? addr->addrlen : sizeof(a));
    return ntohs(a.sin6_port);
}

/*
 * libcurl wants to connect; several times when a host has several addresses,
 * and all of them share the time that began with the first.
 */
static curl_socket_t on_socket(void *arg, curlsocktype purpose,
                               struct curl_sockaddr *addr)
{
    struct ofs_stall_timer *l = arg;

    (void)purpose;
    if (l->phase == OFS_PHASE_WAITING)
        enter(l, OFS_PHASE_CONNECTING);
    ofs_netsock_name(&addr->addr, addr->addrlen, l->peer, sizeof(l->peer));
    if (!may_connect(&l->guard, ofs_nearby(&addr->addr, addr->addrlen),
                     port_of(addr)))
        return CURL_SOCKET_BAD;
    return ofs_netsock_open(addr->family, addr->socktype, addr->protocol,
                            l->limits->stall_ms);
}

/* It has its connection, a new or an old one. */
static int on_connected(void *arg, char *peer, char *own, int peer_port,
                        int own_port)
{
    struct ofs_stall_timer *l = arg;

    (void)own;
    (void)own_port;
    if (!may_connect(&l->guard, ofs_nearby_text(peer), peer_port))
        return CURL_PREREQFUNC_ABORT;
    l->sent = true;
    enter(l, OFS_PHASE_TALKING);
    return CURL_PREREQFUNC_OK;
}

CURLcode ofs_stall_timer_attach(struct ofs_stall_timer *l, CURL *easy)
{
    CURLcode rc = CURLE_OK;

#define SET(option, value)                                                     \
    (rc = rc == CURLE_OK ? curl_easy_setopt(easy, option, value) : rc)
    SET(CURLOPT_RESOLVER_START_FUNCTION, on_resolve);
    SET(CURLOPT_RESOLVER_START_DATA, l);
    SET(CURLOPT_OPENSOCKETFUNCTION, on_socket);
    SET(CURLOPT_OPENSOCKETDATA, l);
    SET(CURLOPT_PREREQFUNCTION, on_connected);
    SET(CURLOPT_PREREQDATA, l);
    /*
     * Our own watch instead: libcurl's timer counts the wait for a free
     * connection in some versions and not in others (1 day is "never").
     */
    SET(CURLOPT_CONNECTTIMEOUT_MS, 86400L * 1000);
#undef SET
    return rc;
}
