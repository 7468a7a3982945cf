/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/httphdr.h"

#include "ocirfs/clock.h"
#include "ocirfs/str.h"

/* Optional white space (RFC 9110, 5.6.3). */
#define OWS " \t"

/* Bytes of a token (RFC 9110, 5.6.2). */
#define TOKEN                                                                  \
    "abcdefghijklmnopqrstuvwxyz"                                               \
    "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$%&'*+-.^_`|~"

const char *ofs_headers_get(const struct ofs_headers *h, const char *name)
{
    return ofs_headers_nth(h, name, 0);
}

const char *ofs_headers_nth(const struct ofs_headers *h, const char *name,
                            size_t i)
{
    for (size_t k = 0; k < h->n; k++)
        if (ofs_str_ieq(h->at[k].name, name) && i-- == 0)
            return h->at[k].value;
    return NULL;
}

void ofs_headers_done(struct ofs_headers *h)
{
    for (size_t i = 0; i < h->n; i++)
        free(h->at[i].name);
    free(h->at);
    *h = (struct ofs_headers){ 0 };
}

static size_t bytes_of(const struct ofs_headers *h)
{
    size_t sum = 0;

    for (size_t i = 0; i < h->n; i++)
        sum += strlen(h->at[i].name) + strlen(h->at[i].value);
    return sum;
}

int ofs_headers_add(struct ofs_headers *h, const char *name, size_t name_len,
                    const char *value, size_t value_len)
{
    char *text;

    if (h->n == OFS_HEADERS_MAX || name_len > OFS_HEADERS_BYTES_MAX ||
        value_len > OFS_HEADERS_BYTES_MAX - name_len ||
        bytes_of(h) + name_len + value_len > OFS_HEADERS_BYTES_MAX)
        return -EFBIG;
    /* At once as long as it may get: 14 KiB, and nothing ever moves. */
    if (!h->at)
        h->at = calloc(OFS_HEADERS_MAX, sizeof(*h->at));
    /* One piece of memory for both; `name` owns it. */
    text = malloc(name_len + value_len + 2);
    if (!h->at || !text) {
        free(text);
        return -ENOMEM;
    }
    memcpy(text, name, name_len);
    text[name_len] = '\0';
    memcpy(text + name_len + 1, value, value_len);
    text[name_len + 1 + value_len] = '\0';
    h->at[h->n++] =
        (struct ofs_header){ .name = text, .value = text + name_len + 1 };
    return 0;
}

static bool skip(const char **p, char c)
{
    if (**p != c)
        return false;
    ++*p;
    return true;
}

static void skip_ows(const char **p)
{
    *p += strspn(*p, OWS);
}

