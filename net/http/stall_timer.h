/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STALL_TIMER_H
#define OFS_STALL_TIMER_H

/*
 * Signs of life of one transfer: which phase it is in and when something last
 * happened, told by libcurl's callbacks.  All of it on the engine's thread.
 */

#include <curl/curl.h>
#include <stdbool.h>
#include <stdint.h>

enum ofs_phase {
    OFS_PHASE_WAITING,    /* for the engine, or for a free connection */
    OFS_PHASE_CONNECTING, /* name, TCP, TLS */
    OFS_PHASE_TALKING,    /* has a connection; the request is going out */
};

struct ofs_stall_timer_limits {
    int64_t connect_ms; /* name, TCP and TLS together */
    int64_t stall_ms;   /* no byte in either direction */
};

/* May a connection be made there?  In, but for the last two. */
struct ofs_peer_guard {
    bool far_only; /* nothing near (nearby.h) */
    int port;      /* of the URL; where another is asked, that is a proxy */
    bool near;     /* it is near */
    bool refused;  /* it was, and was refused */
};

struct ofs_stall_timer {
    const struct ofs_stall_timer_limits *limits; /* borrowed */
    const int64_t *now_ms; /* borrowed: the engine's clock */
    enum ofs_phase phase;
    int64_t since_ms; /* last sign */
    bool sent;        /* had a connection at some time */
    bool resting;     /* an upload waits for its own source */
    bool roused;      /* and need not, since the answer is there */
    struct ofs_peer_guard guard;
    char peer[64]; /* address of the last connect; "" when there was none */
};

/* Waiting, from now on. */
void ofs_stall_timer_begin(struct ofs_stall_timer *l);

/* A byte went by. */
void ofs_stall_timer_tick(struct ofs_stall_timer *l);

/* The upload waits for its source, and no longer does. */
void ofs_stall_timer_rest(struct ofs_stall_timer *l);
void ofs_stall_timer_go_on(struct ofs_stall_timer *l);

/* When it will have been silent for too long; OFS_NEVER: it may wait. */
int64_t ofs_stall_timer_due_ms(const struct ofs_stall_timer *l);

/* Have libcurl tell.  Does not move in memory while `easy` is used. */
CURLcode ofs_stall_timer_attach(struct ofs_stall_timer *l, CURL *easy);

#endif
