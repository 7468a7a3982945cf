/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_cert.h"

#include "ocirfs/str.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

enum { SHA1_BYTES = 20 };

/* "opc-tenant:<ocid>" in one attribute of the subject, mostly an OU.  Real
 * values are longer than X.509 permits; OpenSSL reads them all the same. */
static bool find_tenancy(X509 *cert, char ret[256])
{
    static const char *const marks[] = { "opc-tenant:", "opc-identity:" };
    X509_NAME *subject = X509_get_subject_name(cert);

    for (int i = 0; i < X509_NAME_entry_count(subject); i++) {
        const ASN1_STRING *value =
            X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, i));
        const char *text = (const char *)ASN1_STRING_get0_data(value);
        size_t len = (size_t)ASN1_STRING_length(value);

        for (size_t m = 0; m < OFS_COUNT_OF(marks); m++) {
            size_t skip = strlen(marks[m]);

            if (len <= skip || len - skip >= 256 ||
                memcmp(text, marks[m], skip) != 0)
                continue;
            (void)snprintf(ret, 256, "%.*s", (int)(len - skip), text + skip);
            return true;
        }
    }
    return false;
}

static bool fingerprint(X509 *cert, char ret[OFS_ORA_CERT_FINGERPRINT_MAX])
{
    uint8_t sha1[EVP_MAX_MD_SIZE];

    if (X509_digest(cert, EVP_sha1(), sha1, NULL) != 1)
        return false;
    for (size_t i = 0; i < SHA1_BYTES; i++)
        (void)snprintf(ret + 3 * i, 4, "%02x%s", sha1[i],
                       i + 1 < SHA1_BYTES ? ":" : "");
    return true;
}

int ofs_ora_cert_parse(const char *pem, size_t len, struct ofs_ora_cert *ret,
                       struct ofs_err *err)
{
    BIO *bio = len < INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    X509 *cert = bio ? PEM_read_bio_X509(bio, NULL, NULL, NULL) : NULL;
    struct ofs_ora_cert c = { 0 };
    int r = 0;

    if (!cert)
        r = ofs_err_set(err, -EBADMSG, "no certificate in PEM form");
    else if (!find_tenancy(cert, c.tenancy))
        r = ofs_err_set(err, -EBADMSG, "the certificate names no tenancy");
    else if (!fingerprint(cert, c.fingerprint))
        r = ofs_err_set(err, -EIO, "cannot compute a fingerprint");
    else
        *ret = c;
    X509_free(cert);
    BIO_free(bio);
    ERR_clear_error();
    return r;
}

static void add_line(const char *from, const char *to, struct ofs_buf *b)
{
    for (; from < to; from++)
        if (*from > ' ')
            (void)ofs_buf_addc(b, *from);
}

int ofs_ora_pem_body(const char *pem, size_t len, struct ofs_buf *b)
{
    const char *end = pem + len;
    bool inside = false;

    while (pem < end) {
        const char *eol = memchr(pem, '\n', (size_t)(end - pem));

        if (*pem == '-' && inside)
            return b->failed;
        if (*pem == '-')
            inside = true;
        else if (inside)
            add_line(pem, eol ? eol : end, b);
        pem = eol ? eol + 1 : end;
    }
    return b->failed ? b->failed : -EBADMSG;
}
