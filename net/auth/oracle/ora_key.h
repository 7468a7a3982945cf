/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_KEY_H
#define OFS_ORA_KEY_H

/*
 * RSA keys of Oracle's principals: read, make, fingerprint, sign.  A key does
 * not change after it was made and may be used by several threads.
 */

#include "ocirfs/buf.h"
#include "ocirfs/secret.h"

struct ofs_ora_key;

/*
 * A private key in PEM: PKCS#8 or PKCS#1, plain or encrypted; text around it
 * does not matter (some tools append a line "OCI_API_KEY").  `pass` may be
 * NULL or empty.  -EINVAL no RSA key of 2048 bits or more; -EACCES encrypted,
 * and the passphrase is missing or wrong.
 */
int ofs_ora_key_parse(const char *pem, size_t len,
                      const struct ofs_secret *pass, struct ofs_ora_key **ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* A fresh key of 2048 bits. */
int ofs_ora_key_make(struct ofs_ora_key **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
void ofs_ora_key_free(struct ofs_ora_key *k);
OFS_DEFINE_AUTO(struct ofs_ora_key, ofs_ora_key_free)

enum { OFS_ORA_FINGERPRINT_MAX = 48 }; /* bytes: 16 pairs with colons */

/* MD5 of the public key in DER, "78:ad:…"; how OCI names an API key. */
int ofs_ora_key_fingerprint(const struct ofs_ora_key *k,
                            char ret[OFS_ORA_FINGERPRINT_MAX]) OFS_MUST_CHECK;

/* The public key (SPKI DER) as base64 in one line. */
int ofs_ora_key_public(const struct ofs_ora_key *k,
                       struct ofs_buf *b) OFS_MUST_CHECK;

/* Append base64 of the RSA-SHA256 signature (PKCS#1 v1.5) of `text`. */
int ofs_ora_key_sign(const struct ofs_ora_key *k, const char *text, size_t len,
                     struct ofs_buf *b) OFS_MUST_CHECK;

#endif
