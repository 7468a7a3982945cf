/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/http.h"

int ofs_http_status_errno(int status)
{
    static const struct {
        int status, code;
    } rows[] = {
        { 400, -EINVAL },    { 401, -EACCES },    { 402, -EACCES },
        { 403, -EACCES },    { 404, -ENOENT },    { 405, -ENOTSUP },
        { 407, -EACCES },    { 408, -ETIMEDOUT }, { 409, -EEXIST },
        { 410, -ENOENT },    { 412, -EACCES },    { 413, -EFBIG },
        { 416, -EBADMSG },   { 423, -EACCES },    { 429, -EBUSY },
        { 451, -EACCES },    { 501, -ENOTSUP },   { 503, -EBUSY },
        { 504, -ETIMEDOUT }, { 507, -EDQUOT },
    };

    if (status >= 200 && status < 300)
        return 0;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (rows[i].status == status)
            return rows[i].code;
    return -EIO;
}
