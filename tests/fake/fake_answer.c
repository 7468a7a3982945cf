/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_priv.h"

#include "ocirfs/str.h"

enum {
    HEADERS_MAX = 256 * 1024,
    BODY_MAX = 64 * 1024 * 1024,
    HUGE_BYTES = 100 * 1024 * 1024,
    DEEP_LEVELS = 100000,
};

static const char huge_start[] =
    "{\"schemaVersion\":2,\"annotations\":{\"a\":\"";
static const char deep_start[] = "{\"schemaVersion\":2,\"deep\":";

/* Lay the part of `text` that lies in [off, off + len) over `buf`. */
static void overlay(char *buf, size_t len, uint64_t off, const char *text)
{
    size_t n = strlen(text);

    for (uint64_t i = off; i < n && i - off < len; i++)
        buf[i - off] = text[i];
}

static void fill_huge(void *arg, void *buf, size_t len, uint64_t off)
{
    (void)arg;
    memset(buf, 'x', len);
    overlay(buf, len, off, huge_start);
}

static uint64_t deep_levels(const struct fake_fault *f)
{
    return f->n ? (uint64_t)f->n : DEEP_LEVELS;
}

static void fill_deep(void *arg, void *buf, size_t len, uint64_t off)
{
    const struct fake_fault *f = arg;
    uint64_t start = strlen(deep_start), n = deep_levels(f);
    char *out = buf;

    for (size_t i = 0; i < len; i++)
        out[i] = off + i < start + n       ? '['
                 : off + i < start + 2 * n ? ']'
                                           : '}';
    overlay(out, len, off, deep_start);
}

/* Other content than the route's; its digest is then not told either. */
static void replace_content(struct fake_response *resp,
                            const struct fake_request *req)
{
    const struct fake_fault *body = fake_request_fault(req, FAKE_BODY);
    const struct fake_fault *huge = fake_request_fault(req, FAKE_HUGE);
    const struct fake_fault *deep = fake_request_fault(req, FAKE_DEEP_JSON);

    if (resp->status != 200)
        return;
    if (body)
        fake_response_body(resp, 200, NULL, body->text, strlen(body->text));
    if (huge) {
        resp->fill = fill_huge;
        resp->size = huge->n ? (uint64_t)huge->n : HUGE_BYTES;
    }
    if (deep) {
        resp->fill = fill_deep;
        resp->fill_arg = (void *)(uintptr_t)deep;
        resp->size = strlen(deep_start) + 2 * deep_levels(deep) + 1;
    }
}

/* An answer that the route is not asked for; false: there is none. */
static bool refuse(struct fake_response *resp, const struct fake_request *req)
{
    const struct fake_fault *f = fake_request_fault(req, FAKE_STATUS);
    const char *body = f && f->text ? f->text : "";

    if (f) {
        fake_response_body(resp, (int)f->n, NULL, body, strlen(body));
    } else if ((f = fake_request_fault(req, FAKE_REDIRECT))) {
        resp->status = f->n ? (int)f->n : 307;
        fake_response_header(resp, "Location: %s", f->text);
    } else if ((f = fake_request_fault(req, FAKE_CHALLENGE))) {
        resp->status = 401;
        if (f->text)
            fake_response_header(resp, "WWW-Authenticate: %s", f->text);
    } else {
        return false;
    }
    if (f->header)
        fake_response_header(resp, "%s", f->header);
    return true;
}

/* Digits at *p, moved behind them; false: none, or too many. */
static bool digits(const char **p, uint64_t *ret)
{
    size_t n = strspn(*p, "0123456789");
    char text[24] = "";

    if (n == 0 || n >= sizeof(text))
        return false;
    memcpy(text, *p, n);
    *p += n;
    return ofs_str_u64(text, ret) == 0;
}

enum range { RANGE_NONE, RANGE_GOOD, RANGE_BEYOND };

/* "5-9", "5-" or "-3" (the last three); false: malformed. */
static bool parse_spec(const char *spec, uint64_t size, uint64_t *ret_first,
                       uint64_t *ret_last)
{
    bool suffix = *spec == '-';
    uint64_t n = 0;

    *ret_last = UINT64_MAX;
    spec += suffix;
    if (!digits(&spec, &n))
        return false;
    *ret_first = !suffix ? n : n < size ? size - n : 0;
    if (suffix)
        return *spec == '\0';
    if (*spec++ != '-')
        return false;
    if (*spec && !digits(&spec, ret_last))
        return false;
    return *spec == '\0' && *ret_last >= *ret_first;
}

