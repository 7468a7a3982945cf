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

static void api_key_done(struct ofs_ora_principal *p)
{
    ofs_ora_profile_done(&((struct api_key *)p)->profile);
}

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

static int api_key_open(struct ofs_ora_principal *p,
                        const struct ofs_ora_auth_cfg *cfg,
                        struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_profile *profile = &((struct api_key *)p)->profile;
    int r = ofs_ora_profile_merge(
        cfg, cfg->env.cli_user && cfg->env.cli_fingerprint, profile, err);

    (void)call;
    if (r == 0)
        r = check_kind(profile, err);
    if (r == 0)
        r = check_profile(profile, err);
    return r < 0 ? r
                 : ofs_ora_principal_locate(p, profile->tenancy,
                                            profile->region, err);
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
    .bytes = sizeof(struct api_key),
    .open = api_key_open,
    .fetch = api_key_fetch,
    .done = api_key_done,
};
