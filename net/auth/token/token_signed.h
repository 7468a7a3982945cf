/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TOKEN_SIGNED_H
#define OFS_TOKEN_SIGNED_H

/*
 * A registry's token for a principal of Oracle's cloud: a GET that it signs.
 *
 * See P3 and P4 in net/README.md.
 */

#include "ocirfs/call.h"
#include "ocirfs/http.h"
#include "ocirfs/ora_auth.h"
#include "ocirfs/url.h"

struct ofs_token_signed {
    struct ofs_http *http;
    struct ofs_ora_auth *principal;
    const char *url;
};

/*
 * The answer, whatever it says.  Each attempt is signed anew; a signature that
 * was not taken is made once more with a renewed credential, where there is
 * one to be had.  No redirects: a signature is good for one URL.
 */
int ofs_token_get_signed(const struct ofs_token_signed *ask,
                         struct ofs_call *call, struct ofs_http_resp *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
