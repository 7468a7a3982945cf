/* SPDX-License-Identifier: Apache-2.0 */
#include "tarname.h"

#include <stdbool.h>

/* Cut the last component off; false: there is none. */
static bool climb(struct ofs_buf *b)
{
    if (b->len == 0)
        return false;
    while (b->len > 0 && b->data[b->len - 1] != '/')
        b->len--;
    if (b->len > 0)
        b->len--;
    b->data[b->len] = '\0';
    return true;
}

static bool is(const char *part, size_t len, const char *word)
{
    return strlen(word) == len && memcmp(part, word, len) == 0;
}

/* One component; false: it leads outside. */
static bool add_part(struct ofs_buf *b, const char *part, size_t len,
                     bool may_climb)
{
    if (len == 0 || is(part, len, "."))
        return true;
    if (is(part, len, ".."))
        return may_climb && climb(b);
    if (b->len > 0)
        (void)ofs_buf_addc(b, '/');
    (void)ofs_buf_add(b, part, len);
    return true;
}

int ofs_tarname(const char *from, const char *path, struct ofs_buf *ret,
                struct ofs_err *err)
{
    bool inside = path[0] != '/';

    if (strlen(path) > OFS_TARNAME_MAX)
        return ofs_err_set(err, -EFBIG, "a name of %zu bytes, limit %d",
                           strlen(path), OFS_TARNAME_MAX);
    if (from) {
        (void)ofs_buf_adds(ret, from);
        (void)climb(ret);
    }
    for (const char *p = path; inside && *p;) {
        size_t len = strcspn(p, "/");

        inside = add_part(ret, p, len, from != NULL);
        p += len + (p[len] == '/');
    }
    if (!inside)
        return ofs_err_set(err, -EINVAL, "'%.100s' leads out of the archive",
                           path);
    return ret->failed ? ofs_err_set(err, ret->failed, "a name") : 0;
}
