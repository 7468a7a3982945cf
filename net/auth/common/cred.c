/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/cred.h"

#include "ocirfs/base64.h"

enum { BASIC_MAX = 256 * 1024 };

void ofs_cred_done(struct ofs_cred *c)
{
    ofs_secret_done(&c->secret);
    ofs_wipe_free(c->user);
    free(c->origin);
    *c = (struct ofs_cred){ 0 };
}

static bool has_control(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < ' ' || text[i] == 0x7f)
            return true;
    return false;
}

bool ofs_cred_is_token(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] > '~')
            return false;
    return len > 0;
}

/* Why it cannot be sent; NULL: it can. */
static const char *flaw(enum ofs_cred_kind kind, const char *user,
                        const struct ofs_secret *secret)
{
    if (kind == OFS_CRED_BEARER)
        return ofs_cred_is_token(secret->text, secret->len)
                   ? NULL
                   : "the bearer token has characters that no token has";
    if (user && strchr(user, ':'))
        return "the user name has a colon"; /* RFC 7617, 2 */
    if (user && has_control(user, strlen(user)))
        return "the user name has control characters";
    if (has_control(secret->text, secret->len))
        return "the password has control characters";
    return NULL;
}

int ofs_cred_make(enum ofs_cred_kind kind, const char *user,
                  const struct ofs_secret *secret, const char *origin,
                  struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTOCRED struct ofs_cred c = { .kind = kind };
    const char *why = flaw(kind, user, secret);

    if (why)
        return ofs_err_set(err, -EBADMSG, "%s", why);
    if (kind == OFS_CRED_BASIC && user && strcmp(user, "<token>") == 0)
        c.kind = OFS_CRED_IDENTITY;
    if (c.kind == OFS_CRED_BASIC)
        c.user = strdup(user ? user : "");
    c.origin = strdup(origin ? origin : "");
    if (!c.origin || (c.kind == OFS_CRED_BASIC && !c.user) ||
        ofs_secret_set(&c.secret, secret->text, secret->len) < 0)
        return ofs_err_nomem(err, "a credential");
    *ret = c;
    c = (struct ofs_cred){ 0 };
    return 0;
}

int ofs_cred_sign(struct ofs_ora_auth *principal, const char *origin,
                  struct ofs_cred *ret)
{
    char *copy = strdup(origin);

    if (!copy)
        return -ENOMEM;
    *ret = (struct ofs_cred){ .kind = OFS_CRED_SIGNED,
                              .principal = principal,
                              .origin = copy };
    return 0;
}

int ofs_cred_copy(const struct ofs_cred *from, struct ofs_cred *ret)
{
    OFS_AUTOCRED struct ofs_cred c = { .kind = from->kind,
                                       .principal = from->principal };

    c.user = from->user ? strdup(from->user) : NULL;
    c.origin = from->origin ? strdup(from->origin) : NULL;
    if ((from->user && !c.user) || (from->origin && !c.origin) ||
        (from->secret.text &&
         ofs_secret_set(&c.secret, from->secret.text, from->secret.len) < 0))
        return -ENOMEM;
    *ret = c;
    c = (struct ofs_cred){ 0 };
    return 0;
}

bool ofs_cred_equal(const struct ofs_cred *a, const struct ofs_cred *b)
{
    if (a->kind != b->kind || a->secret.len != b->secret.len ||
        a->principal != b->principal)
        return false;
    if (strcmp(a->user ? a->user : "", b->user ? b->user : "") != 0)
        return false;
    return a->secret.len == 0 ||
           memcmp(a->secret.text, b->secret.text, a->secret.len) == 0;
}

int ofs_cred_basic(const struct ofs_cred *c, struct ofs_secret *ret)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf pair = OFS_BUF_INIT(BASIC_MAX);
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf value = OFS_BUF_INIT(2 * BASIC_MAX);

    (void)ofs_buf_adds(&pair, c->user ? c->user : "");
    (void)ofs_buf_addc(&pair, ':');
    (void)ofs_buf_add(&pair, c->secret.text, c->secret.len);
    (void)ofs_buf_adds(&value, "Basic ");
    if (pair.failed || ofs_base64_encode(&value, pair.data, pair.len) < 0)
        return -ENOMEM;
    return ofs_secret_set(ret, value.data, value.len);
}
