/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_RAW_HTTP_H
#define OFS_RAW_HTTP_H

/*
 * The plainest HTTP client there can be, for tests that look at bytes: no
 * redirects, no retries, believes nothing but Content-Length.  Not
 * thread-safe; reads give up after 20 s.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>

struct raw_answer {
    int status;          /* 0: no head arrived */
    int error;           /* errno of the socket; 0: none; EPIPE: cut short */
    struct ofs_buf head; /* up to and with the empty line */
    struct ofs_buf body;
};

int raw_open(int port);        /* a connection; aborts when there is none */
bool raw_is_refused(int port); /* nobody listens */
void raw_send(int fd, const char *text);
/* Send a request; `headers`: "Name: value\r\n..." or "". */
void raw_ask(int fd, const char *method, const char *target,
             const char *headers);
/* Read one answer; with_body false after HEAD. */
struct raw_answer raw_read(int fd, bool with_body);
/* Both on a connection of its own. */
struct raw_answer raw_get(int port, const char *target, const char *headers);
void raw_done(struct raw_answer *a);
/* Value of a header of the answer, any case, new memory; NULL: none. */
char *raw_header(const struct raw_answer *a, const char *name);

#define RAW_AUTO OFS_AUTO(raw_done)

#endif
