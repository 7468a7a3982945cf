/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/cleanup.h"
#include "ocirfs/url.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

/* A URL that was taken is taken again, as the same. */
static void check_stable(const struct ofs_url *u)
{
    OFS_AUTOURL struct ofs_url again = { 0 };
    OFS_AUTOBUF struct ofs_buf origin = OFS_BUF_INIT(1024);

    must(u->target[0] == '/' && u->host[0] && u->port > 0 && u->port < 65536);
    must(strpbrk(u->text, " \r\n\t#") == NULL);
    must(strchr(u->host, '@') == NULL);
    must(ofs_url_parse(u->text, &again, NULL) == 0);
    must(strcmp(u->text, again.text) == 0);
    must(ofs_url_same_origin(u, &again));
    must(ofs_url_origin(u, &origin) == 0);
    must(strncmp(u->text, ofs_buf_str(&origin), origin.len) == 0);
    must(strcmp(u->text + origin.len, u->target) == 0);
}

static void check_redirect(const struct ofs_url *to)
{
    OFS_AUTOURL struct ofs_url from = { 0 };

    must(ofs_url_parse("https://registry.example/v2/", &from, NULL) == 0);
    if (ofs_url_may_redirect(&from, to, NULL) == 0)
        must(strcmp(to->scheme, "https") == 0 && !ofs_url_is_loopback(to));
}

static void resolve(const char *text)
{
    static const char *const bases[] = { "https://registry.example/a/b?c",
                                         "http://127.0.0.1:5000" };

    for (size_t i = 0; i < OFS_COUNT_OF(bases); i++) {
        OFS_AUTOURL struct ofs_url base = { 0 }, u = { 0 };
        int r;

        must(ofs_url_parse(bases[i], &base, NULL) == 0);
        r = ofs_url_resolve(&base, text, &u, NULL);
        must(r == 0 || r == -EBADMSG);
        if (r == 0)
            check_stable(&u);
    }
}

/* Nothing behind a '?' is left; which control characters become as well. */
static void check_redacted(const char *text)
{
    OFS_AUTOBUF struct ofs_buf log = OFS_BUF_INIT(1 << 20);
    const char *query;

    must(ofs_url_redact(&log, text) == 0);
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < ' ' || *p == 0x7f)
            return;
    query = strchr(ofs_buf_str(&log), '?');
    must(!query || strcmp(query, "?\xe2\x80\xa6") == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *text = strndup((const char *)data, size);
    OFS_AUTOURL struct ofs_url u = { 0 };
    int r;

    if (!text)
        return 0;
    r = ofs_url_parse(text, &u, NULL);
    must(r == 0 || r == -EBADMSG);
    if (r == 0) {
        check_stable(&u);
        check_redirect(&u);
    }
    resolve(text);
    check_redacted(text);
    return 0;
}
