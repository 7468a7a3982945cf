/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/url.h"

#include "ocirfs/str.h"

#include <arpa/inet.h>
#include <netinet/in.h>

enum {
    URL_MAX =
        16384, /* bytes; signed ones are longer than 8 KiB here and there */
    QUOTE_MAX = 160, /* of a bad URL in an error's sentence */
};

#define DIGITS "0123456789"
#define ALNUM                                                                  \
    "abcdefghijklmnopqrstuvwxyz"                                               \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ" DIGITS

/* Where the pieces of a URL lie in its text. */
struct pieces {
    bool tls;
    const char *host;
    size_t host_len;
    int port;
    const char *target; /* path, query and fragment; may be empty */
    size_t target_len;  /* without the fragment */
};

static int default_port(bool tls)
{
    return tls ? 443 : 80;
}

static int bad_url(struct ofs_err *err, const char *text, const char *why)
{
    OFS_AUTOBUF struct ofs_buf quote = OFS_BUF_INIT(3 * URL_MAX);

    (void)ofs_url_redact(&quote, text);
    return ofs_err_set(err, -EBADMSG, "'%.*s' is no usable URL: %s", QUOTE_MAX,
                       ofs_buf_str(&quote), why);
}

/* Why the bytes cannot be those of a URL; NULL: they can. */
static const char *bad_bytes(const char *text)
{
    const char *p = text;

    for (; *p; p++) {
        unsigned char c = (unsigned char)*p;

        if (c <= ' ' || c == 0x7f)
            return "it has white space or control characters";
        if (p - text >= URL_MAX)
            return "it is longer than 16384 bytes";
    }
    return NULL;
}

static const char *split_scheme(const char **p, struct pieces *ret)
{
    if (strncasecmp(*p, "https://", 8) == 0) {
        ret->tls = true;
        *p += 8;
        return NULL;
    }
    if (strncasecmp(*p, "http://", 7) == 0) {
        ret->tls = false;
        *p += 7;
        return NULL;
    }
    return "it does not begin with http:// or https://";
}

static const char *split_ipv6(const char **p, const char *end,
                              struct pieces *ret)
{
    const char *close = memchr(*p, ']', (size_t)(end - *p));
    char text[INET6_ADDRSTRLEN];
    struct in6_addr addr;
    size_t len;

    if (!close)
        return "its host has no closing bracket";
    len = (size_t)(close - *p) - 1;
    if (len >= sizeof(text))
        return "its host is no IPv6 address";
    memcpy(text, *p + 1, len);
    text[len] = '\0';
    if (inet_pton(AF_INET6, text, &addr) != 1)
        return "its host is no IPv6 address";
    ret->host = *p;
    ret->host_len = len + 2;
    *p = close + 1;
    return NULL;
}

static const char *split_host(const char **p, const char *end,
                              struct pieces *ret)
{
    if (memchr(*p, '@', (size_t)(end - *p)))
        return "a user name in it is not taken";
    if (**p == '[')
        return split_ipv6(p, end, ret);
    ret->host = *p;
    ret->host_len = strspn(*p, ALNUM "-._");
    if (ret->host_len == 0)
        return "it has no host";
    if (ret->host_len > 253)
        return "its host is too long";
    *p += ret->host_len;
    return NULL;
}

/* "", ":" or ":443"; `end` is where the authority ends. */
static const char *split_port(const char *p, const char *end,
                              struct pieces *ret)
{
    int port = 0;

    ret->port = default_port(ret->tls);
    if (p == end || (*p == ':' && p + 1 == end))
        return NULL;
    if (*p++ != ':')
        return "its host has a character that no host has";
    for (; p < end; p++) {
        if (*p < '0' || *p > '9')
            return "its port is no number";
        port = port * 10 + (*p - '0');
        if (port > 65535)
            return "its port is out of range";
    }
    if (port == 0)
        return "its port is out of range";
    ret->port = port;
    return NULL;
}

/* Why not; NULL: *ret is filled. */
static const char *split(const char *text, struct pieces *ret)
{
    const char *p = text;
    const char *end;
    const char *why = bad_bytes(text);

    if (!why)
        why = split_scheme(&p, ret);
    if (why)
        return why;
    end = p + strcspn(p, "/?#");
    why = split_host(&p, end, ret);
    if (!why)
        why = split_port(p, end, ret);
    ret->target = end;
    ret->target_len = strcspn(end, "#");
    return why;
}

