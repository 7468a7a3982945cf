/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_JWT_H
#define OFS_ORA_JWT_H

/*
 * What a token says of itself (RFC 7519).  Never verified: it is ours to
 * present, the service's to verify.  Pure.
 */

#include "ocirfs/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofs_ora_claims {
    int64_t expires_s; /* `exp`; 0: not said */
    int64_t issued_s;  /* `iat`; 0: not said */
    char tenancy[160]; /* `res_tenant`, `tenant`, else ""; an OCID */
    char subject[256]; /* `sub`: whom it is of; "" */
    bool anonymous;    /* OCIR's answer to a signature it does not take */
};

/* -EBADMSG: not a JWT; such a token is opaque, not wrong. */
int ofs_ora_claims_parse(const char *token, size_t len,
                         struct ofs_ora_claims *ret) OFS_MUST_CHECK;

#endif
