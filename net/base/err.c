/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/err.h"

#include "ocirfs/harmless.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

int ofs_err_set(struct ofs_err *err, int code, const char *fmt, ...)
{
    struct ofs_err fresh = { .code = code, .retry_after_ms = -1 };
    va_list ap;

    assert(code < 0);
    if (!err)
        return code;
    /* Into a fresh one: the arguments may point into *err. */
    va_start(ap, fmt);
    (void)vsnprintf(fresh.text, sizeof(fresh.text), fmt, ap);
    va_end(ap);
    ofs_harmless(fresh.text);
    *err = fresh;
    return code;
}

int ofs_err_wrap(struct ofs_err *err, int code, const char *what)
{
    char both[2 * sizeof(err->text)];

    assert(code < 0);
    if (!err)
        return code;
    if (err->code == 0)
        *err = (struct ofs_err){ .retry_after_ms = -1 };
    (void)snprintf(both, sizeof(both), err->text[0] ? "%s: %s" : "%s%s", what,
                   err->text);
    both[sizeof(err->text) - 1] = '\0';
    ofs_harmless(both);
    memcpy(err->text, both, sizeof(err->text));
    err->code = code;
    return code;
}

const char *ofs_err_line(const struct ofs_err *err, char ret[OFS_ERR_LINE_MAX])
{
    (void)snprintf(ret, OFS_ERR_LINE_MAX,
                   err->request_id[0] ? "%s [request %s]" : "%s%s", err->text,
                   err->request_id);
    return ret;
}

int ofs_err_nomem(struct ofs_err *err, const char *what)
{
    return ofs_err_set(err, -ENOMEM, "no memory for %s", what);
}

int ofs_err_errno(struct ofs_err *err, int errno_value, const char *what)
{
    char words[96];

    return ofs_err_set(err, -errno_value, "%s: %s", what,
                       strerror_r(errno_value, words, sizeof(words)));
}
