/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_SERVER_H
#define OFS_FAKE_SERVER_H

/*
 * An HTTP/1.1 server inside the test program: on 127.0.0.1, on a free port,
 * one thread for each connection.  It answers by routes, misbehaves by a
 * script of faults, and remembers every request, so that a test asserts on
 * what was sent and how often.  Keep-alive, HEAD, single ranges and chunked
 * requests; no TLS, no chunked answers.
 *
 * Every function may be called from any thread at any time between start and
 * free, but free, down and up from the test's own thread only.  What a test
 * hands in is copied.  A fake that cannot do its job (no memory, no socket)
 * prints a sentence and aborts the test program.
 *
 * A pattern ("match") is a method or "*", one space, and a path in which each
 * `*` stands for any characters, also '/' and none: "GET /v2/r/blobs/s*". It
 * is compared with the path alone, or with path and query when the pattern
 * contains a '?'.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fake_server;

/* What goes wrong with an answer.  `n`, `text`, `header`: see fake_fault. */
enum fake_fault_kind {
    /* By the server itself, with any route. */
    FAKE_RESET_NOW,   /* TCP reset instead of an answer */
    FAKE_RESET_AFTER, /* TCP reset after n bytes of the body (0: the head) */
    FAKE_STALL,       /* no answer before fake_server_release() */
    FAKE_STALL_AFTER, /* the same after the head and n bytes of the body */
    FAKE_SLOW_HEADER, /* n ms before each byte of the head */
    FAKE_SLOW_BODY,   /* n ms before each KiB of the body */
    FAKE_STATUS,      /* status n, body text, one more header; not asked
                         of the route */
    FAKE_REDIRECT,    /* to URL text, with status n (0: 307) */
    FAKE_CHALLENGE,   /* 401 with text as WWW-Authenticate (NULL: none) */
    FAKE_WHOLE_FOR_RANGE,     /* 200 and everything when asked for a range */
    FAKE_SHORT_BODY,          /* n bytes less than announced, then close */
    FAKE_LONG_BODY,           /* n bytes more; Content-Length tells them */
    FAKE_WRONG_DIGEST,        /* byte n of the full content is flipped */
    FAKE_WRONG_CONTENT_RANGE, /* first and last are told n too high (0: 1) */
    FAKE_WRONG_TOTAL,         /* Content-Range total n too high (0: 1) */
    FAKE_NO_CONTENT_LENGTH,   /* HEAD: absent; GET: the close is the end */
    FAKE_DROP_DIGEST_HEADER,  /* no Docker-Content-Digest */
    FAKE_DROP_HEADER,         /* no header named text */
    FAKE_SET_HEADER,          /* header line text instead of its namesake */
    FAKE_DUPLICATE_HEADER,    /* header line text as well; NULL: all twice */
    FAKE_ODD_CASE,            /* hEaDeR nAmEs */
    FAKE_BODY,                /* text instead of the content */
    FAKE_HUGE,        /* n bytes (0: 100 MiB) that begin as a manifest does */
    FAKE_DEEP_JSON,   /* n arrays (0: 100,000), one in the other */
    FAKE_CLOSE_AFTER, /* keep-alive is promised, then the connection ends */
    /* With requests that have a body. */
    FAKE_CUT_REQUEST,   /* n bytes of it are read and acted upon, then reset */
    FAKE_EARLY_ANSWER,  /* it is answered after n bytes of it, then close */
    FAKE_STALL_REQUEST, /* after n bytes no more is read before release */
    FAKE_LOSE_ANSWER,   /* it is acted upon, then reset instead of an answer */
    FAKE_STALL_ANSWER,  /* it is acted upon, then no answer before release */
    /* By the registry (fake_registry.h). */
    FAKE_EXPIRE_TOKENS, /* all tokens given so far are void, from now on */
    FAKE_PAGE_LOOP,     /* Link: rel="next" is the page itself */
    FAKE_PAGE_FOREVER,  /* new names on every page, always one more page */
    FAKE_LOSE_SESSION,  /* the upload is not known any more */
    FAKE_KEEP_LESS,     /* n bytes of this request are not kept */
};

struct fake_fault {
    const char *match;
    unsigned nth;   /* which matching request, from 1, counted from when the
                       fault was added; 0: every one */
    unsigned times; /* with nth: so many from there on; 0: one */
    enum fake_fault_kind kind;
    int64_t n;
    const char *text;
    const char *header; /* "Retry-After: 3"; NULL: none */
};

