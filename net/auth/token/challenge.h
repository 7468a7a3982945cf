/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CHALLENGE_H
#define OFS_CHALLENGE_H

/*
 * How a registry wants to be asked: WWW-Authenticate.  Pure; takes foreign
 * bytes.  Forgiving where servers are careless (missing commas, odd spaces,
 * unknown schemes and parameters), since a challenge that is not understood
 * means a registry that cannot be used.
 *
 * Source: RFC 9110, 11.6.1; RFC 6750, 3; distribution token specification.
 */

#include "ocirfs/httphdr.h"

enum ofs_challenge_kind {
    OFS_CHALLENGE_NONE,
    OFS_CHALLENGE_BASIC,
    OFS_CHALLENGE_BEARER,
};

struct ofs_challenge {
    enum ofs_challenge_kind kind;
    char *realm, *service, *scope; /* owned; NULL: not given */
};

/*
 * The challenge to answer: the first Bearer with a realm, else the first
 * Basic.  -EPROTO there is neither; -ENOMEM.
 */
int ofs_challenge_pick(const struct ofs_headers *headers,
                       struct ofs_challenge *ret,
                       struct ofs_err *err) OFS_MUST_CHECK;

void ofs_challenge_done(struct ofs_challenge *c);
#define OFS_AUTOCHALLENGE OFS_AUTO(ofs_challenge_done)

/* -ENOMEM. */
int ofs_challenge_copy(const struct ofs_challenge *from,
                       struct ofs_challenge *ret) OFS_MUST_CHECK;

#endif
