/* SPDX-License-Identifier: Apache-2.0 */
#include "redirect.h"

#include "ocirfs/str.h"

bool ofs_redirect_is_one(int status)
{
    switch (status) {
    case 301:
    case 302:
    case 303:
    case 307:
    case 308:
        return true;
    default:
        return false;
    }
}

static bool becomes_get(const char *method, int status)
{
    if (status == 303)
        return strcmp(method, "HEAD") != 0;
    return (status == 301 || status == 302) && strcmp(method, "POST") == 0;
}

int ofs_redirect_follow(struct ofs_redirect *hop, int status,
                        const char *location, struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url to = { 0 };
    int r = ofs_url_resolve(&hop->url, location, &to, err);

    if (r < 0)
        return ofs_err_wrap(err, r, "redirect");
    r = ofs_url_may_redirect(&hop->url, &to, err);
    if (r < 0)
        return r;
    if (!ofs_url_same_origin(&hop->url, &to))
        hop->authorize = false;
    if (becomes_get(hop->method, status)) {
        hop->method = "GET";
        hop->body = false;
    }
    ofs_url_done(&hop->url);
    hop->url = to;
    to = (struct ofs_url){ 0 };
    return 0;
}

static bool is_field(const char *line, const char *name)
{
    size_t len = strlen(name);

    return strncasecmp(line, name, len) == 0 && line[len] == ':';
}

bool ofs_redirect_takes(const struct ofs_redirect *hop, const char *line)
{
    if (!hop->authorize &&
        (is_field(line, "Authorization") || is_field(line, "Cookie") ||
         is_field(line, "Proxy-Authorization")))
        return false;
    /* What describes a body goes where the body goes. */
    return hop->body || strncasecmp(line, "Content-", 8) != 0;
}

void ofs_redirect_done(struct ofs_redirect *hop)
{
    ofs_url_done(&hop->url);
}
