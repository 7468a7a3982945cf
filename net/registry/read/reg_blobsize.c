/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include "blobanswer.h"

/*
 * How long is a blob?  HEAD to the registry; where that leads elsewhere or is
 * refused, a GET for one byte, whose answer tells the total: HEAD for a URL
 * that was signed for GET is refused by object stores.
 */

enum { DRAIN_MAX = 64 * 1024 };

struct size_ask {
    const char *repo, *what;
    const struct ofs_digest *digest;
    uint64_t size; /* bytes; the result */

    /* Of a GET; the engine's thread writes while it runs. */
    bool known;
    size_t drained;
};

static bool length_told(const struct ofs_headers *headers, uint64_t *ret)
{
    const char *value = ofs_headers_get(headers, "Content-Length");

    return value && ofs_str_u64(value, ret) == 0;
}

static int on_head(void *arg, int status, const struct ofs_headers *headers)
{
    struct size_ask *a = arg;

    a->known = status == 206 ? ofs_blob_total(headers, &a->size)
                             : length_told(headers, &a->size);
    return a->known && status == 206 ? 0 : -ECANCELED;
}

/* A byte or a few, so that the connection can be kept. */
static int on_body(void *arg, const void *data, size_t len)
{
    struct size_ask *a = arg;

    (void)data;
    a->drained += len;
    return a->drained > DRAIN_MAX ? -ECANCELED : 0;
}

static int by_get(struct reg_end *end, struct ofs_call *call,
                  struct size_ask *a, struct ofs_err *err)
{
    const struct ofs_http_sink sink = { .head = on_head,
                                        .body = on_body,
                                        .arg = a };
    const char *headers[] = { "Range: bytes=0-0", NULL };
    struct reg_blob_req req = {
        .repo = a->repo,
        .digest = a->digest,
        .what = a->what,
        .headers = headers,
        .sink = &sink,
    };
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    bool at_target;
    int r;

    a->known = false;
    a->drained = 0;
    r = ofs_reg_blob_get(end, call, &req, &resp, &at_target, err);
    if (a->known)
        return 0;
    if (r == 0 && resp.status == 416 && ofs_blob_total(&resp.headers, &a->size))
        return 0;
    if (r == 0 && resp.status >= 300)
        return ofs_reg_refuse(end, a->what, &resp, err);
    if (r == 0 || r == -ECANCELED)
        return ofs_err_set(err, -EBADMSG, "%s: %s: its size is not told",
                           end->host, a->what);
    return r;
}

static bool sends_elsewhere_or_refuses(int status)
{
    return (status >= 300 && status < 400) || status == 400 || status == 405 ||
           status == 501;
}

static int by_head(struct reg_end *end, struct ofs_call *call,
                   const struct size_ask *a, struct ofs_http_resp *ret,
                   struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *url = ofs_strf("%s%s/blobs/%s", end->base, a->repo,
                                      ofs_digest_format(a->digest, text));
    OFS_AUTOFREE char *scope = ofs_reg_scope(a->repo);
    struct reg_req req = {
        .method = "HEAD", .url = url, .scope = scope, .what = a->what
    };

    if (!url || !scope)
        return ofs_err_nomem(err, "a URL");
    return ofs_reg_send(end, call, &req, ret, err);
}

static int size_op(struct reg_end *end, struct ofs_call *call, void *arg,
                   struct ofs_err *err)
{
    struct size_ask *a = arg;
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    int r = by_head(end, call, a, &resp, err);

    if (r < 0)
        return r;
    /* A length of 0 is what servers write that did not look. */
    if (resp.status == 200 && length_told(&resp.headers, &a->size) &&
        a->size > 0)
        return 0;
    if (resp.status == 200 || sends_elsewhere_or_refuses(resp.status))
        return by_get(end, call, a, err);
    return ofs_reg_refuse(end, a->what, &resp, err);
}

int ofs_registry_blob_head(struct ofs_registry *r, struct ofs_call *call,
                           const char *repo, const struct ofs_digest *digest,
                           uint64_t *ret_size, struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *what =
        ofs_strf("blob '%.19s' of '%s'", ofs_digest_format(digest, text), repo);
    struct size_ask a = { .repo = repo, .what = what, .digest = digest };
    struct reg_task task = { .op = size_op, .arg = &a };
    int e = ofs_reg_check_repo(repo, err);

    if (e == 0 && !what)
        e = ofs_err_nomem(err, "a blob");
    if (e == 0)
        e = ofs_reg_route(r, call, &task, err);
    if (e == 0)
        *ret_size = a.size;
    return e;
}
