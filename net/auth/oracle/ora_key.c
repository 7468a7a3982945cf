/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_key.h"

#include "ocirfs/base64.h"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <stdbool.h>

enum { MIN_BITS = 2048, SIGNATURE_MAX_BYTES = 2048, MD5_BYTES = 16 };

struct ofs_ora_key {
    EVP_PKEY *pkey;
};

/* What OpenSSL asks when a key is encrypted. */
struct asked {
    const struct ofs_secret *pass;
    bool yes;
};

static int give_passphrase(char *buf, int size, int writing, void *arg)
{
    struct asked *asked = arg;

    (void)writing;
    asked->yes = true;
    if (!asked->pass || !asked->pass->text || asked->pass->len > (size_t)size)
        return -1;
    memcpy(buf, asked->pass->text, asked->pass->len);
    return (int)asked->pass->len;
}

static int wrap(EVP_PKEY *pkey, struct ofs_ora_key **ret, struct ofs_err *err)
{
    struct ofs_ora_key *k = calloc(1, sizeof(*k));

    if (!k) {
        EVP_PKEY_free(pkey);
        return ofs_err_nomem(err, "a key");
    }
    k->pkey = pkey;
    *ret = k;
    return 0;
}

static int refuse(const struct asked *asked, struct ofs_err *err)
{
    ERR_clear_error();
    if (!asked->yes)
        return ofs_err_set(err, -EINVAL, "no private key in PEM form");
    if (!asked->pass || !asked->pass->text)
        return ofs_err_set(err, -EACCES,
                           "the private key is encrypted; give its passphrase "
                           "as 'pass_phrase'");
    return ofs_err_set(err, -EACCES,
                       "the passphrase does not open the private key");
}

int ofs_ora_key_parse(const char *pem, size_t len,
                      const struct ofs_secret *pass, struct ofs_ora_key **ret,
                      struct ofs_err *err)
{
    struct asked asked = { .pass = pass };
    BIO *bio = len < INT32_MAX ? BIO_new_mem_buf(pem, (int)len) : NULL;
    EVP_PKEY *pkey;

    if (!bio)
        return ofs_err_nomem(err, "a key");
    pkey = PEM_read_bio_PrivateKey(bio, NULL, give_passphrase, &asked);
    BIO_free(bio);
    if (!pkey)
        return refuse(&asked, err);
    if (EVP_PKEY_get_base_id(pkey) != EVP_PKEY_RSA ||
        EVP_PKEY_get_bits(pkey) < MIN_BITS) {
        EVP_PKEY_free(pkey);
        return ofs_err_set(err, -EINVAL,
                           "the private key is no RSA key of %d bits or more",
                           MIN_BITS);
    }
    return wrap(pkey, ret, err);
}

int ofs_ora_key_make(struct ofs_ora_key **ret, struct ofs_err *err)
{
    EVP_PKEY *pkey = EVP_RSA_gen(MIN_BITS);

    if (!pkey) {
        ERR_clear_error();
        return ofs_err_set(err, -EIO, "cannot make an RSA key");
    }
    return wrap(pkey, ret, err);
}

void ofs_ora_key_free(struct ofs_ora_key *k)
{
    if (!k)
        return;
    EVP_PKEY_free(k->pkey); /* wipes the private numbers */
    free(k);
}

int ofs_ora_key_fingerprint(const struct ofs_ora_key *k,
                            char ret[OFS_ORA_FINGERPRINT_MAX])
{
    uint8_t md5[EVP_MAX_MD_SIZE];
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(k->pkey, &der);
    int ok;

    if (len < 0)
        return -EIO;
    ok = EVP_Digest(der, (size_t)len, md5, NULL, EVP_md5(), NULL);
    OPENSSL_free(der);
    if (!ok)
        return -EIO;
    for (size_t i = 0; i < MD5_BYTES; i++)
        (void)snprintf(ret + 3 * i, 4, "%02x%s", md5[i],
                       i + 1 < MD5_BYTES ? ":" : "");
    return 0;
}

int ofs_ora_key_public(const struct ofs_ora_key *k, struct ofs_buf *b)
{
    unsigned char *der = NULL;
    int len = i2d_PUBKEY(k->pkey, &der);
    int r;

    if (len < 0)
        return -EIO;
    r = ofs_base64_encode(b, der, (size_t)len);
    OPENSSL_free(der);
    return r;
}

int ofs_ora_key_sign(const struct ofs_ora_key *k, const char *text, size_t len,
                     struct ofs_buf *b)
{
    uint8_t signature[SIGNATURE_MAX_BYTES];
    size_t signature_len = sizeof(signature);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    int ok;

    if (!ctx)
        return -ENOMEM;
    ok = EVP_DigestSignInit(ctx, NULL, EVP_sha256(), NULL, k->pkey) == 1 &&
         EVP_DigestSign(ctx, signature, &signature_len, (const uint8_t *)text,
                        len) == 1;
    EVP_MD_CTX_free(ctx);
    if (!ok) {
        ERR_clear_error();
        return -EIO;
    }
    return ofs_base64_encode(b, signature, signature_len);
}
