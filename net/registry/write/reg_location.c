/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_location.h"

#include "ocirfs/str.h"

enum { HTTP_PORT = 80 };

/* "http://name/..." where we speak https to that very name. */
static bool is_proxied(const struct ofs_url *from, const struct ofs_url *to)
{
    return strcmp(from->scheme, "https") == 0 &&
           strcmp(to->scheme, "http") == 0 &&
           strcmp(from->host, to->host) == 0 &&
           (to->port == HTTP_PORT || to->port == from->port);
}

/* Path and query of `to` at the origin of `from`. */
static int bring_home(const struct ofs_url *from, struct ofs_url *to,
                      struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(32 * 1024);
    OFS_AUTOURL struct ofs_url home = { 0 };
    int r;

    (void)ofs_url_origin(from, &text);
    (void)ofs_buf_adds(&text, to->target);
    r = ofs_url_parse(ofs_buf_str(&text), &home, err);
    if (r < 0)
        return r;
    ofs_url_done(to);
    *to = home;
    home = (struct ofs_url){ 0 };
    return 0;
}

int ofs_reg_location(const struct ofs_url *from, const char *location,
                     struct ofs_url *ret, struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url to = { 0 };
    int r;

    if (!location || !*location)
        return ofs_err_set(err, -EBADMSG, "no Location to go on with");
    r = ofs_url_resolve(from, location, &to, err);
    if (r == 0 && is_proxied(from, &to))
        r = bring_home(from, &to, err);
    if (r == 0)
        r = ofs_url_may_redirect(from, &to, err);
    if (r < 0)
        return ofs_err_wrap(err, r, "Location");
    *ret = to;
    to = (struct ofs_url){ 0 };
    return 0;
}

char *ofs_reg_with_digest(const char *url, const struct ofs_digest *digest)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(32 * 1024);
    char text[OFS_DIGEST_TEXT_MAX];
    size_t len = strlen(url);
    const char *query = strchr(url, '?');

    (void)ofs_buf_adds(&b, url);
    if (!query)
        (void)ofs_buf_addc(&b, '?');
    else if (url[len - 1] != '?' && url[len - 1] != '&')
        (void)ofs_buf_addc(&b, '&');
    (void)ofs_buf_adds(&b, "digest=");
    (void)ofs_str_percent(&b, ofs_digest_format(digest, text));
    return ofs_buf_take(&b);
}

int ofs_reg_received(const char *range, uint64_t *ret)
{
    static const char unit[] = "bytes=";
    uint64_t last;

    if (!range)
        return -ENODATA;
    if (ofs_str_starts(range, unit))
        range += strlen(unit);
    if (!ofs_str_starts(range, "0-") || ofs_str_u64(range + 2, &last) < 0 ||
        last == UINT64_MAX)
        return -EBADMSG;
    if (last == 0)
        return -ENODATA;
    *ret = last + 1;
    return 0;
}
