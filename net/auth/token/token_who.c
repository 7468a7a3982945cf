/* SPDX-License-Identifier: Apache-2.0 */
#include "token_who.h"

#include "ora_jwt.h"

#include "ocirfs/ora_auth.h"

/*
 * A token without a user's name says in itself whose it is, or is taken as it
 * is: hashed, as what is made of this names files.
 */
static int add_token(const struct ofs_secret *token, struct ofs_buf *b)
{
    struct ofs_ora_claims claims;
    struct ofs_digest d;
    char text[OFS_DIGEST_TEXT_MAX];

    if (ofs_ora_claims_parse(token->text, token->len, &claims) == 0 &&
        claims.subject[0])
        return ofs_buf_addf(b, "subject %s\n", claims.subject);
    if (ofs_digest_of(OFS_SHA256, token->text, token->len, &d) < 0)
        return -ENOMEM;
    return ofs_buf_addf(b, "token %s\n", ofs_digest_format(&d, text));
}

static int add_principal(const struct ofs_cred *c, struct ofs_buf *b)
{
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d;

    if (!ofs_ora_auth_who(c->principal, &d))
        return -EAGAIN;
    return ofs_buf_addf(b, "principal %s\n", ofs_digest_format(&d, text));
}

static int add_cred(const struct ofs_cred *c, struct ofs_buf *b)
{
    switch (c->kind) {
    case OFS_CRED_BASIC:
        return ofs_buf_addf(b, "user %s\n", c->user ? c->user : "");
    case OFS_CRED_IDENTITY:
    case OFS_CRED_BEARER:
        return add_token(&c->secret, b);
    case OFS_CRED_SIGNED:
        return add_principal(c, b);
    default:
        return ofs_buf_adds(b, "nobody\n");
    }
}

int ofs_token_add_who(const struct ofs_cred_source *from, struct ofs_call *call,
                      const char *host, const char *repo, struct ofs_buf *b)
{
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    int r = from->find ? from->find(from->arg, call, host, repo, &c, NULL) : 0;

    return r < 0 ? r : add_cred(&c, b);
}