/* Digits at *p, at least one; false: none, or too large. */
static bool number(const char **p, uint64_t *ret)
{
    uint64_t v = 0;
    const char *start = *p;

    for (; **p >= '0' && **p <= '9'; ++*p) {
        unsigned digit = (unsigned)(**p - '0');

        if (v > (UINT64_MAX - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    *ret = v;
    return *p > start;
}

static bool is_consistent(const struct ofs_content_range *r)
{
    if (!r->satisfiable)
        return r->total_known;
    return r->first <= r->last && (!r->total_known || r->last < r->total);
}

/* "0-9", or a star. */
static bool range_part(const char **p, struct ofs_content_range *ret)
{
    if (skip(p, '*'))
        return true;
    ret->satisfiable = true;
    return number(p, &ret->first) && skip(p, '-') && number(p, &ret->last);
}

/* "100", or a star. */
static bool total_part(const char **p, struct ofs_content_range *ret)
{
    if (skip(p, '*'))
        return true;
    ret->total_known = true;
    return number(p, &ret->total);
}

int ofs_content_range_parse(const char *value, struct ofs_content_range *ret)
{
    struct ofs_content_range r = { 0 };
    const char *p = value;

    skip_ows(&p);
    if (strncasecmp(p, "bytes", 5) != 0 || (p[5] != ' ' && p[5] != '\t'))
        return -EBADMSG;
    p += 5;
    skip_ows(&p);
    if (!range_part(&p, &r) || !skip(&p, '/') || !total_part(&p, &r))
        return -EBADMSG;
    skip_ows(&p);
    if (*p || !is_consistent(&r))
        return -EBADMSG;
    *ret = r;
    return 0;
}

int64_t ofs_retry_after_ms(const char *value, int64_t now_s)
{
    static const uint64_t most_s = 10 * 366 * 86400; /* keeps out of overflow */
    const char *p = value;
    uint64_t n;
    int64_t date_s;

    if (!value)
        return -1;
    skip_ows(&p);
    if (number(&p, &n)) {
        skip_ows(&p);
        if (*p)
            return -1;
        return (int64_t)(n < most_s ? n : most_s) * 1000;
    }
    /* No digit first: a date, which begins with the day's name. */
    if (strspn(p, TOKEN) == 0 || ofs_time_parse(p, &date_s) < 0)
        return -1;
    if (date_s <= now_s)
        return 0;
    if ((uint64_t)date_s - (uint64_t)now_s > most_s)
        return (int64_t)most_s * 1000;
    return (date_s - now_s) * 1000;
}

/* One parameter of a link; pointers into the field value. */
struct param {
    const char *name, *value;
    size_t name_len, value_len;
    bool quoted; /* value has no quotes around, but backslashes inside */
};

/* Behind the opening quote -> behind the closing one; false: there is none. */
static bool quoted_string(const char **p, struct param *ret)
{
    ret->value = *p;
    ret->quoted = true;
    for (; **p && **p != '"'; ++*p)
        if (**p == '\\' && (*p)[1])
            ++*p;
    ret->value_len = (size_t)(*p - ret->value);
    return skip(p, '"');
}

/* `; name = value` with *p at the ';'.  False: it is not one. */
static bool next_param(const char **p, struct param *ret)
{
    *ret = (struct param){ 0 };
    skip_ows(p);
    if (!skip(p, ';'))
        return false;
    skip_ows(p);
    ret->name = *p;
    ret->name_len = strspn(*p, TOKEN);
    *p += ret->name_len;
    skip_ows(p);
    if (!skip(p, '='))
        return true; /* no value, or none of anything: "; ;" */
    skip_ows(p);
    if (skip(p, '"'))
        return quoted_string(p, ret);
    ret->value = *p;
    ret->value_len = strcspn(*p, OWS ";,\"");
    *p += ret->value_len;
    return true;
}

/*
 * "next" among the words of a rel value (RFC 8288, 3.3), also in the quotes
 * of another language.
 */
static bool says_next(const struct param *q)
{
    const char *p = q->value;
    const char *end = p + q->value_len;

    if (q->value_len >= 2 && *p == '\'' && end[-1] == '\'') {
        p++;
        end--;
    }
    while (p < end) {
        const char *word = p;

        while (p < end && *p != ' ' && *p != '\t')
            p++;
        if (p - word == 4 && strncasecmp(word, "next", 4) == 0)
            return true;
        while (p < end && (*p == ' ' || *p == '\t'))
            p++;
    }
    return false;
}

/* The parameters of one link; only its first rel counts (RFC 8288, 3.3). */
static bool is_next(const char **p)
{
    struct param q;
    bool seen = false, next = false;

    while (next_param(p, &q)) {
        if (seen || q.name_len != 3 || strncasecmp(q.name, "rel", 3) != 0)
            continue;
        seen = true;
        next = q.value && says_next(&q);
    }
    return next;
}

int ofs_link_next(const char *value, struct ofs_buf *b)
{
    const char *p = value;

    for (;;) {
        const char *target;
        size_t len;

        p += strspn(p, OWS ",");
        if (!skip(&p, '<'))
            return -ENOENT;
        target = p;
        len = strcspn(p, ">");
        p += len;
        if (!skip(&p, '>'))
            return -ENOENT;
        if (is_next(&p))
            return ofs_buf_add(b, target, len);
        skip_ows(&p);
        if (*p != ',')
            return -ENOENT;
    }
}

int ofs_media_type(const char *value, struct ofs_buf *b)
{
    const char *p = value;
    const char *type;
    size_t main_len, sub_len;

    skip_ows(&p);
    type = p;
    main_len = strspn(p, TOKEN);
    p += main_len;
    if (main_len == 0 || !skip(&p, '/'))
        return -EBADMSG;
    sub_len = strspn(p, TOKEN);
    p += sub_len;
    skip_ows(&p);
    if (sub_len == 0 || (*p && *p != ';'))
        return -EBADMSG;
    for (size_t i = 0; i < main_len + 1 + sub_len; i++) {
        char c = type[i];

        (void)ofs_buf_addc(b, c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c);
    }
    return b->failed;
}
