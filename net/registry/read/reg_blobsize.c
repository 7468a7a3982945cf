/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_blobsize.h"
#include "reg_refuse.h"

#include "blobanswer.h"
#include "reg_redirect.h"

/*
 * How long is a blob?  HEAD to the registry; where that leads elsewhere or is
 * refused, a GET for one byte, whose answer tells the total: HEAD for a URL
 * that was signed for GET is refused by object stores, and pull-through caches
 * answer 404 to it for what they do not have yet.  A server that tells no
 * length at all sends everything, to be counted.
 */

enum { DRAIN_MAX = 64 * 1024 };

struct size_ask {
    const char *repo, *what;
    const struct ofs_digest *digest;
    bool trusts_absence; /* told by a HEAD */
    uint64_t size;       /* bytes; the result */

    /* Of a GET; the engine's thread writes while it runs. */
    bool ranged; /* it asks for one byte */
    bool known, counting;
    uint64_t drained;
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
    a->counting = !a->known && status == 200;
    return a->counting || (a->known && status == 206) ? 0 : -ECANCELED;
}

/* A byte or a few, so that the connection can be kept. */
static int on_body(void *arg, const void *data, size_t len)
{
    struct size_ask *a = arg;

    (void)data;
    a->drained += len;
    return a->drained > DRAIN_MAX && !a->counting ? -ECANCELED : 0;
}

/* One GET.  0, also when it tells nothing (a->known); or a failure. */
static int get_size(struct reg_end *end, struct ofs_call *call,
                    struct size_ask *a, struct ofs_http_resp *ret,
                    struct ofs_err *err)
{
    const struct ofs_http_sink sink = { .head = on_head,
                                        .body = on_body,
                                        .arg = a };
    const char *headers[] = { a->ranged ? "Range: bytes=0-0" : NULL, NULL };
    struct reg_blob_req req = {
        .repo = a->repo,
        .digest = a->digest,
        .what = a->what,
        .headers = headers,
        .sink = &sink,
    };
    bool at_target;
    int r;

    a->known = false;
    a->counting = false;
    a->drained = 0;
    r = ofs_reg_blob_get(end, call, &req, ret, &at_target, err);
    if (r == 0 && a->counting) {
        a->known = true;
        a->size = a->drained;
    }
    if (r == 0 && ret->status == 416)
        a->known = ofs_blob_total(&ret->headers, &a->size);
    return a->known || r == -ECANCELED ? 0 : r;
}

static int refuse_size(const struct reg_end *end, const struct size_ask *a,
                       const struct ofs_http_resp *resp, struct ofs_err *err)
{
    OFS_AUTOFREE char *scope = ofs_reg_scope(a->repo);

    return ofs_reg_refuse(end, a->what, scope, resp, err);
}

static int by_get(struct reg_end *end, struct ofs_call *call,
                  struct size_ask *a, struct ofs_err *err)
{
    for (a->ranged = true;; a->ranged = false) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        int r = get_size(end, call, a, &resp, err);

        if (r < 0 || a->known)
            return r;
        if (a->ranged && (resp.status == 0 || resp.status == 416 ||
                          ofs_blob_refuses_ranges(resp.status)))
            continue;
        if (resp.status >= 300)
            return refuse_size(end, a, &resp, err);
        return ofs_err_set(err, -EBADMSG, "%s: %s: its size is not told",
                           end->host, a->what);
    }
}

int ofs_reg_blob_size(struct reg_end *end, struct ofs_call *call,
                      const char *repo, const struct ofs_digest *digest,
                      const char *what, uint64_t *ret_size, struct ofs_err *err)
{
    struct size_ask a = { .repo = repo, .what = what, .digest = digest };
    int r = by_get(end, call, &a, err);

    if (r == 0)
        *ret_size = a.size;
    return r;
}

/* Is it worth a GET, or does that have to wait as well? */
static bool may_differ(int status)
{
    return status == 200 ||
           (status >= 300 && status != 408 && status != 429 && status < 503);
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
    if (may_differ(resp.status) && !(a->trusts_absence && resp.status == 404))
        return by_get(end, call, a, err);
    return refuse_size(end, a, &resp, err);
}

static int find_size(struct ofs_registry *r, struct ofs_call *call,
                     struct size_ask *a, struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *what = ofs_strf(
        "blob '%.19s' of '%s'", ofs_digest_format(a->digest, text), a->repo);
    struct reg_task task = { .op = size_op, .arg = a };
    int e = ofs_reg_check_repo(a->repo, err);

    if (e == 0 && !what)
        e = ofs_err_nomem(err, "a blob");
    a->what = what;
    return e < 0 ? e : ofs_reg_route(r, call, &task, err);
}

int ofs_registry_blob_head(struct ofs_registry *r, struct ofs_call *call,
                           const char *repo, const struct ofs_digest *digest,
                           uint64_t *ret_size, struct ofs_err *err)
{
    struct size_ask a = { .repo = repo, .digest = digest };
    int e = find_size(r, call, &a, err);

    if (e == 0)
        *ret_size = a.size;
    return e;
}

int ofs_registry_blob_has(struct ofs_registry *r, struct ofs_call *call,
                          const char *repo, const struct ofs_digest *digest,
                          struct ofs_err *err)
{
    struct size_ask a = { .repo = repo,
                          .digest = digest,
                          .trusts_absence = true };

    return find_size(r, call, &a, err);
}
