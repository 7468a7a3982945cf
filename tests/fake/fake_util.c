/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_priv.h"

#include "ocirfs/clock.h"

#include <stdarg.h>

void fake_must(bool ok, const char *what)
{
    if (ok)
        return;
    (void)fprintf(stderr, "fake: %s\n", what);
    abort();
}

void *fake_alloc(size_t len)
{
    void *p = calloc(1, len);

    fake_must(p != NULL, "no memory");
    return p;
}

char *fake_strdup(const char *s)
{
    char *copy = s ? strdup(s) : NULL;

    fake_must(copy || !s, "no memory");
    return copy;
}

char *fake_strf(const char *fmt, ...)
{
    char *text = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&text, fmt, ap);
    va_end(ap);
    fake_must(n >= 0, "no memory");
    return text;
}

void fake_response_header(struct fake_response *resp, const char *fmt, ...)
{
    OFS_AUTOFREE char *line = NULL;
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vasprintf(&line, fmt, ap);
    va_end(ap);
    fake_must(n >= 0, "no memory");
    (void)ofs_buf_adds(&resp->headers, line);
    fake_must(ofs_buf_adds(&resp->headers, "\r\n") == 0, "headers too long");
}

void fake_response_body(struct fake_response *resp, int status,
                        const char *type, const void *data, size_t len)
{
    resp->status = status;
    if (type)
        fake_response_header(resp, "Content-Type: %s", type);
    ofs_buf_reset(&resp->body);
    fake_must(len == 0 || ofs_buf_add(&resp->body, data, len) == 0,
              "body too long for a canned answer");
    resp->fill = NULL;
}

/* The value of the i-th header line of that name; NULL when there is none. */
static const char *find(const char *lines, const char *name, unsigned i,
                        size_t *ret_len)
{
    size_t n = strlen(name);

    for (const char *end; *lines; lines = end + 2) {
        end = strstr(lines, "\r\n");
        if (!end)
            return NULL;
        if (strncasecmp(lines, name, n) != 0 || lines[n] != ':' || i-- > 0)
            continue;
        lines += n + 1;
        lines += strspn(lines, " \t");
        *ret_len = (size_t)(end - lines);
        return lines;
    }
    return NULL;
}

char *fake_request_header(const struct fake_request *req, const char *name)
{
    size_t len;
    const char *value = find(req->headers, name, 0, &len);
    char *copy = value ? strndup(value, len) : NULL;

    fake_must(copy || !value, "no memory");
    return copy;
}

unsigned fake_request_has(const struct fake_request *req, const char *name)
{
    unsigned n = 0;
    size_t len;

    while (find(req->headers, name, n, &len))
        n++;
    return n;
}

static int hex_digit(char c)
{
    const char *digits = "0123456789abcdef";
    const char *at = c ? strchr(digits, c | 0x20) : NULL;

    return at ? (int)(at - digits) : -1;
}

static char *percent_decode(const char *s, size_t len)
{
    char *out = fake_alloc(len + 1), *p = out;

    for (size_t i = 0; i < len; i++) {
        if (s[i] == '%' && i + 2 < len && hex_digit(s[i + 1]) >= 0 &&
            hex_digit(s[i + 2]) >= 0) {
            *p++ = (char)(hex_digit(s[i + 1]) * 16 + hex_digit(s[i + 2]));
            i += 2;
        } else {
            *p++ = s[i] == '+' ? ' ' : s[i];
        }
    }
    return out;
}

char *fake_param(const char *form, const char *name, unsigned i)
{
    size_t n = strlen(name);

    for (const char *p = form; *p; p += strcspn(p, "&")) {
        p += strspn(p, "&");
        if (strncmp(p, name, n) == 0 && p[n] == '=' && i-- == 0)
            return percent_decode(p + n + 1, strcspn(p + n + 1, "&"));
    }
    return NULL;
}

char *fake_request_param(const struct fake_request *req, const char *name)
{
    return fake_param(req->query, name, 0);
}

void fake_cond_init(pthread_cond_t *cond)
{
    pthread_condattr_t attr;

    (void)pthread_condattr_init(&attr);
    (void)pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    (void)pthread_cond_init(cond, &attr);
    (void)pthread_condattr_destroy(&attr);
}

struct timespec fake_from_now(int64_t ms)
{
    int64_t until = ofs_mono_ms() + ms;

    return (struct timespec){ .tv_sec = until / 1000,
                              .tv_nsec = until % 1000 * 1000000 };
}