/* A request as it came.  Valid until fake_server_free(). */
struct fake_request {
    char *method;
    char *target;        /* path and query as sent */
    char *path;          /* without the query */
    char *query;         /* beyond '?'; "" when there is none */
    char *headers;       /* "Name: value\r\n" for each, as sent */
    uint64_t body_len;   /* bytes that came */
    char *body;          /* its first 64 MiB, NUL-terminated */
    bool cut;            /* the body did not come to its end */
    unsigned connection; /* number of its connection, from 1 */
    unsigned n_headers;
};

/* Value of the first header of that name, any case, into new memory. */
char *fake_request_header(const struct fake_request *req, const char *name);
/* How many headers of that name there are. */
unsigned fake_request_has(const struct fake_request *req, const char *name);
/* Value of a query parameter, percent-decoded, new memory; NULL: absent. */
char *fake_request_param(const struct fake_request *req, const char *name);

/* Content of an answer from `off`, made as it is sent.  Thread-safe. */
typedef void fake_fill(void *arg, void *buf, size_t len, uint64_t off);

/* What a handler fills in; all zero means 404 without a body. */
struct fake_response {
    int status;
    struct ofs_buf headers; /* "Name: value\r\n"; not Content-Length */
    struct ofs_buf body;    /* content in memory, or: */
    fake_fill *fill;        /* content made on the fly */
    void *fill_arg;         /* lives as long as the server */
    uint64_t size;          /* bytes of made content */
    bool ranges;            /* honour Range and offer it */
};

void fake_response_header(struct fake_response *resp, const char *fmt, ...)
    OFS_PRINTF(2, 3);
/* Status, Content-Type (may be NULL) and content in memory. */
void fake_response_body(struct fake_response *resp, int status,
                        const char *type, const void *data, size_t len);

/*
 * Answers a request, on the connection's thread: may block, asserts nothing.
 * Faults of the server are put on top of what it fills in.
 */
typedef void fake_handler(void *arg, const struct fake_request *req,
                          struct fake_response *resp);

struct fake_server *fake_server_start(void);
/* Ends all connections and threads, also stalled ones; frees everything. */
void fake_server_free(struct fake_server *s);
OFS_DEFINE_AUTO(struct fake_server, fake_server_free)

const char *fake_server_url(const struct fake_server *s); /* no slash behind */
int fake_server_port(const struct fake_server *s);

/* The route added last is asked first.  `arg` lives as long as the server. */
void fake_server_route(struct fake_server *s, const char *match,
                       fake_handler *handler, void *arg);
/* A canned answer; `headers`: "Name: value\r\n..." or NULL. */
void fake_server_canned(struct fake_server *s, const char *match, int status,
                        const char *headers, const char *body);

/* Add to the script.  All faults that match a request act on it. */
void fake_server_fault(struct fake_server *s, const struct fake_fault *fault);
void fake_server_no_faults(struct fake_server *s); /* empty the script */
/* Does such a fault act on this request?  For handlers; NULL: no. */
const struct fake_fault *fake_request_fault(const struct fake_request *req,
                                            enum fake_fault_kind kind);

/* What stalls, or was told to by now, goes on; the script stays. */
void fake_server_release(struct fake_server *s);
/* Wait until n requests stall at once; false: not within timeout_ms. */
bool fake_server_wait_stalled(struct fake_server *s, unsigned n,
                              int64_t timeout_ms);

/* As when the process is gone: connections reset, new ones refused. */
void fake_server_down(struct fake_server *s);
void fake_server_up(struct fake_server *s); /* on the same port again */

/* How many requests came that match (those that are in, body and all). */
unsigned fake_server_count(struct fake_server *s, const char *match);
/* Wait until it is n or more; false: not within timeout_ms. */
bool fake_server_wait(struct fake_server *s, const char *match, unsigned n,
                      int64_t timeout_ms);
/* The i-th matching request, from 0; NULL: there is none. */
const struct fake_request *fake_server_request(struct fake_server *s,
                                               const char *match, unsigned i);
/* Forget what was recorded: counts, peak, connections start at zero. */
void fake_server_clear(struct fake_server *s);

unsigned fake_server_connections(struct fake_server *s); /* accepted */
/* Most requests that were being answered at the same time. */
unsigned fake_server_peak(struct fake_server *s);
uint64_t fake_server_body_bytes(struct fake_server *s); /* sent so far */

#endif
