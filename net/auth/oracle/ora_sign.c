/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_sign.h"

#include "ocirfs/base64.h"
#include "ocirfs/digest.h"

#include <time.h>

enum {
    STRING_MAX_BYTES = 64 * 1024,
    MAX_FIELDS = 8,
    LENGTH_MAX = 24,
    SHA256_TEXT_MAX = 64,
    SHA256_BYTES = 32,
};

/* One signed header field. */
struct field {
    const char *name, *value;
};

struct fields {
    struct field at[MAX_FIELDS];
    size_t n;
    char length[LENGTH_MAX];
    char sha256[SHA256_TEXT_MAX];
};

void ofs_ora_date(int64_t wall_s, char ret[OFS_ORA_DATE_MAX])
{
    static const char days[][4] = { "Sun", "Mon", "Tue", "Wed",
                                    "Thu", "Fri", "Sat" };
    static const char months[][4] = {
        "Jan", "Feb", "Mar", "Apr", "May", "Jun",
        "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
    };
    time_t t = (time_t)wall_s;
    struct tm tm = { 0 };

    (void)gmtime_r(&t, &tm);
    (void)snprintf(ret, OFS_ORA_DATE_MAX, "%s, %02d %s %04d %02d:%02d:%02d GMT",
                   days[tm.tm_wday], tm.tm_mday, months[tm.tm_mon],
                   tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* GET, HEAD and DELETE are signed without a body. */
static bool has_body(const struct ofs_ora_request *r)
{
    return strcmp(r->method, "POST") == 0 || strcmp(r->method, "PUT") == 0 ||
           strcmp(r->method, "PATCH") == 0;
}

static void add(struct fields *f, const char *name, const char *value)
{
    f->at[f->n++] = (struct field){ name, value };
}

static int add_body(const struct ofs_ora_request *r, struct fields *f)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(sizeof(f->sha256) - 1);
    struct ofs_digest digest;

    if (ofs_digest_of(OFS_SHA256, r->body_len ? r->body : "", r->body_len,
                      &digest) < 0 ||
        ofs_base64_encode(&b, digest.bytes, SHA256_BYTES) < 0)
        return -ENOMEM;
    (void)snprintf(f->length, sizeof(f->length), "%zu", r->body_len);
    (void)snprintf(f->sha256, sizeof(f->sha256), "%s", ofs_buf_str(&b));
    add(f, "content-type", "application/json");
    add(f, "content-length", f->length);
    add(f, "x-content-sha256", f->sha256);
    return 0;
}

/* The signed fields in the order of Oracle's SDK; "" stands for the target. */
static int collect(const struct ofs_ora_request *r, struct fields *f)
{
    f->n = 0;
    add(f, r->sign_date ? "date" : "x-date", r->date);
    add(f, "(request-target)", "");
    add(f, "host", r->host);
    if (r->obo_token)
        add(f, "opc-obo-token", r->obo_token);
    return has_body(r) ? add_body(r, f) : 0;
}

static void add_target(const struct ofs_ora_request *r, struct ofs_buf *b)
{
    for (const char *p = r->method; *p; p++)
        (void)ofs_buf_addc(b, *p >= 'A' && *p <= 'Z' ? (char)(*p + 32) : *p);
    (void)ofs_buf_addf(b, " %s", r->target);
}

static int add_string(const struct ofs_ora_request *r, const struct fields *f,
                      struct ofs_buf *b)
{
    for (size_t i = 0; i < f->n; i++) {
        (void)ofs_buf_addf(b, "%s%s: ", i ? "\n" : "", f->at[i].name);
        if (f->at[i].name[0] == '(')
            add_target(r, b);
        else
            (void)ofs_buf_adds(b, f->at[i].value);
    }
    return b->failed;
}

int ofs_ora_signing_string(const struct ofs_ora_request *r, struct ofs_buf *b)
{
    struct fields f;
    int code = collect(r, &f);

    return code < 0 ? code : add_string(r, &f, b);
}

static int add_authorization(const struct fields *f, const char *key_id,
                             const struct ofs_ora_key *key,
                             const struct ofs_buf *string, struct ofs_buf *b)
{
    int r;

    (void)ofs_buf_addf(b,
                       "Authorization: Signature version=\"1\",keyId=\"%s\","
                       "algorithm=\"rsa-sha256\",headers=\"",
                       key_id);
    for (size_t i = 0; i < f->n; i++)
        (void)ofs_buf_addf(b, "%s%s", i ? " " : "", f->at[i].name);
    (void)ofs_buf_adds(b, "\",signature=\"");
    r = ofs_ora_key_sign(key, ofs_buf_str(string), string->len, b);
    if (r == 0)
        r = ofs_buf_addc(b, '"');
    return r;
}

/* `host` and `content-length` are the HTTP library's to send, with the same
 * values; the rest is ours. */
static bool is_ours_to_send(const char *name)
{
    return name[0] != '(' && strcmp(name, "host") != 0 &&
           strcmp(name, "content-length") != 0;
}

static int add_headers(const struct fields *f, struct ofs_strv *headers)
{
    for (size_t i = 0; i < f->n; i++) {
        char *line;

        if (!is_ours_to_send(f->at[i].name))
            continue;
        line = ofs_strf("%s: %s", f->at[i].name, f->at[i].value);
        if (!line || ofs_strv_add_own(headers, line) < 0)
            return -ENOMEM;
    }
    return 0;
}

int ofs_ora_sign(const struct ofs_ora_request *r, const char *key_id,
                 const struct ofs_ora_key *key, struct ofs_strv *headers)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf b = OFS_BUF_INIT(STRING_MAX_BYTES);
    OFS_AUTO(ofs_buf_wipe)
    struct ofs_buf string = OFS_BUF_INIT(STRING_MAX_BYTES);
    struct fields f;
    int code = collect(r, &f);

    if (code == 0)
        code = add_string(r, &f, &string);
    if (code == 0)
        code = add_authorization(&f, key_id, key, &string, &b);
    if (code == 0)
        code = add_headers(&f, headers);
    if (code == 0)
        code = ofs_strv_add(headers, ofs_buf_str(&b));
    return code;
}
