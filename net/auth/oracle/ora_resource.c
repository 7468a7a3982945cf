/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Resource principal 2.2: functions, build runners, container instances. The
 * environment holds a session token and its key, or the paths of files with
 * them, which the service replaces in time.
 */
#include "ora_jwt.h"
#include "ora_principal.h"

#include "ocirfs/ora_auth.h"

enum { VALUE_MAX_BYTES = 64 * 1024 };

struct resource {
    struct ofs_ora_principal base;
    struct ofs_secret token, pem, pass; /* as given: text or absolute path */
};

static void resource_done(struct ofs_ora_principal *p)
{
    struct resource *s = (struct resource *)p;

    ofs_secret_done(&s->token);
    ofs_secret_done(&s->pem);
    ofs_secret_done(&s->pass);
}

static int set(struct ofs_secret *s, const char *value)
{
    return value ? ofs_secret_set(s, value, strlen(value)) : 0;
}

/* The text itself, or what the file it names holds now. */
static int resolve(const struct ofs_secret *value, bool is_path,
                   struct ofs_buf *b, struct ofs_err *err)
{
    if (!value->text)
        return 0;
    if (!is_path)
        return ofs_buf_add(b, value->text, value->len) < 0
                   ? ofs_err_nomem(err, "a credential")
                   : 0;
    return ofs_ora_token_read(value->text, b, err);
}

static bool is_path(const struct ofs_secret *s)
{
    return s->text && s->text[0] == '/';
}

static int resource_fetch(struct ofs_ora_principal *p, struct ofs_call *call,
                          struct ofs_ora_credential **ret, struct ofs_err *err)
{
    const struct resource *s = (const struct resource *)p;
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf token = OFS_BUF_INIT(VALUE_MAX_BYTES);
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf pem = OFS_BUF_INIT(VALUE_MAX_BYTES);
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf pass = OFS_BUF_INIT(VALUE_MAX_BYTES);
    OFS_AUTOSECRET struct ofs_secret passphrase = { 0 };
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = ofs_ora_credential_new();
    int r = c ? 0 : ofs_err_nomem(err, "a credential");

    (void)call;
    if (r == 0)
        r = resolve(&s->token, is_path(&s->token), &token, err);
    if (r == 0)
        r = resolve(&s->pem, is_path(&s->pem), &pem, err);
    /* The passphrase is a path only where the key is one. */
    if (r == 0)
        r = resolve(&s->pass, is_path(&s->pem), &pass, err);
    if (r == 0 && pass.len > 0 &&
        ofs_secret_set(&passphrase, pass.data, pass.len) < 0)
        r = ofs_err_nomem(err, "a credential");
    if (r == 0)
        r = ofs_ora_key_parse(ofs_buf_str(&pem), pem.len, &passphrase, &c->key,
                              err);
    if (r == 0 &&
        ofs_ora_credential_set_token(c, ofs_buf_str(&token), token.len) < 0)
        r = ofs_err_nomem(err, "a credential");
    if (r < 0)
        return r;
    *ret = ofs_take(&c);
    return 0;
}

/* The tenancy stands in the token only. */
static int find_tenancy(struct resource *s, const char *region,
                        struct ofs_err *err)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf token = OFS_BUF_INIT(VALUE_MAX_BYTES);
    struct ofs_ora_claims claims;
    int r = resolve(&s->token, is_path(&s->token), &token, err);

    if (r < 0)
        return r;
    if (ofs_ora_claims_parse(ofs_buf_str(&token), token.len, &claims) < 0 ||
        !claims.tenancy[0])
        return ofs_err_set(err, -EINVAL,
                           "OCI_RESOURCE_PRINCIPAL_RPST names no tenancy");
    return ofs_ora_principal_locate(&s->base, claims.tenancy, region, err);
}

static int check_env(const struct ofs_ora_env *env, struct ofs_err *err)
{
    if (!env->rp_version)
        return ofs_err_set(err, -ENOENT,
                           "OCI_RESOURCE_PRINCIPAL_VERSION is not set");
    if (strcmp(env->rp_version, "2.2") != 0)
        return ofs_err_set(err, -EINVAL,
                           "OCI_RESOURCE_PRINCIPAL_VERSION is '%.16s'; only "
                           "2.2 is known",
                           env->rp_version);
    if (!env->rp_rpst || !env->rp_private_pem)
        return ofs_err_set(err, -EINVAL, "OCI_RESOURCE_PRINCIPAL_%s is not set",
                           env->rp_rpst ? "PRIVATE_PEM" : "RPST");
    return 0;
}

static int resource_open(struct ofs_ora_principal *p,
                         const struct ofs_ora_auth_cfg *cfg,
                         struct ofs_call *call, struct ofs_err *err)
{
    const struct ofs_ora_env *env = &cfg->env;
    struct resource *s = (struct resource *)p;
    int r = check_env(env, err);

    (void)call;
    if (r < 0)
        return r;
    if (set(&s->token, env->rp_rpst) < 0 ||
        set(&s->pem, env->rp_private_pem) < 0 ||
        set(&s->pass, env->rp_passphrase) < 0)
        return ofs_err_nomem(err, "a principal");
    return find_tenancy(s, env->rp_region, err);
}

/* Where the token is a file, it is read again before it ends. */
const struct ofs_ora_principal_ops ofs_ora_resource_ops = {
    .kind = "resource_principal",
    .grantee = "dynamic-group GROUP",
    .advice = "have OCI_RESOURCE_PRINCIPAL_RPST and ..._PRIVATE_PEM ended?",
    .bytes = sizeof(struct resource),
    .open = resource_open,
    .fetch = resource_fetch,
    .done = resource_done,
};
