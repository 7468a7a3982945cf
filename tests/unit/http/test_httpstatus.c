/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/http.h"

static void each_status_has_its_errno(void **state)
{
    static const struct {
        int status, want;
    } rows[] = {
        { 200, 0 },        { 201, 0 },          { 202, 0 },
        { 204, 0 },        { 206, 0 },          { 299, 0 },
        { 100, -EIO },     { 199, -EIO },       { 301, -EIO },
        { 304, -EIO },     { 307, -EIO },       { 400, -EINVAL },
        { 401, -EACCES },  { 402, -EACCES },    { 403, -EACCES },
        { 404, -ENOENT },  { 405, -ENOTSUP },   { 406, -EIO },
        { 407, -EACCES },  { 408, -ETIMEDOUT }, { 409, -EEXIST },
        { 410, -ENOENT },  { 412, -EACCES },    { 413, -EFBIG },
        { 416, -EBADMSG }, { 418, -EIO },       { 429, -EBUSY },
        { 451, -EACCES },  { 500, -EIO },       { 501, -ENOTSUP },
        { 502, -EIO },     { 503, -EBUSY },     { 504, -ETIMEDOUT },
        { 507, -EDQUOT },  { 599, -EIO },       { 0, -EIO },
        { -1, -EIO },      { 1000, -EIO },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (ofs_http_status_errno(rows[i].status) != rows[i].want)
            fail_msg("%d: %d", rows[i].status,
                     ofs_http_status_errno(rows[i].status));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_status_has_its_errno),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