static void lower(char *s)
{
    for (; *s; s++)
        if (*s >= 'A' && *s <= 'Z')
            *s = (char)(*s - 'A' + 'a');
}

int ofs_url_parse(const char *text, struct ofs_url *ret, struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url u = { 0 };
    OFS_AUTOBUF struct ofs_buf whole = OFS_BUF_INIT(2 * URL_MAX);
    struct pieces p = { 0 };
    const char *why = split(text, &p);

    if (why)
        return bad_url(err, text, why);
    u.scheme = strdup(p.tls ? "https" : "http");
    u.host = strndup(p.host, p.host_len);
    u.port = p.port;
    u.target = ofs_strf("%s%.*s", *p.target == '/' ? "" : "/",
                        (int)p.target_len, p.target);
    if (!u.scheme || !u.host || !u.target)
        return ofs_err_nomem(err, "a URL");
    lower(u.host);
    (void)ofs_url_origin(&u, &whole);
    (void)ofs_buf_adds(&whole, u.target);
    u.text = ofs_buf_take(&whole);
    if (!u.text)
        return ofs_err_nomem(err, "a URL");
    *ret = u;
    u = (struct ofs_url){ 0 };
    return 0;
}

void ofs_url_done(struct ofs_url *u)
{
    free(u->text);
    free(u->scheme);
    free(u->host);
    free(u->target);
    *u = (struct ofs_url){ 0 };
}

static bool has_scheme(const char *reference)
{
    size_t n = strspn(reference, ALNUM "+-.");

    return n > 0 && reference[n] == ':';
}

/* Take "." and ".." out of a path that begins with '/' (RFC 3986, 5.2.4). */
static void remove_dots(char *path)
{
    char *out = path;
    const char *in = path;

    while (*in) {
        size_t n = 1 + strcspn(in + 1, "/");
        bool up = n == 3 && memcmp(in, "/..", 3) == 0;

        if (up || (n == 2 && in[1] == '.')) {
            while (up && out > path && *--out != '/')
                ;
            if (in[n] == '\0')
                *out++ = '/';
        } else {
            memmove(out, in, n);
            out += n;
        }
        in += n;
    }
    *out = '\0';
}

/* Path of `reference`, which has neither scheme nor host, seen from `base`. */
static char *merged_path(const struct ofs_url *base, const char *reference)
{
    size_t len = strcspn(reference, "?#");
    size_t base_len = strcspn(base->target, "?");
    char *path;

    if (len == 0)
        return strndup(base->target, base_len);
    if (reference[0] == '/')
        base_len = 0;
    else
        while (base_len > 0 && base->target[base_len - 1] != '/')
            base_len--;
    path =
        ofs_strf("%.*s%.*s", (int)base_len, base->target, (int)len, reference);
    if (path)
        remove_dots(path);
    return path;
}

/* A reference that stays on base's host. */
static char *resolve_local(const struct ofs_url *base, const char *reference)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(3 * URL_MAX);
    OFS_AUTOFREE char *path = merged_path(base, reference);
    const char *query = reference + strcspn(reference, "?#");

    if (!path)
        return NULL;
    if (reference[0] == '\0' || reference[0] == '#')
        query = base->target + strcspn(base->target, "?");
    (void)ofs_url_origin(base, &b);
    (void)ofs_buf_adds(&b, path);
    (void)ofs_buf_adds(&b, query);
    return ofs_buf_take(&b);
}

/* With each space as "%20": servers forget to (a file name in a query). */
static char *without_spaces(const char *reference)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(3 * URL_MAX + 1);

    for (const char *p = reference; *p; p++)
        (void)(*p == ' ' ? ofs_buf_adds(&b, "%20") : ofs_buf_addc(&b, *p));
    return b.len > 0 ? ofs_buf_take(&b) : strdup("");
}

int ofs_url_resolve(const struct ofs_url *base, const char *raw,
                    struct ofs_url *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *text = NULL, *reference = NULL;

    if (strnlen(raw, URL_MAX + 1) > URL_MAX)
        return bad_url(err, raw, "it is longer than 16384 bytes");
    reference = without_spaces(raw);
    if (!reference)
        return ofs_err_nomem(err, "a URL");
    if (has_scheme(reference))
        return ofs_url_parse(reference, ret, err);
    if (ofs_str_starts(reference, "//"))
        text = ofs_strf("%s:%s", base->scheme, reference);
    else
        text = resolve_local(base, reference);
    if (!text)
        return ofs_err_nomem(err, "a URL");
    return ofs_url_parse(text, ret, err);
}

