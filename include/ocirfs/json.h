/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_JSON_H
#define OFS_JSON_H

/*
 * Foreign JSON, decoded by tables: a new field is a row, unknown names are
 * skipped because servers grow, required ones are named.  Not thread-safe.
 */

#include "ocirfs/err.h"
#include "ocirfs/str.h"

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ofs_json_kind {
    OFS_JSON_STR,  /* char *: a copy the target struct owns */
    OFS_JSON_U64,  /* uint64_t: refuses negative numbers and fractions */
    OFS_JSON_BOOL, /* bool */
    OFS_JSON_STRV, /* struct ofs_strv: array of strings */
    OFS_JSON_OBJ,  /* json_t *: object or array, borrowed from the document */
};

struct ofs_json_field {
    const char *name;
    enum ofs_json_kind kind;
    size_t offset; /* of the member in the target struct */
    bool required;
};

/*
 * Parse `len` bytes of UTF-8 into a document the caller owns (json_decref).
 * Refuses nesting beyond 64 levels (checked before parsing, so that a hostile
 * depth costs no stack) and trailing bytes.  -EBADMSG with the place of the
 * mistake; -ENOMEM.
 */
int ofs_json_parse(const char *text, size_t len, json_t **ret,
                   struct ofs_err *err) OFS_MUST_CHECK;

/*
 * The same of a document that others read, though it is not quite JSON or is
 * more than we read: bytes that are not UTF-8 and half surrogates become '?',
 * numbers that fit nowhere null, and so does what is nested beyond 32 levels.
 */
int ofs_json_parse_odd(const char *text, size_t len, json_t **ret,
                       struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Fill `out` from `obj` by a table that ends with a nameless row.  JSON null
 * counts as absent.  -EBADMSG: not an object, missing, wrong type, a NUL in a
 * string.  On failure members already filled stay filled; the target's _done
 * frees them.
 */
int ofs_json_decode(const json_t *obj, const struct ofs_json_field *fields,
                    void *out, struct ofs_err *err) OFS_MUST_CHECK;

static inline void ofs_json_decrefp(json_t **j)
{
    json_decref(*j);
}
#define OFS_AUTOJSON OFS_AUTO(ofs_json_decrefp)

#endif
