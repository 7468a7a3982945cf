/* SPDX-License-Identifier: Apache-2.0 */
#include "oci_principal.h"

#include "oci_jwt.h"

struct ofs_oci_credential *ofs_oci_credential_new(void)
{
    struct ofs_oci_credential *c = calloc(1, sizeof(*c));

    if (c)
        atomic_init(&c->refs, 1);
    return c;
}

struct ofs_oci_credential *ofs_oci_credential_ref(struct ofs_oci_credential *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void ofs_oci_credential_unref(struct ofs_oci_credential *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    ofs_secret_done(&c->key_id);
    ofs_secret_done(&c->obo_token);
    ofs_oci_key_free(c->key);
    free(c);
}

int ofs_oci_credential_set_token(struct ofs_oci_credential *c,
                                 const char *token, size_t len)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf b = OFS_BUF_INIT(len + 4);
    struct ofs_oci_claims claims;

    (void)ofs_buf_adds(&b, "ST$");
    (void)ofs_buf_add(&b, token, len);
    if (b.failed)
        return -ENOMEM;
    if (ofs_oci_claims_parse(token, len, &claims) == 0) {
        c->issued_s = claims.issued_s;
        c->expires_s = claims.expires_s;
    }
    return ofs_secret_set(&c->key_id, ofs_buf_str(&b), b.len);
}

void ofs_oci_principal_done(struct ofs_oci_principal *p)
{
    free(p->tenancy);
    free(p->region);
}
