/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TRANSFER_H
#define OFS_TRANSFER_H

/*
 * One attempt at one hop of a request: from the request to an easy handle,
 * and from what libcurl hears back to a response.  Used by one thread; the
 * callbacks run on the engine's while ofs_transfer_run() lasts.
 */

#include "engine.h"
#include "redirect.h"
#include "resphead.h"

#include "ocirfs/httpreq.h"

struct ofs_transfer_cfg {
    const char *user_agent; /* NULL: none */
    const char *ca_file;    /* NULL: the system's trust */
    bool bundle_only;       /* which is a file; leave the directory alone */
    bool no_proxy;
};

struct ofs_transfer {
    /* The caller's, in; all borrowed. */
    const struct ofs_transfer_cfg *cfg;
    const struct ofs_http_req *req;
    const struct ofs_redirect *hop;
    const char *host; /* for messages */
    bool fresh;       /* on a new connection */
    bool far_only;    /* not to this machine nor its link */
    bool as_it_comes; /* a compressed body is left so */

    /* Out. */
    struct ofs_resphead head;
    struct ofs_buf body; /* what did not go to the sink */
    bool sent;           /* the request left, in part at least */
    bool fed;            /* the sink was given a byte */
    bool refused;        /* a request with a body was answered with 3xx-5xx */
    bool permanent;      /* failed, and would fail again */
    bool mislabeled;     /* failed: not compressed in the way that it said */

    /* Ours. */
    struct ofs_engine_job job;
    struct curl_slist *lines;
    uint64_t uploaded;  /* bytes that were read to be sent */
    int64_t on_wire;    /* bytes, as libcurl counts them */
    uint64_t discarded; /* bytes of an error's body beyond its limit */
    int verdict; /* negative errno of a callback that ended it; 0: none */
    const char *verdict_words;
    char detail[CURL_ERROR_SIZE];
};

/*
 * Send it and take the answer in.  0: there is one, whole, in t->head and
 * t->body.  Else as ofs_http_do() says, and `err` is filled.
 */
int ofs_transfer_run(struct ofs_transfer *t, struct ofs_engine *e, CURL *easy,
                     struct ofs_call *call, struct ofs_err *err) OFS_MUST_CHECK;

void ofs_transfer_done(struct ofs_transfer *t);

#endif
