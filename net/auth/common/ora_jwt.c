/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_jwt.h"

#include "ocirfs/base64.h"
#include "ocirfs/json.h"

enum { PAYLOAD_MAX_BYTES = 64 * 1024 };

#define TIME_MAX_S ((int64_t)1 << 40) /* what is beyond is no time */

static int64_t time_of(const json_t *claims, const char *name)
{
    const json_t *v = json_object_get(claims, name);
    double at_s = json_is_number(v) ? json_number_value(v) : 0;

    return at_s > 0 && at_s < (double)TIME_MAX_S ? (int64_t)at_s : 0;
}

static void copy_tenancy(const json_t *claims, struct ofs_ora_claims *c)
{
    const char *text = json_string_value(json_object_get(claims, "res_tenant"));

    if (!text)
        text = json_string_value(json_object_get(claims, "tenant"));
    if (text && strlen(text) < sizeof(c->tenancy))
        (void)snprintf(c->tenancy, sizeof(c->tenancy), "%s", text);
}

static void copy_subject(const json_t *claims, struct ofs_ora_claims *c)
{
    const char *text = json_string_value(json_object_get(claims, "sub"));

    if (text && strlen(text) < sizeof(c->subject))
        (void)snprintf(c->subject, sizeof(c->subject), "%s", text);
}

/*
 * OCIR's registry token has JSON in its `sub`.  For a signature it does not
 * take it answers 200 with a token whose user begins with "anon-" (seen live
 * by go-containerregistry's authors, 2026-09).
 */
static bool is_anonymous(const json_t *claims)
{
    const json_t *sub = json_object_get(claims, "sub");
    OFS_AUTOJSON json_t *who = NULL;
    const char *user;

    if (!json_is_string(sub) ||
        ofs_json_parse(json_string_value(sub), json_string_length(sub), &who,
                       NULL) < 0)
        return false;
    user = json_string_value(json_object_get(who, "userId"));
    return user && ofs_str_starts(user, "anon-");
}

int ofs_ora_claims_parse(const char *token, size_t len,
                         struct ofs_ora_claims *ret)
{
    OFS_AUTO(ofs_buf_wipe)
    struct ofs_buf payload = OFS_BUF_INIT(PAYLOAD_MAX_BYTES);
    const char *begin = memchr(token, '.', len);
    const char *end =
        begin ? memchr(begin + 1, '.', len - (size_t)(begin + 1 - token))
              : NULL;
    OFS_AUTOJSON json_t *claims = NULL;
    struct ofs_ora_claims c = { 0 };

    if (!end ||
        ofs_base64_decode(&payload, begin + 1, (size_t)(end - begin - 1)) < 0 ||
        ofs_json_parse(ofs_buf_str(&payload), payload.len, &claims, NULL) < 0 ||
        !json_is_object(claims))
        return -EBADMSG;
    c.expires_s = time_of(claims, "exp");
    c.issued_s = time_of(claims, "iat");
    copy_tenancy(claims, &c);
    copy_subject(claims, &c);
    c.anonymous = is_anonymous(claims);
    *ret = c;
    return 0;
}
