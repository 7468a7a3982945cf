/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_RESPHEAD_H
#define OFS_RESPHEAD_H

/*
 * The head of a response, put together from its lines as they come.  Pure.
 *
 * One exchange may bring several heads: interim ones (1xx), a proxy's 407
 * before the real one; and, behind the body, trailers.  What counts is the
 * last head before the body.  Source: RFC 9110, 6.5, 15.2; RFC 9112, 4-5.
 */

#include "ocirfs/httphdr.h"

struct ofs_resphead {
    int status; /* 0: none yet */
    struct ofs_headers headers;
    bool open;   /* between a status line and the empty line */
    bool frozen; /* the body has begun: the rest are trailers */
};

/*
 * Take one line, its end of line included or not.  1: the head of a response
 * that is no interim one is complete; 0: go on; -EFBIG, -ENOMEM.
 */
int ofs_resphead_line(struct ofs_resphead *h, const char *line,
                      size_t len) OFS_MUST_CHECK;

/* The body has begun, or the head has been acted upon. */
void ofs_resphead_freeze(struct ofs_resphead *h);
void ofs_resphead_done(struct ofs_resphead *h);

#endif
