/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_FEDERATION_H
#define OFS_ORA_FEDERATION_H

/*
 * From an instance's certificate to a security token: X.509 federation.
 * Source: Oracle's SDKs, X509FederationClient; the vectors in tests/vectors.
 */

#include "ora_cert.h"
#include "ora_principal.h"

struct ofs_http;

struct ofs_ora_leaf {
    const struct ofs_buf *cert, *key, *intermediate; /* PEM */
    const struct ofs_ora_cert *says;                 /* of cert */
};

/* The JSON body of the request. */
int ofs_ora_federation_body(const struct ofs_ora_leaf *leaf,
                            const struct ofs_ora_key *session,
                            struct ofs_buf *b) OFS_MUST_CHECK;

/* A credential with a fresh session key.  `endpoint` without path. */
int ofs_ora_federate(struct ofs_http *http, struct ofs_call *call,
                     const char *endpoint, const struct ofs_ora_leaf *leaf,
                     struct ofs_ora_credential **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;

/* {"token":"…"}: the token into `b`.  -EBADMSG. */
int ofs_ora_token_answer(const char *json, size_t len, struct ofs_buf *b,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
