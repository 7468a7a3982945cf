/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/httpreq.h"

void ofs_http_resp_done(struct ofs_http_resp *resp)
{
    free(resp->body);
    free(resp->url);
    ofs_headers_done(&resp->headers);
    *resp = (struct ofs_http_resp){ 0 };
}

static bool has_line_break(const char *text)
{
    return text[strcspn(text, "\r\n")] != '\0';
}

int ofs_http_req_check(const struct ofs_http_req *req, struct ofs_err *err)
{
    bool bad = req->authorization && has_line_break(req->authorization);

    for (const char *const *p = req->headers; p && *p; p++)
        bad = bad || has_line_break(*p);
    if (bad)
        return ofs_err_set(err, -EINVAL, "line break in a request header");
    return 0;
}

bool ofs_http_is_idempotent(const char *method)
{
    return strcmp(method, "POST") != 0 && strcmp(method, "PATCH") != 0;
}
