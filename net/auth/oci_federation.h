/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCI_FEDERATION_H
#define OFS_OCI_FEDERATION_H

/*
 * From an instance's certificate to a security token: X.509 federation.
 * Source: facts "ocir-api" 4.4, vector 08.
 */

#include "oci_cert.h"
#include "oci_principal.h"

struct ofs_http;

struct ofs_oci_leaf {
    const struct ofs_buf *cert, *key, *intermediate; /* PEM */
    const struct ofs_oci_cert *says;                 /* of cert */
};

/* The JSON body of the request. */
int ofs_oci_federation_body(const struct ofs_oci_leaf *leaf,
                            const struct ofs_oci_key *session,
                            struct ofs_buf *b) OFS_MUST_CHECK;

/* A credential with a fresh session key.  `endpoint` without path. */
int ofs_oci_federate(struct ofs_http *http, struct ofs_call *call,
                     const char *endpoint, const struct ofs_oci_leaf *leaf,
                     struct ofs_oci_credential **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;

/* {"token":"…"}: the token into `b`.  -EBADMSG. */
int ofs_oci_token_answer(const char *json, size_t len, struct ofs_buf *b,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
