/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/str.h"

#include "ocirfs/secret.h"
#include "ocirfs/vec.h"

#include <errno.h>
#include <stdarg.h>

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

bool ofs_str_starts(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool ofs_str_ends(const char *s, const char *suffix)
{
    size_t len = strlen(s), tail = strlen(suffix);

    return len >= tail && strcmp(s + len - tail, suffix) == 0;
}

bool ofs_str_ieq(const char *a, const char *b)
{
    while (*a && lower(*a) == lower(*b)) {
        a++;
        b++;
    }
    return lower(*a) == lower(*b);
}

/* Digits from *p on; leaves *p behind them. */
static int scan_u64(const char **p, uint64_t *ret)
{
    uint64_t n = 0;

    if (**p < '0' || **p > '9')
        return -EBADMSG;
    for (; **p >= '0' && **p <= '9'; ++*p) {
        uint64_t digit = (uint64_t)(**p - '0');

        if (n > (UINT64_MAX - digit) / 10)
            return -ERANGE;
        n = n * 10 + digit;
    }
    *ret = n;
    return 0;
}

int ofs_str_u64(const char *s, uint64_t *ret)
{
    uint64_t n;
    int r = scan_u64(&s, &n);

    if (r < 0)
        return r;
    if (*s)
        return -EBADMSG;
    *ret = n;
    return 0;
}

/* Bits to shift by for a unit letter; -1: no unit. */
static int unit_shift(char c)
{
    switch (lower(c)) {
    case 'k':
        return 10;
    case 'm':
        return 20;
    case 'g':
        return 30;
    case 't':
        return 40;
    default:
        return -1;
    }
}

int ofs_str_size(const char *s, uint64_t *ret_bytes)
{
    uint64_t n;
    int shift = 0, r = scan_u64(&s, &n);

    if (r < 0)
        return r;
    if (*s) {
        shift = unit_shift(*s);
        if (shift < 0 || s[1])
            return -EBADMSG;
    }
    if (n > UINT64_MAX >> shift)
        return -ERANGE;
    *ret_bytes = n << shift;
    return 0;
}

/* Cut off, not rounded, so that no text says "1024.0 MiB". */
const char *ofs_str_human(uint64_t bytes, char text[16])
{
    static const char units[] = "KMGTPE";
    unsigned shift = 10;

    if (bytes < 1024) {
        (void)snprintf(text, 16, "%u B", (unsigned)bytes);
        return text;
    }
    while (shift < 60 && bytes >> shift >= 1024)
        shift += 10;
    (void)snprintf(text, 16, "%u.%u %ciB", (unsigned)(bytes >> shift) & 1023,
                   (unsigned)((bytes >> (shift - 10)) & 1023) * 10 / 1024,
                   units[shift / 10 - 1]);
    return text;
}

char *ofs_strf(const char *fmt, ...)
{
    char *text;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vasprintf(&text, fmt, ap);
    va_end(ap);
    return len < 0 ? NULL : text;
}

static bool is_unreserved(char c)
{
    return (lower(c) >= 'a' && lower(c) <= 'z') || (c >= '0' && c <= '9') ||
           c == '-' || c == '.' || c == '_' || c == '~';
}

int ofs_str_percent(struct ofs_buf *b, const char *s)
{
    static const char hex[] = "0123456789ABCDEF";

    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;
        char code[3] = { '%', hex[c >> 4], hex[c & 15] };

        if (is_unreserved(*s))
            (void)ofs_buf_addc(b, *s);
        else
            (void)ofs_buf_add(b, code, sizeof(code));
    }
    return b->failed;
}

void ofs_strv_done(struct ofs_strv *v)
{
    for (size_t i = 0; i < v->n; i++)
        free(v->at[i]);
    free(v->at);
    *v = (struct ofs_strv){ 0 };
}

int ofs_strv_add(struct ofs_strv *v, const char *s)
{
    char *copy = strdup(s);

    return copy ? ofs_strv_add_own(v, copy) : -ENOMEM;
}

void ofs_strv_wipe(struct ofs_strv *v)
{
    for (size_t i = 0; i < v->n; i++)
        ofs_wipe(v->at[i], strlen(v->at[i]));
    ofs_strv_done(v);
}

int ofs_strv_add_own(struct ofs_strv *v, char *s)
{
    if (ofs_vec_grow(v->at, v->n, v->room) < 0) {
        free(s);
        return -ENOMEM;
    }
    v->at[v->n++] = s;
    return 0;
}

const char *const *ofs_strv_array(struct ofs_strv *v)
{
    if (ofs_vec_grow(v->at, v->n, v->room) < 0)
        return NULL;
    v->at[v->n] = NULL;
    return (const char *const *)v->at;
}

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

void ofs_strv_sort(struct ofs_strv *v)
{
    if (v->n > 1)
        qsort(v->at, v->n, sizeof(*v->at), compare);
}

void ofs_strv_unique(struct ofs_strv *v)
{
    size_t kept = 0;

    for (size_t i = 0; i < v->n; i++) {
        if (kept > 0 && strcmp(v->at[kept - 1], v->at[i]) == 0)
            free(v->at[i]);
        else
            v->at[kept++] = v->at[i];
    }
    v->n = kept;
}

bool ofs_strv_has(const struct ofs_strv *v, const char *s)
{
    return v->n > 0 && bsearch(&s, v->at, v->n, sizeof(*v->at), compare);
}
