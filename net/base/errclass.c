/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/errclass.h"

#include "ocirfs/cleanup.h"

#include <errno.h>

enum {
    SILENT = OFS_ERR_SILENT | OFS_ERR_BROKEN | OFS_ERR_AWAY,
    BROKEN = OFS_ERR_BROKEN | OFS_ERR_AWAY,
    AWAY = OFS_ERR_AWAY,
    OWN = OFS_ERR_OWN,
    ANSWER = OFS_ERR_ANSWER,
    REFUSAL = OFS_ERR_REFUSAL | OFS_ERR_ANSWER,
    ORDINARY = OFS_ERR_ORDINARY,
    SHOWN = OFS_ERR_SHOWN,
};

static const struct {
    int code;
    unsigned classes;
} rows[] = {
    { ETIMEDOUT, SILENT | SHOWN },
    { ECONNREFUSED, SILENT },
    { EHOSTUNREACH, SILENT },
    { ENETUNREACH, SILENT },
    { EPROTO, SILENT },
    { EBUSY, AWAY | SHOWN },
    { EIO, BROKEN }, /* reset connections and 5xx after all retries */

    { EINTR, OWN | ORDINARY | SHOWN },
    { EAGAIN, OWN },
    { ENOMEM, OWN | SHOWN },

    { ENOENT, REFUSAL | SHOWN },
    { EACCES, REFUSAL | SHOWN },
    { EPERM, REFUSAL | SHOWN },
    { EINVAL, REFUSAL | SHOWN },
    { ENOTSUP, REFUSAL | SHOWN },
    { EROFS, ANSWER | SHOWN },
    { EBADMSG, ANSWER },
    { EFBIG, ANSWER | SHOWN },
    { EDQUOT, ANSWER | SHOWN },
    { ESTALE, ANSWER | ORDINARY | SHOWN },

    { EEXIST, SHOWN },
    { EBADF, SHOWN },
    { ENOSPC, SHOWN },
    { ENODATA, ORDINARY | SHOWN },
    { ENOTEMPTY, ORDINARY | SHOWN },
    { EXDEV, ORDINARY | SHOWN },
    { ERANGE, ORDINARY | SHOWN },
    { ENAMETOOLONG, ORDINARY | SHOWN },
    { ENOTDIR, ORDINARY | SHOWN },
    { EISDIR, ORDINARY | SHOWN },
};

bool ofs_err_is(int code, unsigned classes)
{
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (rows[i].code == -code)
            return rows[i].classes & classes;
    return false;
}
