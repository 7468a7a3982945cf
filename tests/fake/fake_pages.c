/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry_priv.h"

enum { PAGE_MAX = 16 * 1024 * 1024, FOREVER_NAMES = 100 };

void fake_page_link(struct fake_response *resp, enum fake_link link,
                    const char *origin, const char *target)
{
    if (link == FAKE_LINK_NONE)
        return;
    fake_response_header(resp, "Link: <%s%s>; rel=%s",
                         link == FAKE_LINK_ABSOLUTE ? origin : "", target,
                         link == FAKE_LINK_UNQUOTED ? "next" : "\"next\"");
}

/* How many names the page holds: the client's wish, up to ours. */
static uint64_t page_size(const struct fake_page *page,
                          const struct fake_request *req)
{
    OFS_AUTOFREE char *n = fake_request_param(req, "n");
    uint64_t most = page->most ? page->most : UINT64_MAX, wish;

    if (n && ofs_str_u64(n, &wish) == 0 && wish < most)
        return wish;
    return most;
}

/* `path?n=..&last=..` for the page after `last`. */
static void add_next(const struct fake_page *page,
                     const struct fake_request *req, const char *last,
                     struct fake_response *resp)
{
    OFS_AUTOFREE char *n = fake_request_param(req, "n");
    struct ofs_buf target OFS_AUTOBUF = OFS_BUF_INIT(64 * 1024);

    (void)ofs_buf_addf(&target, "%s?last=", req->path);
    (void)ofs_str_percent(&target, last);
    if (n)
        (void)ofs_buf_addf(&target, "&n=%s", n);
    fake_page_link(resp, page->link, page->origin, ofs_buf_str(&target));
}

static void add_name(struct ofs_buf *json, const char *name, bool first)
{
    (void)ofs_buf_addf(json, "%s\"%s\"", first ? "" : ",", name);
}

static void serve_real(const struct fake_page *page,
                       const struct fake_request *req, struct ofs_buf *json,
                       struct fake_response *resp)
{
    OFS_AUTOFREE char *last = fake_request_param(req, "last");
    uint64_t most = page_size(page, req), n = 0;
    const char *before = NULL;

    for (size_t i = 0; i < page->all->n; i++) {
        const char *name = page->all->at[i];

        if (last && strcmp(name, last) <= 0)
            continue;
        if (n == most) {
            if (before)
                add_next(page, req, before, resp);
            break;
        }
        add_name(json, name, n++ == 0);
        before = name;
    }
}

/* Names "endless0000000", ... go on for ever. */
static void serve_forever(const struct fake_page *page,
                          const struct fake_request *req, struct ofs_buf *json,
                          struct fake_response *resp)
{
    OFS_AUTOFREE char *last = fake_request_param(req, "last");
    const char *start = "endless";
    char name[32] = "";
    uint64_t at = 0;

    if (last && ofs_str_starts(last, start) &&
        ofs_str_u64(last + strlen(start), &at) == 0)
        at++;
    for (uint64_t i = 0; i < FOREVER_NAMES; i++) {
        (void)snprintf(name, sizeof(name), "%s%07llu", start,
                       (unsigned long long)(at + i));
        add_name(json, name, i == 0);
    }
    add_next(page, req, name, resp);
}

void fake_page_serve(const struct fake_page *page,
                     const struct fake_request *req, struct fake_response *resp)
{
    struct ofs_buf json OFS_AUTOBUF = OFS_BUF_INIT(PAGE_MAX);

    (void)ofs_buf_addc(&json, '{');
    if (page->name)
        (void)ofs_buf_addf(&json, "\"name\":\"%s\",", page->name);
    (void)ofs_buf_addf(&json, "\"%s\":[", page->key);
    if (fake_request_fault(req, FAKE_PAGE_FOREVER)) {
        serve_forever(page, req, &json, resp);
    } else if (fake_request_fault(req, FAKE_PAGE_LOOP)) {
        struct fake_response unused = { .headers = OFS_BUF_INIT(64 * 1024) };

        serve_real(page, req, &json, &unused);
        ofs_buf_done(&unused.headers);
        fake_page_link(resp, page->link, page->origin, req->target);
    } else {
        serve_real(page, req, &json, resp);
    }
    (void)ofs_buf_adds(&json, "]}");
    fake_must(json.failed == 0, "list too long");
    fake_response_body(resp, 200, "application/json", json.data, json.len);
}
