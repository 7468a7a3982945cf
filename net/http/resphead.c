/* SPDX-License-Identifier: Apache-2.0 */
#include "resphead.h"

static bool is_ows(char c)
{
    return c == ' ' || c == '\t';
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Without white space at both ends. */
static void trim(const char **text, size_t *len)
{
    while (*len > 0 && is_ows(**text)) {
        ++*text;
        --*len;
    }
    while (*len > 0 && is_ows((*text)[*len - 1]))
        --*len;
}

/* "HTTP/1.1 200 OK", "HTTP/2 200": its status; 0: not a status line. */
static int status_of(const char *line, size_t len)
{
    const char *sp;

    if (len < 8 || memcmp(line, "HTTP/", 5) != 0 || !is_digit(line[5]))
        return 0;
    sp = memchr(line, ' ', len);
    if (!sp || line + len - sp < 4)
        return 0;
    if (!is_digit(sp[1]) || !is_digit(sp[2]) || !is_digit(sp[3]))
        return 0;
    return (sp[1] - '0') * 100 + (sp[2] - '0') * 10 + (sp[3] - '0');
}

/*
 * A line that begins with white space goes on with the field before it
 * (obs-fold, RFC 9112, 5.2): gone from the standard, not from the world.
 */
static int unfold(struct ofs_headers *h, const char *more, size_t len)
{
    struct ofs_header old;
    OFS_AUTOFREE char *joined = NULL;
    size_t value_len;
    int r;

    if (h->n == 0)
        return 0;
    old = h->at[h->n - 1];
    value_len = strlen(old.value);
    joined = malloc(value_len + 1 + len);
    if (!joined)
        return -ENOMEM;
    memcpy(joined, old.value, value_len);
    joined[value_len] = ' ';
    memcpy(joined + value_len + 1, more, len);
    h->n--;
    r = ofs_headers_add(h, old.name, strlen(old.name), joined,
                        value_len + 1 + len);
    free(old.name);
    return r;
}

static int field(struct ofs_headers *h, const char *line, size_t len)
{
    const char *colon;
    const char *value;
    size_t name_len, value_len;

    if (is_ows(*line)) {
        trim(&line, &len);
        return len > 0 ? unfold(h, line, len) : 0;
    }
    colon = memchr(line, ':', len);
    if (!colon || colon == line)
        return 0; /* not a field; whatever it is, nobody asks for it */
    name_len = (size_t)(colon - line);
    trim(&line, &name_len);
    value = colon + 1;
    value_len = len - (size_t)(value - line);
    trim(&value, &value_len);
    return ofs_headers_add(h, line, name_len, value, value_len);
}

int ofs_resphead_line(struct ofs_resphead *h, const char *line, size_t len)
{
    int status;

    if (h->frozen)
        return 0;
    while (len > 0 && (line[len - 1] == '\n' || line[len - 1] == '\r'))
        len--;
    status = status_of(line, len);
    if (status != 0) {
        ofs_headers_done(&h->headers);
        h->status = status;
        h->open = true;
        return 0;
    }
    if (!h->open)
        return 0; /* trailers of an empty body */
    if (len > 0)
        return field(&h->headers, line, len);
    h->open = false;
    return h->status >= 200;
}

void ofs_resphead_freeze(struct ofs_resphead *h)
{
    h->frozen = true;
}

void ofs_resphead_done(struct ofs_resphead *h)
{
    ofs_headers_done(&h->headers);
    *h = (struct ofs_resphead){ 0 };
}
