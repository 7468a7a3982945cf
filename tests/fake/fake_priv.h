/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_PRIV_H
#define OFS_FAKE_PRIV_H

/*
 * What the files of the fake server share.  Plain mutexes instead of ranked
 * ones: a fake may be called while the code under test holds any of its locks,
 * and it never calls that code itself.
 */

#include "fake_server.h"

#include <pthread.h>
#include <stdatomic.h>

/* End the test program unless `ok`: a fake has no one to report to. */
void fake_must(bool ok, const char *what);
void *fake_alloc(size_t len);     /* zeroed, never NULL */
char *fake_strdup(const char *s); /* never NULL, except for NULL */
char *fake_strf(const char *fmt, ...) OFS_PRINTF(1, 2); /* never NULL */

/* i-th parameter of that name in a query or form, decoded; NULL: none. */
char *fake_param(const char *form, const char *name, unsigned i);
/* Condition variable on the monotonic clock, and a time on it. */
void fake_cond_init(pthread_cond_t *cond);
struct timespec fake_from_now(int64_t ms);

struct fake_rules; /* routes and faults, fake_rules.c */
struct fake_log;   /* recorded requests, fake_log.c */

enum { FAKE_FAULTS_MAX = 8 }; /* that act on one request */

struct fake_record {
    struct fake_request req; /* first, see fake_request_fault() */
    struct fake_record *next;
    const struct fake_fault *faults[FAKE_FAULTS_MAX];
    unsigned n_faults;
};

/* ---- fake_rules.c: patterns, routes, the script; locks by itself ---- */

bool fake_match(const char *match, const struct fake_request *req);

struct fake_rules *fake_rules_new(void);
void fake_rules_free(struct fake_rules *rules);
void fake_rules_route(struct fake_rules *rules, const char *match,
                      fake_handler *handler, void *arg);
void fake_rules_canned(struct fake_rules *rules, const char *match, int status,
                       const char *headers, const char *body);
void fake_rules_add(struct fake_rules *rules, const struct fake_fault *fault);
void fake_rules_retire(struct fake_rules *rules);
/* Count the request and note the faults that act on it. */
void fake_rules_choose(struct fake_rules *rules, struct fake_record *record);
/* Ask the route; leaves `resp` alone when there is none. */
void fake_rules_ask(struct fake_rules *rules, const struct fake_request *req,
                    struct fake_response *resp);

/* ---- fake_log.c: what came; locks by itself ---- */

struct fake_log *fake_log_new(void);
void fake_log_free(struct fake_log *log);
void fake_record_free(struct fake_record *record);
void fake_log_add(struct fake_log *log, struct fake_record *record); /* own */
void fake_log_answered(struct fake_log *log); /* one that was added */
void fake_log_connection(struct fake_log *log);
void fake_log_sent(struct fake_log *log, size_t n); /* body bytes */
unsigned fake_log_count(struct fake_log *log, const char *match);
bool fake_log_wait(struct fake_log *log, const char *match, unsigned n,
                   int64_t timeout_ms);
const struct fake_request *fake_log_get(struct fake_log *log, const char *match,
                                        unsigned i);
void fake_log_clear(struct fake_log *log);
unsigned fake_log_connections(struct fake_log *log);
unsigned fake_log_peak(struct fake_log *log);
uint64_t fake_log_body_bytes(struct fake_log *log);

/* ---- fake_answer.c: response and faults -> what goes on the wire ---- */

enum fake_end {
    FAKE_END_KEEP,  /* the connection goes on */
    FAKE_END_CLOSE, /* in good order */
    FAKE_END_RESET,
};

struct fake_answer {
    struct fake_response resp;
    struct ofs_buf head;     /* status line to empty line */
    uint64_t first, span;    /* part of the content that is meant, bytes */
    uint64_t len;            /* announced; what is beyond the content is 'x' */
    uint64_t send;           /* so many of `len` are sent */
    uint64_t stall_at;       /* after so many; UINT64_MAX: never */
    uint64_t flip_at;        /* offset in the content; UINT64_MAX: none */
    int64_t head_ms, kib_ms; /* pause before a byte, a KiB */
    enum fake_end end;
};

void fake_answer_make(struct fake_answer *a, struct fake_rules *rules,
                      const struct fake_request *req);
/* `len` bytes at `off` of what is sent as the body. */
void fake_answer_fill(const struct fake_answer *a, void *buf, size_t len,
                      uint64_t off);
void fake_answer_done(struct fake_answer *a);

/* ---- fake_head.c: a->head, with the faults that concern it ---- */

/* `size` is that of the whole content. */
void fake_head_write(struct fake_answer *a, const struct fake_request *req,
                     uint64_t size);

/* ---- fake_conn.c: one connection, one thread ---- */

struct fake_conn;

/* What connections need of their server. */
struct fake_hub {
    struct fake_rules *rules;
    struct fake_log *log;
    pthread_mutex_t mtx;
    pthread_cond_t changed; /* stalled */
    unsigned releases;      /* guarded by mtx */
    unsigned stalled;       /* guarded by mtx */
};

struct fake_conn *fake_conn_start(struct fake_hub *hub, int fd,
                                  unsigned number);
bool fake_conn_is_over(struct fake_conn *c); /* free will not block */
void fake_conn_kick(struct fake_conn *c);    /* look at hub->releases again */
/* Reset the connection if it is still there, join its thread, free. */
void fake_conn_free(struct fake_conn *c);

#endif
