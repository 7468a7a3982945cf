/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_HTTPHDR_H
#define OFS_HTTPHDR_H

/*
 * Header fields of a response: a list with a limit, and the parsers of the
 * fields this program reads.  Each parser is pure and takes foreign bytes.
 * Source: RFC 9110; RFC 8288 for Link.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofs_header {
    char *name;  /* as received */
    char *value; /* without white space around */
};

struct ofs_headers {
    struct ofs_header *at; /* owned; names too; by ofs_headers_add only */
    size_t n;
};

enum { OFS_HEADERS_MAX = 900, OFS_HEADERS_BYTES_MAX = 64 * 1024 };

/* Value of the first field of that name (case-insensitive), or NULL. */
const char *ofs_headers_get(const struct ofs_headers *h, const char *name);
/* The i-th value of that name, counted from 0, or NULL. */
const char *ofs_headers_nth(const struct ofs_headers *h, const char *name,
                            size_t i);
void ofs_headers_done(struct ofs_headers *h);
/* -EFBIG beyond the limits above, -ENOMEM. */
int ofs_headers_add(struct ofs_headers *h, const char *name, size_t name_len,
                    const char *value, size_t value_len) OFS_MUST_CHECK;

struct ofs_content_range {
    bool satisfiable;     /* false for the 416 form with a star for the range */
    uint64_t first, last; /* bytes, inclusive */
    bool total_known;
    uint64_t total;
};

/* "bytes 0-9/100", unknown total or unknown range as a star.  -EBADMSG. */
int ofs_content_range_parse(const char *value,
                            struct ofs_content_range *ret) OFS_MUST_CHECK;

/* Seconds or an HTTP date -> milliseconds from `now_s`; -1: none or wrong. */
int64_t ofs_retry_after_ms(const char *value, int64_t now_s);

/*
 * The target of rel="next" in one Link field value into `b`; rel quoted or
 * not, several links in one value, commas and semicolons inside <> and quotes.
 * 0 found, -ENOENT none, or b->failed.
 */
int ofs_link_next(const char *value, struct ofs_buf *b);

/*
 * "application/json; charset=utf-8" -> "application/json", lower case, into
 * `b`.  -EBADMSG: it is none; or b->failed.
 */
int ofs_media_type(const char *value, struct ofs_buf *b);

#endif
