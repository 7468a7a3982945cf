/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_imds.h"

#include "ocirfs/secret.h"
#include "ocirfs/str.h"

enum { TRIES = 3, PAUSE_MS = 300 };

/* The service says 404 while an instance starts, so that is worth a retry. */
static bool is_worth_retrying(int status)
{
    return status == 404 || status == 429 || status >= 500;
}

static int ask(struct ofs_http *http, struct ofs_call *call, const char *url,
               struct ofs_http_resp *ret, struct ofs_err *err)
{
    const struct ofs_http_req req = {
        .method = "GET",
        .url = url,
        .authorization = "Bearer Oracle",
    };

    return ofs_http_do(http, call, &req, ret, err);
}

static int take_body(struct ofs_http_resp *resp, struct ofs_buf *b,
                     struct ofs_err *err)
{
    int r = ofs_buf_add(b, resp->body ? resp->body : "", resp->len);

    if (resp->body)
        ofs_wipe(resp->body, resp->len); /* it may be the private key */
    if (r < 0)
        return ofs_err_set(err, r, "the metadata service sends too much");
    return 0;
}

int ofs_ora_imds_get(struct ofs_http *http, struct ofs_call *call,
                     const char *base, const char *path, struct ofs_buf *b,
                     struct ofs_err *err)
{
    OFS_AUTOFREE char *url =
        ofs_strf("%s%s", base ? base : OFS_ORA_IMDS_URL, path);
    int status = 0;

    if (!url)
        return ofs_err_nomem(err, "a request");
    for (int i = 0; i < TRIES; i++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        int r = i ? ofs_call_pause(call, PAUSE_MS, err) : 0;

        if (r == 0)
            r = ask(http, call, url, &resp, err);
        if (r < 0)
            return ofs_err_wrap(err, r, "instance metadata");
        status = resp.status;
        if (status == 200)
            return take_body(&resp, b, err);
        if (!is_worth_retrying(status))
            break;
    }
    return ofs_err_set(err, -ENOENT, "the metadata service answers %d for '%s'",
                       status, path);
}
