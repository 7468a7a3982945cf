/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_REDIRECT_H
#define OFS_REG_REDIRECT_H

/* GET a blob, wherever it is. */

#include "registry_priv.h"

struct reg_blob_req {
    const char *repo;
    const struct ofs_digest *digest;
    const char *what;
    const char *const *headers;
    const struct ofs_http_sink *sink;
};

/*
 * Ask the target that was told lately, else the registry, and follow up to 5
 * redirects by hand.  0 and the last response, of any status; *ret_target: it
 * (or the failure) is a redirect target's, so asking again may help.
 */
int ofs_reg_blob_get(struct reg_end *end, struct ofs_call *call,
                     const struct reg_blob_req *req, struct ofs_http_resp *ret,
                     bool *ret_target, struct ofs_err *err) OFS_MUST_CHECK;

#endif
