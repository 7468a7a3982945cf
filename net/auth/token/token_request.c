/* SPDX-License-Identifier: Apache-2.0 */
#include "token_request.h"

#include "ocirfs/str.h"

static bool is_tls(const struct ofs_url *u)
{
    return strcmp(u->scheme, "https") == 0;
}

static int check_realm(const struct ofs_url *realm, const struct ofs_url *from,
                       bool allow_plain_http, struct ofs_err *err)
{
    struct ofs_err why = { 0 };
    bool at_home = !is_tls(from) && ofs_url_is_loopback(from) &&
                   ofs_url_is_loopback(realm);

    if (!is_tls(realm) && !at_home && !allow_plain_http)
        return ofs_err_set(err, -EBADMSG,
                           "%s sends for a token to %s without TLS, refused",
                           from->host, realm->host);
    /* Asked as http to http, so that it judges the hosts alone. */
    if (ofs_url_may_redirect(
            &(struct ofs_url){ .scheme = realm->scheme, .host = from->host },
            realm, &why) < 0)
        return ofs_err_set(err, -EBADMSG,
                           "%s sends for a token to this machine (%s), refused",
                           from->host, realm->host);
    return 0;
}

int ofs_token_realm(const char *realm, const char *origin,
                    bool allow_plain_http, struct ofs_url *ret,
                    struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url from = { 0 }, to = { 0 };
    int r = ofs_url_parse(origin, &from, err);

    if (r == 0)
        r = ofs_url_parse(realm, &to, err);
    if (r < 0)
        return ofs_err_wrap(err, r, "realm of the challenge");
    r = check_realm(&to, &from, allow_plain_http, err);
    if (r < 0)
        return r;
    *ret = to;
    to = (struct ofs_url){ 0 };
    return 0;
}

const char *ofs_token_host(const char *origin)
{
    const char *slashes = strstr(origin, "://");

    return slashes ? slashes + 3 : origin;
}

/* The next scope of a list from *p on: its length, 0 at the end. */
static size_t next_scope(const char **p)
{
    *p += strspn(*p, " ");
    return strcspn(*p, " ");
}

/* Between the first and the last colon: a name may hold one, of a port. */
char *ofs_token_repo(const char *scopes)
{
    static const char type[] = "repository:";
    const char *p = scopes;
    size_t len;

    for (; (len = next_scope(&p)) > 0; p += len) {
        const char *name = p + strlen(type);
        const char *end = memrchr(p, ':', len);

        if (ofs_str_starts(p, type) && end > name)
            return strndup(name, (size_t)(end - name));
    }
    return NULL;
}

static bool has_scope(const char *list, const char *scope, size_t scope_len)
{
    size_t len;

    for (; (len = next_scope(&list)) > 0; list += len)
        if (len == scope_len && memcmp(list, scope, len) == 0)
            return true;
    return false;
}

bool ofs_token_covers(const char *asked, const char *wanted)
{
    size_t len;

    for (; (len = next_scope(&wanted)) > 0; wanted += len)
        if (!has_scope(asked, wanted, len))
            return false;
    return true;
}

int ofs_token_add_scopes(struct ofs_buf *b, const char *more)
{
    size_t len;

    for (; (len = next_scope(&more)) > 0; more += len) {
        if (has_scope(ofs_buf_str(b), more, len))
            continue;
        if (b->len > 0)
            (void)ofs_buf_addc(b, ' ');
        (void)ofs_buf_add(b, more, len);
    }
    return b->failed;
}

/* "&name=value"; without the '&' behind what needs none. */
static void add_param(struct ofs_buf *b, const char *name, const char *value)
{
    char last = b->len > 0 ? b->data[b->len - 1] : '?';

    if (last != '?' && last != '&')
        (void)ofs_buf_addc(b, '&');
    (void)ofs_buf_adds(b, name);
    (void)ofs_buf_addc(b, '=');
    (void)ofs_str_percent(b, value);
}

static void add_service(struct ofs_buf *b, const char *service)
{
    if (service && *service)
        add_param(b, "service", service);
}

static int add_scope_params(struct ofs_buf *b, const char *scopes)
{
    size_t len;

    for (; (len = next_scope(&scopes)) > 0; scopes += len) {
        OFS_AUTOFREE char *scope = strndup(scopes, len);

        if (!scope)
            return -ENOMEM;
        add_param(b, "scope", scope);
    }
    return b->failed;
}

int ofs_token_get_url(struct ofs_buf *b, const char *realm, const char *service,
                      const char *scopes)
{
    bool more = (service && *service) || *scopes;

    (void)ofs_buf_adds(b, realm);
    if (more && !strchr(realm, '?'))
        (void)ofs_buf_addc(b, '?');
    add_service(b, service);
    return add_scope_params(b, scopes);
}

/* One `scope` with all of them here, other than with GET. */
int ofs_token_post_form(struct ofs_buf *b, const struct ofs_token_form *form)
{
    (void)ofs_buf_adds(b, "grant_type=refresh_token");
    add_param(b, "refresh_token", form->refresh->text);
    add_service(b, form->service);
    add_param(b, "client_id", form->client_id);
    if (*form->scopes)
        add_param(b, "scope", form->scopes);
    return b->failed;
}
