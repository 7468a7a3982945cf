/* SPDX-License-Identifier: Apache-2.0 */
#include "challenge.h"

#include "ocirfs/str.h"

enum { VALUE_MAX = 8 * 1024 };

/* What separates a scheme from a parameter is the '=' behind it alone, so one
 * loop reads both, in any mixture. */
struct item {
    const char *name;
    size_t name_len;
    bool has_value;
    struct ofs_buf value;
};

static bool is_space(char c)
{
    return c == ' ' || c == '\t';
}

/* A token's character: RFC 9110, 5.6.2. */
static bool is_tchar(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
           (c >= '0' && c <= '9') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static const char *skip_spaces(const char *p)
{
    while (is_space(*p))
        p++;
    return p;
}

/* Behind the quoted string that begins at `p`, its text in `b`.  One without
 * an end goes to the end of the field. */
static const char *read_quoted(const char *p, struct ofs_buf *b)
{
    for (p++; *p && *p != '"'; p++) {
        if (*p == '\\' && p[1])
            p++;
        (void)ofs_buf_addc(b, *p);
    }
    return *p ? p + 1 : p;
}

/* An unquoted value goes to the next comma or space: realms are seen without
 * quotes, and a URL has characters that no token has. */
static const char *read_value(const char *p, struct ofs_buf *b)
{
    if (*p == '"')
        return read_quoted(p, b);
    for (; *p && *p != ',' && !is_space(*p); p++)
        (void)ofs_buf_addc(b, *p);
    return p;
}

/* What is no item (the rest of a token68, stray bytes) goes up to the next
 * separator, quotes respected. */
static const char *skip_junk(const char *p)
{
    struct ofs_buf none = OFS_BUF_INIT(0);

    while (*p && *p != ',' && !is_space(*p))
        p = *p == '"' ? read_quoted(p, &none) : p + 1;
    return p;
}

/* The next item from *p on; false: there is none. */
static bool next_item(const char **p, struct item *ret)
{
    const char *q = *p;

    while (*q && !is_tchar(*q))
        q = *q == ',' || is_space(*q) ? q + 1 : skip_junk(q);
    ret->name = q;
    while (is_tchar(*q))
        q++;
    ret->name_len = (size_t)(q - ret->name);
    ofs_buf_reset(&ret->value);
    ret->has_value = *skip_spaces(q) == '=';
    if (ret->has_value)
        q = read_value(skip_spaces(skip_spaces(q) + 1), &ret->value);
    else
        q = skip_junk(q);
    *p = q;
    return ret->name_len > 0;
}

static bool is_named(const struct item *item, const char *name)
{
    return item->name_len == strlen(name) &&
           strncasecmp(item->name, name, item->name_len) == 0;
}

static enum ofs_challenge_kind kind_of(const struct item *scheme)
{
    if (is_named(scheme, "Bearer"))
        return OFS_CHALLENGE_BEARER;
    return is_named(scheme, "Basic") ? OFS_CHALLENGE_BASIC : OFS_CHALLENGE_NONE;
}

/* A parameter given twice counts as first given. */
static int set_param(struct ofs_challenge *c, const struct item *item)
{
    char **place = NULL;

    if (is_named(item, "realm"))
        place = &c->realm;
    else if (is_named(item, "service"))
        place = &c->service;
    else if (is_named(item, "scope"))
        place = &c->scope;
    if (!place || *place)
        return 0;
    if (item->value.failed)
        return item->value.failed;
    *place = strdup(ofs_buf_str(&item->value));
    return *place ? 0 : -ENOMEM;
}

static bool is_better(const struct ofs_challenge *c,
                      const struct ofs_challenge *than)
{
    if (c->kind == OFS_CHALLENGE_BEARER && (!c->realm || !*c->realm))
        return false;
    return c->kind > than->kind;
}

static void consider(struct ofs_challenge *c, struct ofs_challenge *best)
{
    if (is_better(c, best)) {
        ofs_challenge_done(best);
        *best = *c;
        *c = (struct ofs_challenge){ 0 };
    }
    ofs_challenge_done(c);
}

static int read_field(const char *p, struct ofs_challenge *best)
{
    OFS_AUTOCHALLENGE struct ofs_challenge c = { 0 };
    struct item item = { .value = OFS_BUF_INIT(VALUE_MAX) };
    int r = 0;

    while (r == 0 && next_item(&p, &item)) {
        if (item.has_value) {
            r = set_param(&c, &item);
        } else {
            consider(&c, best);
            c.kind = kind_of(&item);
        }
    }
    ofs_buf_done(&item.value);
    if (r == 0)
        consider(&c, best);
    return r;
}

int ofs_challenge_pick(const struct ofs_headers *headers,
                       struct ofs_challenge *ret, struct ofs_err *err)
{
    OFS_AUTOCHALLENGE struct ofs_challenge best = { 0 };
    const char *value;

    for (size_t i = 0;
         (value = ofs_headers_nth(headers, "WWW-Authenticate", i)); i++) {
        int r = read_field(value, &best);

        if (r == -ENOMEM)
            return ofs_err_nomem(err, "a challenge");
        if (r < 0)
            return ofs_err_set(err, -EPROTO,
                               "a parameter of the challenge is too long");
    }
    if (best.kind == OFS_CHALLENGE_NONE)
        return ofs_err_set(err, -EPROTO,
                           "asks neither for Bearer nor for Basic");
    *ret = best;
    best = (struct ofs_challenge){ 0 };
    return 0;
}

void ofs_challenge_done(struct ofs_challenge *c)
{
    free(c->realm);
    free(c->service);
    free(c->scope);
    *c = (struct ofs_challenge){ 0 };
}

static int copy_text(const char *text, char **ret)
{
    *ret = text ? strdup(text) : NULL;
    return text && !*ret ? -ENOMEM : 0;
}

int ofs_challenge_copy(const struct ofs_challenge *from,
                       struct ofs_challenge *ret)
{
    OFS_AUTOCHALLENGE struct ofs_challenge c = { .kind = from->kind };

    if (copy_text(from->realm, &c.realm) < 0 ||
        copy_text(from->service, &c.service) < 0 ||
        copy_text(from->scope, &c.scope) < 0)
        return -ENOMEM;
    *ret = c;
    c = (struct ofs_challenge){ 0 };
    return 0;
}
