/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REQUEST_SCAN_H
#define OFS_REQUEST_SCAN_H

/*
 * Counts the requests in a stream of HTTP/1.1, piece by piece: knows where
 * heads begin because it follows bodies by their length or their chunks.  A
 * stream that is something else (TLS, HTTP/2) counts as none.  Header only:
 * every file here is a program.
 *
 * Source: RFC 9112, 2.1, 6, 7.1.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <strings.h>

enum { REQUEST_SCAN_LINE = 8192 };

/* All zero at the start of a connection. */
struct request_scan {
    enum {
        SCAN_START,
        SCAN_HEADER,
        SCAN_CHUNK,
        SCAN_TRAILER,
        SCAN_OPAQUE,
    } state;
    uint64_t skip; /* bytes of a body yet to come */
    uint64_t body; /* Content-Length of the head being read */
    bool chunked;
    size_t len;
    char line[REQUEST_SCAN_LINE];
};

static inline uint64_t request_scan_number(const char *s, unsigned base)
{
    const char *digits = "0123456789abcdef", *at;
    uint64_t n = 0;

    for (; *s && (at = strchr(digits, *s | 0x20)); s++) {
        if ((uint64_t)(at - digits) >= base)
            break;
        n = n * base + (uint64_t)(at - digits);
    }
    return n;
}

static inline bool request_scan_is_request(const char *line)
{
    static const char *const methods[] = { "GET ",    "HEAD ",  "POST ",
                                           "PUT ",    "PATCH ", "DELETE ",
                                           "OPTIONS " };
    size_t len = strlen(line);

    if (len < 9 || strncmp(line + len - 9, " HTTP/1.", 8) != 0)
        return false;
    for (size_t i = 0; i < sizeof(methods) / sizeof(*methods); i++) {
        if (strncmp(line, methods[i], strlen(methods[i])) == 0)
            return true;
    }
    return false;
}

static inline void request_scan_header(struct request_scan *s, const char *line)
{
    if (strncasecmp(line, "content-length:", 15) == 0) {
        line += 15;
        s->body = request_scan_number(line + strspn(line, " \t"), 10);
    } else if (strncasecmp(line, "transfer-encoding:", 18) == 0) {
        s->chunked = true;
    } else if (!*line) {
        s->skip = s->chunked ? 0 : s->body;
        s->state = s->chunked ? SCAN_CHUNK : SCAN_START;
        s->body = 0;
        s->chunked = false;
    }
}

/* One line, without its end.  True: a request begins with it. */
static inline bool request_scan_take(struct request_scan *s, const char *line)
{
    switch (s->state) {
    case SCAN_START:
        if (*line)
            s->state =
                request_scan_is_request(line) ? SCAN_HEADER : SCAN_OPAQUE;
        return s->state == SCAN_HEADER;
    case SCAN_HEADER:
        request_scan_header(s, line);
        break;
    case SCAN_CHUNK:
        s->skip = request_scan_number(line, 16);
        if (s->skip > 0)
            s->skip += 2;
        else
            s->state = SCAN_TRAILER;
        break;
    case SCAN_TRAILER:
        if (!*line)
            s->state = SCAN_START;
        break;
    case SCAN_OPAQUE:
        break;
    }
    return false;
}

/* The next bytes of the stream; how many requests begin in them. */
static inline unsigned request_scan_feed(struct request_scan *s,
                                         const char *data, size_t len)
{
    unsigned requests = 0;

    while (len > 0 && s->state != SCAN_OPAQUE) {
        size_t skip = s->skip < len ? (size_t)s->skip : len, n;
        const char *end = memchr(data + skip, '\n', len - skip);

        s->skip -= skip;
        n = end ? (size_t)(end + 1 - data) - skip : len - skip;
        if (s->len + n > sizeof(s->line)) {
            s->state = SCAN_OPAQUE;
            break;
        }
        memcpy(s->line + s->len, data + skip, n);
        s->len += n;
        data += skip + n;
        len -= skip + n;
        if (!end)
            break;
        s->len -= s->len > 1 && s->line[s->len - 2] == '\r' ? 2 : 1;
        s->line[s->len] = '\0';
        requests += request_scan_take(s, s->line);
        s->len = 0;
    }
    return requests;
}

#endif
