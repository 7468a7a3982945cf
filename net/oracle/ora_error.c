/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

#include "ocirfs/backoff.h"
#include "ocirfs/http.h"

enum { BASE_MS = 1000, CAP_MS = 8 * 1000, ADVICE_MAX_BYTES = 1024 };

static const struct {
    int status;
    const char *code; /* NULL: any */
    int result;
} rows[] = {
    { 400, "LimitExceeded", -EDQUOT },
    { 400, "QuotaExceeded", -EDQUOT },
    { 400, NULL, -EINVAL },
    { 401, NULL, -EACCES },
    { 402, NULL, -EACCES },
    { 403, "NotAllowed", -EPERM },
    { 403, NULL, -EACCES },
    { 404, NULL, -ENOENT },
    { 405, NULL, -ENOTSUP },
    { 409, "IncorrectState", -EBUSY },
    { 409, "ExternalServerIncorrectState", -EBUSY },
    { 409, NULL, -EEXIST },
    { 412, NULL, -ESTALE },
    { 413, NULL, -EFBIG },
    { 429, NULL, -EBUSY },
};

int ofs_ora_errno(int status, const char *code)
{
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (rows[i].status == status &&
            (!rows[i].code || strcmp(rows[i].code, code) == 0))
            return rows[i].result;
    return status >= 200 && status < 300 ? 0 : -EIO;
}

/* The SDK's rule; its pauses of up to 30 s are too long for who waits. */
static bool is_worth_retrying(const struct ofs_ora_failure *f)
{
    switch (f->status) {
    case 0:
        return f->repeatable;
    case 409:
        return strcmp(f->code, "IncorrectState") == 0;
    case 429:
    case 503:
        return true;
    case 500:
    case 502:
    case 504:
        return f->repeatable;
    default:
        return false;
    }
}

int64_t ofs_ora_retry_ms(const struct ofs_ora_failure *f)
{
    int64_t wait_ms =
        ofs_backoff_ms(BASE_MS, CAP_MS, (unsigned)f->n, f->jitter);

    if (f->n >= f->max_attempts || !is_worth_retrying(f))
        return -1;
    return f->retry_after_ms > wait_ms ? f->retry_after_ms : wait_ms;
}

/* Artifacts has words of its own: BAD_REQUEST, and what it does not offer says
 * so in its sentence only. */
static int errno_of(int status, const char *code, const char *message,
                    bool changes)
{
    int r = ofs_ora_errno(status, code);

    if (status == 400 && strstr(message, "not currently supported"))
        return -EOPNOTSUPP;
    /* "Not there or not for you": who changes something has seen it. */
    return r == -ENOENT && changes ? -EACCES : r;
}

/*
 * What a user can do about it.  404 NotAuthorizedOrNotFound stands for both:
 * the service does not tell which.
 */
static void add_advice(struct ofs_buf *b, int status, const char *code,
                       const struct ofs_ora_hints *hints)
{
    if (status == 401)
        (void)ofs_buf_addf(b, "; %s", hints->refused);
    else if (strcmp(code, "FREE_TIER_NOT_SUPPORTED") == 0)
        (void)ofs_buf_adds(b, "; name the repositories with repos=");
    else if (status == 404 || ofs_ora_errno(status, code) == -EACCES)
        (void)ofs_buf_addf(b, "; perhaps a policy is missing: %s",
                           hints->policy);
}

int ofs_ora_fail(int status, const char *body, size_t len,
                 const char *request_id, const struct ofs_ora_hints *hints,
                 struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf advice = OFS_BUF_INIT(ADVICE_MAX_BYTES);
    OFS_AUTOJSON json_t *doc = NULL;
    const char *code = NULL, *message = NULL;
    int r;

    if (ofs_json_parse(body, len, &doc, NULL) == 0) {
        code = json_string_value(json_object_get(doc, "code"));
        message = json_string_value(json_object_get(doc, "message"));
    }
    code = code ? code : "";
    message = message ? message : "no words";
    r = errno_of(status, code, message, hints->changes);
    add_advice(&advice, status, code, hints);
    (void)ofs_err_set(err, r, "OCI answers %d %s: %.*s%s", status, code,
                      advice.len ? 80 : 140, message, ofs_buf_str(&advice));
    if (!err)
        return r;
    err->http_status = status;
    (void)snprintf(err->id, sizeof(err->id), "%s", code);
    (void)snprintf(err->request_id, sizeof(err->request_id), "%s",
                   request_id ? request_id : "");
    return r;
}
