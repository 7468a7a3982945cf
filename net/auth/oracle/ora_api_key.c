/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A user with an API key: a profile of ~/.oci/config, single values of which
 * OCI_CLI_* may replace; or OCI_CLI_* alone, as build servers set them.
 */
#include "ora_config.h"
#include "ora_principal.h"

#include "ocirfs/file.h"
#include "ocirfs/ora_auth.h"

#include <fcntl.h>

enum { PEM_MAX_BYTES = 64 * 1024 };

struct api_key {
    struct ofs_ora_principal base;
    struct ofs_ora_profile profile;
};

static bool env_is_complete(const struct ofs_ora_env *env)
{
    return env->cli_user && env->cli_tenancy && env->cli_fingerprint &&
           (env->cli_key_content || env->cli_key_file);
}

static void api_key_free(struct ofs_ora_principal *p)
{
    struct api_key *k = (struct api_key *)p;

    if (!k)
        return;
    ofs_ora_profile_done(&k->profile);
    ofs_ora_principal_done(p);
    free(k);
}
OFS_DEFINE_AUTO(struct ofs_ora_principal, api_key_free)

static int check_profile(const struct ofs_ora_profile *p, struct ofs_err *err)
{
    const struct {
        const char *name, *value;
    } needed[] = {
        { "tenancy", p->tenancy },
        { "user", p->user },
        { "fingerprint", p->fingerprint },
    };

    for (size_t i = 0; i < OFS_COUNT_OF(needed); i++)
        if (!needed[i].value || !needed[i].value[0])
            return ofs_err_set(err, -EINVAL,
                               "the profile lacks '%s', which an API key needs",
                               needed[i].name);
    if (!p->key_content.text && !p->key_file)
        return ofs_err_set(err, -EINVAL, "the profile lacks 'key_file'");
    return 0;
}

/* Another kind's profile, which may inherit a key from [DEFAULT] all the same:
 * `auto` goes on. */
static int check_kind(const struct ofs_ora_profile *p, struct ofs_err *err)
{
    const char *type = p->authentication_type;

    if (p->security_token_file)
        return ofs_err_set(err, -ENOENT, "the profile has a session token");
    if (p->delegation_token_file)
        return ofs_err_set(err, -ENOENT, "the profile has a delegation token");
    if (type && *type && !ofs_str_ieq(type, "api_key"))
        return ofs_err_set(err, -ENOENT, "the profile is for '%.32s'", type);
    return 0;
}

static int load(const struct ofs_ora_auth_cfg *cfg,
                struct ofs_ora_profile *profile, struct ofs_err *err)
{
    int r = 0;

    if (!env_is_complete(&cfg->env))
        r = ofs_ora_profile_load(cfg, profile, err);
    if (r == 0 && ofs_ora_profile_override(profile, &cfg->env) < 0)
        r = ofs_err_nomem(err, "a profile");
    if (r == 0)
        r = check_kind(profile, err);
    return r == 0 ? check_profile(profile, err) : r;
}

static int api_key_open(const struct ofs_ora_auth_cfg *cfg,
                        struct ofs_call *call, struct ofs_ora_principal **ret,
                        struct ofs_err *err)
{
    struct api_key *k = calloc(1, sizeof(*k));
    OFS_AUTO(api_key_freep) struct ofs_ora_principal *p = k ? &k->base : NULL;
    int r;

    (void)call;
    if (!k)
        return ofs_err_nomem(err, "a principal");
    p->ops = &ofs_ora_api_key_ops;
    r = load(cfg, &k->profile, err);
    if (r < 0)
        return r;
    p->tenancy = strdup(k->profile.tenancy);
    p->region = k->profile.region ? strdup(k->profile.region) : NULL;
    if (!p->tenancy || (k->profile.region && !p->region))
        return ofs_err_nomem(err, "a principal");
    *ret = ofs_take(&p);
    return 0;
}

int ofs_ora_profile_key(const struct ofs_ora_profile *p,
                        struct ofs_ora_key **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf pem = OFS_BUF_INIT(PEM_MAX_BYTES);
    int r;

    if (p->key_content.text)
        return ofs_ora_key_parse(p->key_content.text, p->key_content.len,
                                 &p->pass_phrase, ret, err);
    if (!p->key_file)
        return ofs_err_set(err, -EINVAL, "the profile lacks 'key_file'");
    r = ofs_file_read(AT_FDCWD, p->key_file, &pem);
    if (r < 0)
        return ofs_err_errno(err, -r, p->key_file);
    r = ofs_ora_key_parse(ofs_buf_str(&pem), pem.len, &p->pass_phrase, ret,
                          err);
    return r < 0 ? ofs_err_wrap(err, r, p->key_file) : 0;
}

/*
 * A wrong fingerprint is the commonest mistake in such a file, and the service
 * would only say NotAuthenticated.
 */
static int check_fingerprint(const struct ofs_ora_profile *p,
                             const struct ofs_ora_key *key, struct ofs_err *err)
{
    char real[OFS_ORA_FINGERPRINT_MAX];

    if (ofs_ora_key_fingerprint(key, real) < 0)
        return ofs_err_set(err, -EIO, "cannot compute the key's fingerprint");
    if (!ofs_str_ieq(real, p->fingerprint))
        return ofs_err_set(err, -EINVAL,
                           "the private key has the fingerprint %s, but the "
                           "configuration says %.64s; one of them is another "
                           "key's",
                           real, p->fingerprint);
    return 0;
}

static int api_key_fetch(struct ofs_ora_principal *p, struct ofs_call *call,
                         struct ofs_ora_credential **ret, struct ofs_err *err)
{
    const struct ofs_ora_profile *profile = &((struct api_key *)p)->profile;
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = ofs_ora_credential_new();
    OFS_AUTOFREE char *id = ofs_strf("%s/%s/%s", profile->tenancy,
                                     profile->user, profile->fingerprint);
    int r;

    (void)call;
    if (!c || !id || ofs_secret_set(&c->key_id, id, strlen(id)) < 0)
        return ofs_err_nomem(err, "a credential");
    r = ofs_ora_profile_key(profile, &c->key, err);
    if (r == 0)
        r = check_fingerprint(profile, c->key, err);
    if (r < 0)
        return r;
    *ret = ofs_take(&c);
    return 0;
}

const struct ofs_ora_principal_ops ofs_ora_api_key_ops = {
    .kind = "api_key",
    .grantee = "group GROUP",
    .advice = "is the API key uploaded for that user, and the user active?",
    .open = api_key_open,
    .fetch = api_key_fetch,
    .free = api_key_free,
};
