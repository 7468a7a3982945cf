/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_principal.h"

#include "ora_jwt.h"

#include "ocirfs/file.h"

#include <fcntl.h>

struct ofs_ora_credential *ofs_ora_credential_new(void)
{
    struct ofs_ora_credential *c = calloc(1, sizeof(*c));

    if (c)
        atomic_init(&c->refs, 1);
    return c;
}

struct ofs_ora_credential *ofs_ora_credential_ref(struct ofs_ora_credential *c)
{
    atomic_fetch_add(&c->refs, 1);
    return c;
}

void ofs_ora_credential_unref(struct ofs_ora_credential *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    ofs_secret_done(&c->key_id);
    ofs_secret_done(&c->obo_token);
    ofs_ora_key_free(c->key);
    free(c);
}

int ofs_ora_credential_set_token(struct ofs_ora_credential *c,
                                 const char *token, size_t len)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf b = OFS_BUF_INIT(len + 4);
    struct ofs_ora_claims claims;

    (void)ofs_buf_adds(&b, "ST$");
    (void)ofs_buf_add(&b, token, len);
    if (b.failed)
        return -ENOMEM;
    if (ofs_ora_claims_parse(token, len, &claims) == 0) {
        c->issued_s = claims.issued_s;
        c->expires_s = claims.expires_s;
    }
    return ofs_secret_set(&c->key_id, ofs_buf_str(&b), b.len);
}

int ofs_ora_token_read(const char *path, struct ofs_buf *b, struct ofs_err *err)
{
    int r = ofs_file_read(AT_FDCWD, path, b);

    if (r < 0)
        return ofs_err_errno(err, -r, path);
    ofs_buf_trim(b);
    return 0;
}

int ofs_ora_principal_open(const struct ofs_ora_principal_ops *ops,
                           const struct ofs_ora_auth_cfg *cfg,
                           struct ofs_call *call,
                           struct ofs_ora_principal **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_principal_freep)
    struct ofs_ora_principal *p = calloc(1, ops->bytes);
    int r;

    if (!p)
        return ofs_err_nomem(err, "a principal");
    p->ops = ops;
    r = ops->open(p, cfg, call, err);
    if (r == 0)
        *ret = ofs_take(&p);
    return r;
}

void ofs_ora_principal_free(struct ofs_ora_principal *p)
{
    if (!p)
        return;
    p->ops->done(p);
    free(p->tenancy);
    free(p->region);
    free(p);
}

int ofs_ora_principal_locate(struct ofs_ora_principal *p, const char *tenancy,
                             const char *region, struct ofs_err *err)
{
    p->tenancy = strdup(tenancy);
    p->region = region ? strdup(region) : NULL;
    return p->tenancy && (p->region || !region)
               ? 0
               : ofs_err_nomem(err, "a principal");
}
