/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STR_H
#define OFS_STR_H

/*
 * Text: strict numbers, prefixes, percent coding, lists of strings.  Nothing
 * here depends on the locale.
 */

#include "ocirfs/buf.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

bool ofs_str_starts(const char *s, const char *prefix);
bool ofs_str_ends(const char *s, const char *suffix);
bool ofs_str_ieq(const char *a, const char *b); /* ASCII, case-insensitive */

/* Decimal digits only, no sign, no space, at least one.  -EBADMSG, -ERANGE. */
int ofs_str_u64(const char *s, uint64_t *ret) OFS_MUST_CHECK;

/*
 * A size as a person writes it: digits and an optional K, M, G or T (powers
 * of 1024, upper or lower case), bytes.  -EBADMSG, -ERANGE.
 */
int ofs_str_size(const char *s, uint64_t *ret_bytes) OFS_MUST_CHECK;

/* "1.4 GiB", "317 B": into `text`, always terminated; returns it. */
const char *ofs_str_human(uint64_t bytes, char text[16]);

/* printf into new memory; NULL: no memory. */
char *ofs_strf(const char *fmt, ...) OFS_PRINTF(1, 2);

/* Append `s` with all but A-Z a-z 0-9 - . _ ~ percent-encoded (RFC 3986). */
int ofs_str_percent(struct ofs_buf *b, const char *s);

/* An owned, growing list of owned strings. */
struct ofs_strv {
    char **at;
    size_t n;
    size_t room;
};

void ofs_strv_done(struct ofs_strv *v); /* frees all, leaves it empty */
int ofs_strv_add(struct ofs_strv *v, const char *s) OFS_MUST_CHECK;
int ofs_strv_add_own(struct ofs_strv *v, char *s) OFS_MUST_CHECK; /* steals */
void ofs_strv_sort(struct ofs_strv *v);                           /* by bytes */
void ofs_strv_unique(struct ofs_strv *v); /* of a sorted list */
bool ofs_strv_has(const struct ofs_strv *v, const char *s); /* sorted list */

/* As an array that ends with NULL; borrowed until the list changes.  NULL: no
 * memory. */
const char *const *ofs_strv_array(struct ofs_strv *v);

#define OFS_AUTOSTRV OFS_AUTO(ofs_strv_done)

/* The same for strings that may hold a secret. */
void ofs_strv_wipe(struct ofs_strv *v);
#define OFS_AUTOWIPESTRV OFS_AUTO(ofs_strv_wipe)

#endif