/* One range of RFC 9110, 14.1.2; several or malformed ones do not count. */
static enum range parse_range(const char *value, uint64_t size,
                              uint64_t *ret_first, uint64_t *ret_last)
{
    uint64_t first, last;

    if (!ofs_str_starts(value, "bytes=") ||
        !parse_spec(value + strlen("bytes="), size, &first, &last))
        return RANGE_NONE;
    if (first >= size)
        return RANGE_BEYOND;
    *ret_first = first;
    *ret_last = last < size ? last : size - 1;
    return RANGE_GOOD;
}

static void choose_range(struct fake_answer *a, const struct fake_request *req,
                         uint64_t size)
{
    OFS_AUTOFREE char *value = fake_request_header(req, "Range");
    uint64_t first, last;

    if (!value || !a->resp.ranges || a->resp.status != 200 ||
        strcmp(req->method, "GET") != 0 ||
        fake_request_fault(req, FAKE_WHOLE_FOR_RANGE))
        return;
    switch (parse_range(value, size, &first, &last)) {
    case RANGE_GOOD:
        a->resp.status = 206;
        a->first = first;
        a->span = last - first + 1;
        break;
    case RANGE_BEYOND:
        a->resp.status = 416;
        a->span = 0;
        break;
    case RANGE_NONE:
        break;
    }
}

static void cut_at(struct fake_answer *a, uint64_t n, enum fake_end end)
{
    if (n < a->send)
        a->send = n;
    a->end = end;
}

/* What the faults do to the bytes of the body and to its end. */
static void mangle(struct fake_answer *a, const struct fake_request *req)
{
    const struct fake_record *record = (const struct fake_record *)req;
    const struct fake_fault *extra = fake_request_fault(req, FAKE_LONG_BODY);

    a->len = a->span + (extra ? (uint64_t)extra->n : 0);
    a->send = a->len;
    for (unsigned i = 0; i < record->n_faults; i++) {
        const struct fake_fault *f = record->faults[i];
        uint64_t n = (uint64_t)f->n;

        if (f->kind == FAKE_SHORT_BODY)
            cut_at(a, n < a->len ? a->len - n : 0, FAKE_END_CLOSE);
        else if (f->kind == FAKE_RESET_AFTER)
            cut_at(a, n, FAKE_END_RESET);
        else if (f->kind == FAKE_STALL_AFTER)
            a->stall_at = n;
        else if (f->kind == FAKE_WRONG_DIGEST)
            a->flip_at = n;
        else if (f->kind == FAKE_SLOW_HEADER)
            a->head_ms = f->n;
        else if (f->kind == FAKE_SLOW_BODY)
            a->kib_ms = f->n;
        else if (f->kind == FAKE_CLOSE_AFTER ||
                 (f->kind == FAKE_NO_CONTENT_LENGTH &&
                  strcmp(req->method, "HEAD") != 0))
            a->end = FAKE_END_CLOSE;
    }
}

void fake_answer_make(struct fake_answer *a, struct fake_rules *rules,
                      const struct fake_request *req)
{
    struct fake_response *resp = &a->resp;
    OFS_AUTOFREE char *connection = fake_request_header(req, "Connection");

    *a = (struct fake_answer){ .stall_at = UINT64_MAX, .flip_at = UINT64_MAX };
    ofs_buf_init(&a->head, 2 * HEADERS_MAX);
    ofs_buf_init(&resp->headers, HEADERS_MAX);
    ofs_buf_init(&resp->body, BODY_MAX);
    if (!refuse(resp, req)) {
        fake_rules_ask(rules, req, resp);
        replace_content(resp, req);
    }
    if (resp->status == 0)
        resp->status = 404;
    if (!resp->fill)
        resp->size = resp->body.len;
    a->span = resp->size;
    choose_range(a, req, resp->size);
    if (connection && ofs_str_ieq(connection, "close"))
        a->end = FAKE_END_CLOSE;
    mangle(a, req);
    fake_head_write(a, req, resp->size);
    if (strcmp(req->method, "HEAD") == 0 || resp->status == 204 ||
        resp->status == 304)
        a->send = 0;
}

void fake_answer_fill(const struct fake_answer *a, void *buf, size_t len,
                      uint64_t off)
{
    const struct fake_response *resp = &a->resp;
    uint64_t at = a->first + off;
    size_t real = at >= resp->size        ? 0
                  : resp->size - at < len ? (size_t)(resp->size - at)
                                          : len;

    if (real > 0 && resp->fill)
        resp->fill(resp->fill_arg, buf, real, at);
    else if (real > 0)
        memcpy(buf, resp->body.data + at, real);
    memset((char *)buf + real, 'x', len - real);
    if (a->flip_at >= at && a->flip_at - at < real)
        ((char *)buf)[a->flip_at - at] ^= 1;
}

void fake_answer_done(struct fake_answer *a)
{
    ofs_buf_done(&a->head);
    ofs_buf_done(&a->resp.headers);
    ofs_buf_done(&a->resp.body);
}
