/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_error.h"

#include "ocirfs/clock.h"
#include "ocirfs/json.h"

enum { BODY_MAX = 64 * 1024 }; /* bytes of a body that is looked at */

/* Bytes of the UTF-8 character at `s`, by its first byte. */
static size_t char_len(const char *s)
{
    unsigned char c = (unsigned char)*s;
    size_t len = c < 0xc0 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;

    return strnlen(s, len);
}

/* Control characters, also those that UTF-8 has two bytes for. */
static bool is_control(const char *s)
{
    unsigned char c = (unsigned char)s[0];

    return c < 0x20 || c == 0x7f || (c >= 0x80 && c < 0xc0) ||
           (c == 0xc2 && (unsigned char)s[1] < 0xa0);
}

/* Copy what fits, in whole characters. */
static void copy_words(char *to, size_t size, const char *from)
{
    size_t used = 0;

    for (size_t n; *from; from += n) {
        bool control = is_control(from);

        n = char_len(from);
        if (used + n >= size)
            break;
        memcpy(to + used, control ? "??" : from, n);
        used += n;
    }
    to[used] = '\0';
}

static const char *member(const json_t *obj, const char *name)
{
    const char *text = json_string_value(json_object_get(obj, name));

    return text ? text : "";
}

static void words_of_object(const json_t *obj, struct reg_words *ret)
{
    const char *message = member(obj, "message");

    if (!*message)
        message = member(obj, "detail");
    if (!*message)
        message = member(obj, "error");
    copy_words(ret->id, sizeof(ret->id), member(obj, "code"));
    copy_words(ret->text, sizeof(ret->text), message);
}

/* Up to the end of the first line; what is not ASCII is not needed. */
static void copy_ascii(char *to, size_t size, const char *from, size_t len)
{
    size_t n = 0;

    for (; n < len && n < size - 1 && from[n] != '\n' && from[n]; n++)
        to[n] = from[n] >= 0x20 && from[n] < 0x7f ? from[n] : '?';
    to[n] = '\0';
}

void ofs_reg_words(const char *body, size_t len, const char *content_type,
                   struct reg_words *ret)
{
    OFS_AUTOJSON json_t *doc = NULL;
    const json_t *errors, *first;

    *ret = (struct reg_words){ 0 };
    if (!body || len == 0 || len > BODY_MAX)
        return;
    if (ofs_json_parse(body, len, &doc, NULL) < 0) {
        if (content_type && ofs_str_starts(content_type, "text/plain"))
            copy_ascii(ret->text, sizeof(ret->text), body, len);
        return;
    }
    errors = json_object_get(doc, "errors");
    first = json_is_array(errors) ? json_array_get(errors, 0) : errors;
    words_of_object(first ? first : doc, ret);
}

/*
 * Some registries answer 400 to whatever they do not like and tell the reason
 * in the body only.
 */
static const struct {
    const char *id;
    int code;
} reasons[] = {
    { "BLOB_UNKNOWN", -ENOENT },     { "MANIFEST_UNKNOWN", -ENOENT },
    { "NAME_UNKNOWN", -ENOENT },     { "NAME_INVALID", -ENOENT },
    { "TAG_INVALID", -ENOENT },      { "UNAUTHORIZED", -EACCES },
    { "DENIED", -EACCES },           { "UNSUPPORTED", -EOPNOTSUPP },
    { "TOOMANYREQUESTS", -EBUSY },   { "MANIFEST_BLOB_UNKNOWN", -ENOENT },
    { "DIGEST_INVALID", -EBADMSG },  { "SIZE_INVALID", -EBADMSG },
    { "BLOB_UPLOAD_UNKNOWN", -EIO }, { "BLOB_UPLOAD_INVALID", -EIO },
};

/*
 * Harbor, ECR, Artifact Registry and others forbid to move a tag with 400,
 * 403, 409 or 412, and tell of quotas with 400 or 403; the words are what they
 * have in common.
 */
static const struct {
    const char *word;
    int code;
} hints[] = { { "immutab", -EPERM },
              { "quota", -EDQUOT },
              { "limitexceeded", -EDQUOT } };

static int by_words(const struct reg_words *words)
{
    for (size_t i = 0; i < OFS_COUNT_OF(hints); i++)
        if (strcasestr(words->id, hints[i].word) ||
            strcasestr(words->text, hints[i].word))
            return hints[i].code;
    return 0;
}

/* A 4xx that says "no, you may not" in one way or another. */
static bool forbids(int status)
{
    return status == 400 || status == 403 || status == 409 || status == 412 ||
           status == 422;
}

int ofs_reg_errno(int status, const struct reg_words *words)
{
    int code = ofs_http_status_errno(status);

    if (forbids(status) && by_words(words) < 0)
        return by_words(words);
    if (status == 400)
        for (size_t i = 0; i < OFS_COUNT_OF(reasons); i++)
            if (strcmp(reasons[i].id, words->id) == 0)
                return reasons[i].code;
    /* A success or a redirect where none was to come breaks the protocol. */
    return status < 400 || code >= 0 ? -EBADMSG : code;
}

/* What a push needs is gone at the registry, not at the user. */
bool ofs_reg_is_lost(const char *id)
{
    static const char *const ids[] = { "BLOB_UPLOAD_UNKNOWN", "BLOB_UNKNOWN",
                                       "MANIFEST_BLOB_UNKNOWN" };

    for (size_t i = 0; i < OFS_COUNT_OF(ids); i++)
        if (strcmp(ids[i], id) == 0)
            return true;
    return false;
}

int ofs_reg_push_errno(int r, struct ofs_err *err)
{
    bool other = r == -EBADMSG && strcmp(err->id, "DIGEST_INVALID") != 0;

    if (!other && !(r == -ENOENT && ofs_reg_is_lost(err->id)))
        return r;
    err->code = -EIO;
    return -EIO;
}

static void add_request_id(const struct ofs_headers *headers,
                           struct ofs_err *err)
{
    static const char *const names[] = { "Docker-Request-Id", "X-Request-Id",
                                         "opc-request-id" };

    for (size_t i = 0; i < OFS_COUNT_OF(names) && !err->request_id[0]; i++) {
        const char *id = ofs_headers_get(headers, names[i]);

        if (id)
            copy_ascii(err->request_id, sizeof(err->request_id), id,
                       strlen(id));
    }
}

static void add_details(const struct ofs_http_resp *resp,
                        const struct reg_words *words, struct ofs_err *err)
{
    const char *pause = ofs_headers_get(&resp->headers, "Retry-After");

    err->http_status = resp->status;
    memcpy(err->id, words->id, sizeof(err->id));
    if (pause)
        err->retry_after_ms = ofs_retry_after_ms(pause, ofs_wall_s());
    add_request_id(&resp->headers, err);
}

int ofs_reg_refused(const char *host, const char *what,
                    const struct ofs_http_resp *resp, struct ofs_err *err)
{
    const char *type = ofs_headers_get(&resp->headers, "Content-Type");
    struct reg_words w;
    int code;

    ofs_reg_words(resp->body, resp->len, type, &w);
    code = ofs_reg_errno(resp->status, &w);
    if (!err)
        return code;
    if (w.text[0])
        (void)ofs_err_set(err, code, "%s: %s: %s (%s%s%d)", host, what, w.text,
                          w.id, w.id[0] ? ", " : "", resp->status);
    else
        (void)ofs_err_set(err, code, "%s: %s: answered %d%s%s", host, what,
                          resp->status, w.id[0] ? ", " : "", w.id);
    add_details(resp, &w, err);
    return code;
}
