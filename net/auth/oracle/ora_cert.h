/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_CERT_H
#define OFS_ORA_CERT_H

/* What an instance's leaf certificate says.  Pure. */

#include "ocirfs/buf.h"

enum { OFS_ORA_CERT_FINGERPRINT_MAX = 64 };

struct ofs_ora_cert {
    char tenancy[256];                              /* OCID */
    char fingerprint[OFS_ORA_CERT_FINGERPRINT_MAX]; /* SHA-1 with colons */
};

/* -EBADMSG: no certificate, or none that names a tenancy. */
int ofs_ora_cert_parse(const char *pem, size_t len, struct ofs_ora_cert *ret,
                       struct ofs_err *err) OFS_MUST_CHECK;

/* Append the base64 body of a PEM block, on one line. */
int ofs_ora_pem_body(const char *pem, size_t len,
                     struct ofs_buf *b) OFS_MUST_CHECK;

#endif