bool ofs_url_same_origin(const struct ofs_url *a, const struct ofs_url *b)
{
    return a->port == b->port && strcmp(a->scheme, b->scheme) == 0 &&
           strcmp(a->host, b->host) == 0;
}

static bool is_tls(const struct ofs_url *u)
{
    return strcmp(u->scheme, "https") == 0;
}

int ofs_url_origin(const struct ofs_url *u, struct ofs_buf *b)
{
    if (u->port == default_port(is_tls(u)))
        return ofs_buf_addf(b, "%s://%s", u->scheme, u->host);
    return ofs_buf_addf(b, "%s://%s:%d", u->scheme, u->host, u->port);
}

/*
 * An IPv4 address in any form that the C library's resolver takes for one
 * ("127.1", "0x7f000001", "2130706433"); false: a name, or IPv6.
 */
static bool ipv4_of(const char *host, uint32_t *ret)
{
    struct in_addr v4;

    if (inet_aton(host, &v4) == 0)
        return false;
    *ret = ntohl(v4.s_addr);
    return true;
}

bool ofs_url_is_loopback(const struct ofs_url *u)
{
    uint32_t v4;

    if (ipv4_of(u->host, &v4))
        return v4 >> 24 == 127;
    return strcmp(u->host, "[::1]") == 0 || strcmp(u->host, "localhost") == 0;
}

static bool ipv6_reaches_this_host(const char *host)
{
    static const unsigned char mapped[12] = { [10] = 0xff, [11] = 0xff };
    char text[INET6_ADDRSTRLEN + 2];
    struct in6_addr a;
    size_t len = strlen(host);

    if (len < 2 || len - 2 >= sizeof(text) || host[0] != '[')
        return false;
    memcpy(text, host + 1, len - 2);
    text[len - 2] = '\0';
    if (inet_pton(AF_INET6, text, &a) != 1)
        return false;
    if (memcmp(&a, mapped, sizeof(mapped)) == 0)
        return a.s6_addr[12] == 127 || a.s6_addr[12] == 0;
    return IN6_IS_ADDR_LOOPBACK(&a) || IN6_IS_ADDR_UNSPECIFIED(&a);
}

/*
 * Wider than is_loopback, since this one forbids: on Linux 0.0.0.0 and :: are
 * this host too, and so is each name below localhost (RFC 6761, 6.3).
 */
static bool reaches_this_host(const struct ofs_url *u)
{
    uint32_t v4;

    if (ipv4_of(u->host, &v4))
        return v4 >> 24 == 127 || v4 >> 24 == 0;
    return ofs_url_is_loopback(u) || ipv6_reaches_this_host(u->host) ||
           strcmp(u->host, "localhost.") == 0 ||
           ofs_str_ends(u->host, ".localhost") ||
           ofs_str_ends(u->host, ".localhost.");
}

int ofs_url_may_redirect(const struct ofs_url *from, const struct ofs_url *to,
                         struct ofs_err *err)
{
    if (is_tls(from) && !is_tls(to))
        return ofs_err_set(err, -EBADMSG,
                           "%s redirects from https to http at %s, refused",
                           from->host, to->host);
    if (!reaches_this_host(from) && reaches_this_host(to))
        return ofs_err_set(err, -EBADMSG,
                           "%s redirects to this machine (%s), refused",
                           from->host, to->host);
    return 0;
}

int ofs_url_redact(struct ofs_buf *b, const char *url)
{
    size_t end = strcspn(url, "?#");
    const char *slashes = memmem(url, end, "//", 2);
    const char *host = slashes ? slashes + 2 : url;
    size_t authority = strcspn(host, "/?#");

    for (size_t i = authority; i > 0; i--) {
        if (host[i - 1] == '@') {
            (void)ofs_buf_add(b, url, (size_t)(host - url));
            end -= (size_t)(host - url) + i;
            url = host + i;
            break;
        }
    }
    for (size_t i = 0; i < end; i++) {
        unsigned char c = (unsigned char)url[i];

        (void)ofs_buf_addc(b, c < ' ' || c == 0x7f ? '?' : url[i]);
    }
    if (url[end] == '?')
        (void)ofs_buf_adds(b, "?\xe2\x80\xa6");
    return b->failed;
}
