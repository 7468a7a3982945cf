/* SPDX-License-Identifier: Apache-2.0 */
#include "blobanswer.h"

#include "ocirfs/str.h"

#include <inttypes.h>

static bool content_length(const struct ofs_headers *headers, uint64_t *ret)
{
    const char *value = ofs_headers_get(headers, "Content-Length");

    return value && ofs_str_u64(value, ret) == 0;
}

/*
 * Object stores tell the encoding that a layer was uploaded with ("gzip" for a
 * .tar.gz) and send its bytes as they are, which is harmless.  A proxy that
 * compresses on the fly does not know the length beforehand, and does not use
 * the names of old ("x-gzip") that file servers go by: that is how the two are
 * told apart.
 */
static int check_encoding(const struct ofs_headers *headers, bool size_known,
                          struct ofs_err *err)
{
    const char *value = ofs_headers_get(headers, "Content-Encoding");

    if (!value || size_known || ofs_str_ieq(value, "identity") ||
        strncasecmp(value, "x-", 2) == 0)
        return 0;
    return ofs_err_set(err, -EBADMSG, "sent with Content-Encoding '%.40s'",
                       value);
}

static int other_size(uint64_t told, uint64_t size, struct ofs_err *err)
{
    return ofs_err_set(err, -EBADMSG,
                       "the server's blob has %" PRIu64 " bytes where %" PRIu64
                       " were announced",
                       told, size);
}

static int whole(const struct ofs_headers *headers,
                 const struct blob_want *want, struct blob_plan *ret,
                 struct ofs_err *err)
{
    uint64_t len;
    bool known = content_length(headers, &len);
    int r = check_encoding(headers, known, err);

    if (r < 0)
        return r;
    if (known && len != want->size)
        return other_size(len, want->size, err);
    *ret = (struct blob_plan){
        .skip = want->off,
        .take = want->len,
        .rest = want->size - want->off - want->len,
        .ignored_range = want->ranged,
    };
    return 0;
}

/* Do the two headers that tell a part's length agree? */
static bool is_consistent(const struct ofs_headers *headers,
                          const struct ofs_content_range *part)
{
    uint64_t len;

    return !content_length(headers, &len) ||
           len == part->last - part->first + 1;
}

static int part(const struct ofs_headers *headers, const struct blob_want *want,
                struct blob_plan *ret, struct ofs_err *err)
{
    const char *value = ofs_headers_get(headers, "Content-Range");
    struct ofs_content_range cr;
    uint64_t take;
    int r;

    if (!value || ofs_content_range_parse(value, &cr) < 0 || !cr.satisfiable)
        return ofs_err_set(err, -ERANGE, "a part without its place");
    if (cr.total_known && cr.total != want->size)
        return other_size(cr.total, want->size, err);
    if (cr.first > want->off || cr.last < want->off || cr.last >= want->size ||
        !is_consistent(headers, &cr))
        return ofs_err_set(err, -ERANGE, "another part than was asked for");
    r = check_encoding(headers, cr.total_known, err);
    if (r < 0)
        return r;
    take = cr.last - want->off + 1;
    if (take > want->len)
        take = want->len;
    *ret = (struct blob_plan){
        .skip = want->off - cr.first,
        .take = take,
        .rest = cr.last + 1 - want->off - take,
    };
    return 0;
}

int ofs_blob_answer(int status, const struct ofs_headers *headers,
                    const struct blob_want *want, struct blob_plan *ret,
                    struct ofs_err *err)
{
    if (status == 200)
        return whole(headers, want, ret, err);
    if (status == 206)
        return part(headers, want, ret, err);
    return ofs_err_set(err, -EBADMSG, "answered %d for a blob", status);
}

bool ofs_blob_refuses_ranges(int status)
{
    return status == 400 || status == 405 || status == 406 || status == 412 ||
           status == 417 || status == 501;
}

bool ofs_blob_total(const struct ofs_headers *headers, uint64_t *ret_total)
{
    const char *value = ofs_headers_get(headers, "Content-Range");
    struct ofs_content_range cr;

    if (!value || ofs_content_range_parse(value, &cr) < 0 || !cr.total_known)
        return false;
    *ret_total = cr.total;
    return true;
}
