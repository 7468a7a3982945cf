/* SPDX-License-Identifier: Apache-2.0 */
#include "docker_entry.h"

#include "ocirfs/base64.h"

enum { PAIR_MAX = 64 * 1024 };

struct entry {
    char *auth, *identity, *registry, *user, *password; /* owned */
};

static const struct ofs_json_field entry_fields[] = {
    { "auth", OFS_JSON_STR, offsetof(struct entry, auth), false },
    { "identitytoken", OFS_JSON_STR, offsetof(struct entry, identity), false },
    { "registrytoken", OFS_JSON_STR, offsetof(struct entry, registry), false },
    { "username", OFS_JSON_STR, offsetof(struct entry, user), false },
    { "password", OFS_JSON_STR, offsetof(struct entry, password), false },
    { 0 },
};

static void entry_done(struct entry *e)
{
    ofs_wipe_free(e->auth);
    ofs_wipe_free(e->identity);
    ofs_wipe_free(e->registry);
    ofs_wipe_free(e->user);
    ofs_wipe_free(e->password);
}

static bool is_given(const char *text)
{
    return text && *text;
}

/* Line breaks in the middle are what base64(1) makes of a long password; Go's
 * decoder, which docker has, passes over them. */
static int decode(const char *text, struct ofs_buf *pair)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf joined = OFS_BUF_INIT(PAIR_MAX);

    for (; *text; text++)
        if (*text != '\n' && *text != '\r')
            (void)ofs_buf_addc(&joined, *text);
    if (joined.failed)
        return joined.failed;
    return ofs_base64_decode(pair, ofs_buf_str(&joined), joined.len);
}

/* "user:password", with NULs behind that old versions of docker left there. */
static int make_from_pair(struct ofs_buf *pair, const char *origin,
                          struct ofs_cred *ret, struct ofs_err *err)
{
    char *colon = memchr(ofs_buf_str(pair), ':', pair->len);
    struct ofs_secret password; /* borrows */

    if (!colon || memchr(pair->data, '\0', (size_t)(colon - pair->data)))
        return ofs_err_set(err, -EBADMSG, "'auth' is not user:password");
    *colon = '\0';
    password.text = colon + 1;
    password.len = pair->len - (size_t)(password.text - pair->data);
    while (password.len > 0 && password.text[password.len - 1] == '\0')
        password.len--;
    if (colon == pair->data && password.len == 0)
        return 0;
    return ofs_cred_make(OFS_CRED_BASIC, pair->data, &password, origin, ret,
                         err);
}

static int make_from_auth(const char *auth, const char *origin,
                          struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf pair = OFS_BUF_INIT(PAIR_MAX);
    int r = decode(auth, &pair);

    if (r == -ENOMEM)
        return ofs_err_nomem(err, "a credential");
    if (r < 0)
        return ofs_err_set(err, -EBADMSG, "'auth' is not base64");
    return make_from_pair(&pair, origin, ret, err);
}

static int make(enum ofs_cred_kind kind, const char *user, char *secret,
                const char *origin, struct ofs_cred *ret, struct ofs_err *err)
{
    const struct ofs_secret borrowed = { secret, strlen(secret) };

    return ofs_cred_make(kind, user, &borrowed, origin, ret, err);
}

int ofs_docker_entry_cred(const json_t *entry, const char *origin,
                          struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTO(entry_done) struct entry e = { 0 };
    int r;

    if (json_is_null(entry))
        return 0;
    r = ofs_json_decode(entry, entry_fields, &e, err);
    if (r < 0)
        return r;
    if (is_given(e.registry))
        return make(OFS_CRED_BEARER, NULL, e.registry, origin, ret, err);
    if (is_given(e.identity))
        return make(OFS_CRED_IDENTITY, NULL, e.identity, origin, ret, err);
    if (is_given(e.auth))
        return make_from_auth(e.auth, origin, ret, err);
    if (is_given(e.user) && is_given(e.password))
        return make(OFS_CRED_BASIC, e.user, e.password, origin, ret, err);
    return 0;
}
