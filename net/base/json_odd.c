/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Go's decoder, which most clients of registries use, passes over what it does
 * not want: wrong UTF-8, halves of surrogate pairs, numbers out of any range,
 * nesting of any depth.  jansson refuses the whole document, so what it would
 * refuse is taken out before.
 */
#include "ocirfs/json.h"

#include "ocirfs/harmless.h"

#include <ctype.h>

enum {
    MAX_LEVELS = 32,
    NUMBER_CHARS = 18, /* any integer of so many fits */
};

struct mend {
    const char *at, *end; /* of the text, which has a NUL behind it */
    int level;
    struct ofs_buf *out;
};

static void put(struct mend *m, const char *text, size_t len)
{
    /* Beyond the limit everything is part of one null. */
    if (m->level <= MAX_LEVELS)
        (void)ofs_buf_add(m->out, text, len);
}

static int digit_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)tolower((unsigned char)c);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* What \\uXXXX at `p` stands for; -1: it is no such thing. */
static int unit_at(const struct mend *m, const char *p)
{
    int unit = 0;

    if (m->end - p < 6 || p[0] != '\\' || p[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        if (digit_of(p[i]) < 0)
            return -1;
        unit = unit * 16 + digit_of(p[i]);
    }
    return unit;
}

static bool is_high(int unit)
{
    return unit >= 0xd800 && unit <= 0xdbff;
}

static bool is_low(int unit)
{
    return unit >= 0xdc00 && unit <= 0xdfff;
}

static void mend_escape(struct mend *m)
{
    int unit = unit_at(m, m->at);
    size_t len = unit < 0 ? 2 : 6;

    if (is_high(unit) && is_low(unit_at(m, m->at + 6)))
        len = 12;
    if (len < 12 && (is_high(unit) || is_low(unit)))
        put(m, "?", 1);
    else
        put(m, m->at, len);
    m->at += len;
}

/* From behind the opening quote to behind the closing one. */
static void mend_string(struct mend *m)
{
    size_t len;
    uint32_t c;

    while (m->at < m->end && *m->at != '"') {
        if (*m->at == '\\') {
            mend_escape(m);
            continue;
        }
        if (ofs_utf8_at(m->at, &c, &len)) {
            put(m, m->at, len);
            m->at += len;
        } else {
            put(m, "?", 1);
            m->at++;
        }
    }
    put(m, "\"", 1);
    m->at++;
}

static void mend_number(struct mend *m)
{
    size_t len = strspn(m->at, "+-.0123456789eE");

    if (len > NUMBER_CHARS || memchr(m->at, 'e', len) ||
        memchr(m->at, 'E', len))
        put(m, "null", 4);
    else
        put(m, m->at, len);
    m->at += len;
}

static void mend_bracket(struct mend *m)
{
    bool opens = *m->at == '{' || *m->at == '[';

    if (opens && m->level == MAX_LEVELS)
        put(m, "null", 4);
    m->level += opens;
    put(m, m->at, 1);
    m->level -= !opens;
    m->at++;
}

static void mend_next(struct mend *m)
{
    char c = *m->at;

    if (c == '"') {
        put(m, m->at++, 1);
        mend_string(m);
    } else if (c == '-' || isdigit((unsigned char)c)) {
        mend_number(m);
    } else if (c && strchr("{}[]", c)) {
        mend_bracket(m);
    } else {
        put(m, m->at++, 1);
    }
}

int ofs_json_parse_odd(const char *text, size_t len, json_t **ret,
                       struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf copy = OFS_BUF_INIT(len + 1);
    OFS_AUTOBUF struct ofs_buf out = OFS_BUF_INIT(2 * len + 8);
    struct mend m = { .out = &out };
    int r = ofs_json_parse(text, len, ret, err);

    if (r != -EBADMSG || len == 0)
        return r;
    if (ofs_buf_add(&copy, text, len) < 0)
        return ofs_err_nomem(err, "a JSON document");
    m.at = ofs_buf_str(&copy);
    m.end = m.at + len;
    while (m.at < m.end)
        mend_next(&m);
    if (out.failed)
        return ofs_err_nomem(err, "a JSON document");
    return ofs_json_parse(out.data, out.len, ret, err);
}
