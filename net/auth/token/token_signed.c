/* SPDX-License-Identifier: Apache-2.0 */
#include "token_signed.h"

#include "token_answer.h"

#include "ocirfs/clock.h"
#include "ocirfs/errclass.h"

enum { TRIES = 4, PAUSE_MS = 500, ANSWER_MAX_BYTES = 1024 * 1024 };

static int attempt(const struct ofs_token_signed *ask, struct ofs_call *call,
                   struct ofs_http_resp *ret, struct ofs_err *err)
{
    OFS_AUTOWIPESTRV struct ofs_strv headers = { 0 };
    struct ofs_http_req req = {
        .method = "GET",
        .url = ask->url,
        .max_body = ANSWER_MAX_BYTES,
        .no_retry = true,
    };
    int r = ofs_ora_auth_sign(ask->principal, call, "GET", ask->url, NULL, 0,
                              &headers, err);

    if (r < 0)
        return r;
    if (ofs_strv_add(&headers, "accept: application/json") == 0)
        req.headers = ofs_strv_array(&headers);
    if (!req.headers)
        return ofs_err_nomem(err, "a request for a token");
    return ofs_http_do(ask->http, call, &req, ret, err);
}

/* Did it give a token to nobody in particular, or none for want of a
 * signature?  OCIR does the former. */
static bool is_not_taken(const struct ofs_http_resp *resp)
{
    OFS_AUTOTOKENANSWER struct ofs_token_answer answer = { 0 };

    if (resp->status != 200)
        return resp->status == 401;
    return ofs_token_answer_parse(resp->body, resp->len, &answer, NULL) == 0 &&
           ofs_token_is_anonymous(&answer.token);
}

/* For how long to pause before the next attempt; -1: there is none. */
static int64_t pause_ms(int n, int r, const struct ofs_http_resp *resp)
{
    int64_t wish_ms = ofs_retry_after_ms(
        ofs_headers_get(&resp->headers, "Retry-After"), ofs_wall_s());
    int64_t ours_ms = (int64_t)PAUSE_MS << (n - 1);
    bool trouble = r < 0 ? ofs_err_is(r, OFS_ERR_BROKEN)
                         : resp->status == 429 || resp->status >= 500;

    if (!trouble || n >= TRIES)
        return -1;
    return wish_ms > ours_ms ? wish_ms : ours_ms;
}

static void forget(struct ofs_http_resp *resp)
{
    ofs_wipe(resp->body, resp->len);
    ofs_http_resp_done(resp);
}

int ofs_token_get_signed(const struct ofs_token_signed *ask,
                         struct ofs_call *call, struct ofs_http_resp *ret,
                         struct ofs_err *err)
{
    struct ofs_http_resp resp = { 0 };
    bool renewed = false;

    for (int n = 1;; n++) {
        int r = attempt(ask, call, &resp, err);
        int64_t ms = pause_ms(n, r, &resp);

        if (r == 0 && !renewed && is_not_taken(&resp) &&
            ofs_ora_auth_renew(ask->principal, call, NULL) == 0) {
            renewed = true;
            ms = 0;
        }
        if (ms < 0 || ofs_call_pause(call, ms, NULL) < 0) {
            *ret = resp;
            return r;
        }
        forget(&resp);
    }
}
