/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A person who signed in with a browser: a profile, or OCI_CLI_* alone, with a
 * session token in a file and a key that goes with it.  The CLI renews the
 * file; we read it again when it has changed.
 */
#include "ora_config.h"
#include "ora_principal.h"

#include "ocirfs/ora_auth.h"

#include <sys/stat.h>

enum { TOKEN_MAX_BYTES = 64 * 1024 };

struct session {
    struct ofs_ora_principal base;
    struct ofs_ora_profile profile;
    _Atomic int64_t read_at_ns; /* the file's mtime when it was read */
};

static void session_done(struct ofs_ora_principal *p)
{
    ofs_ora_profile_done(&((struct session *)p)->profile);
}

static int session_open(struct ofs_ora_principal *p,
                        const struct ofs_ora_auth_cfg *cfg,
                        struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_profile *profile = &((struct session *)p)->profile;
    int r = ofs_ora_profile_merge(cfg, cfg->env.cli_security_token_file,
                                  profile, err);

    (void)call;
    if (r < 0)
        return r;
    if (!profile->security_token_file)
        return ofs_err_set(err, -ENOENT,
                           "the profile has no 'security_token_file'");
    if (!profile->tenancy)
        return ofs_err_set(err, -EINVAL, "the profile lacks 'tenancy'");
    return ofs_ora_principal_locate(p, profile->tenancy, profile->region, err);
}

static int check_age(const struct ofs_ora_credential *c, struct ofs_err *err)
{
    if (c->expires_s == 0 || c->expires_s > ofs_wall_s())
        return 0;
    return ofs_err_set(err, -EACCES,
                       "the session token has expired; sign in again with "
                       "'oci session authenticate' or 'oci session refresh'");
}

static int64_t mtime_ns(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

static int session_fetch(struct ofs_ora_principal *p, struct ofs_call *call,
                         struct ofs_ora_credential **ret, struct ofs_err *err)
{
    struct session *s = (struct session *)p;
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf token = OFS_BUF_INIT(TOKEN_MAX_BYTES);
    OFS_AUTO(ofs_ora_credential_unrefp)
    struct ofs_ora_credential *c = ofs_ora_credential_new();
    const char *path = s->profile.security_token_file;
    struct stat st;
    int r;

    (void)call;
    if (!c)
        return ofs_err_nomem(err, "a credential");
    if (stat(path, &st) == 0)
        atomic_store(&s->read_at_ns, mtime_ns(&st));
    r = ofs_ora_token_read(path, &token, err);
    if (r < 0)
        return r;
    if (ofs_ora_credential_set_token(c, ofs_buf_str(&token), token.len) < 0)
        return ofs_err_nomem(err, "a credential");
    r = check_age(c, err);
    if (r == 0)
        r = ofs_ora_profile_key(&s->profile, &c->key, err);
    if (r < 0)
        return r;
    *ret = ofs_take(&c);
    return 0;
}

static bool session_has_changed(const struct ofs_ora_principal *p)
{
    const struct session *s = (const struct session *)p;
    struct stat st;

    return stat(s->profile.security_token_file, &st) == 0 &&
           mtime_ns(&st) != atomic_load(&s->read_at_ns);
}

const struct ofs_ora_principal_ops ofs_ora_session_ops = {
    .kind = "security_token",
    .grantee = "group GROUP",
    .advice = ""
              "the session has ended or the key is another one's; sign in with "
              "'oci session authenticate'",
    .bytes = sizeof(struct session),
    .open = session_open,
    .fetch = session_fetch,
    .has_changed = session_has_changed,
    .done = session_done,
};
