/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/errclass.h"

#include "ocirfs/cleanup.h"

static void each_errno_is_what_it_says(void **state)
{
    enum {
        SILENT = OFS_ERR_SILENT | OFS_ERR_BROKEN | OFS_ERR_AWAY,
        TOLD = OFS_ERR_REFUSAL | OFS_ERR_ANSWER | OFS_ERR_SHOWN,
    };
    static const struct {
        int code;
        unsigned is;
    } rows[] = {
        { 0, 0 },
        { -ETIMEDOUT, SILENT | OFS_ERR_SHOWN },
        { -ECONNREFUSED, SILENT },
        { -EHOSTUNREACH, SILENT },
        { -ENETUNREACH, SILENT },
        { -EPROTO, SILENT },
        { -EIO, OFS_ERR_BROKEN | OFS_ERR_AWAY },
        { -EBUSY, OFS_ERR_AWAY | OFS_ERR_SHOWN },
        { -EINTR, OFS_ERR_OWN | OFS_ERR_ORDINARY | OFS_ERR_SHOWN },
        { -EAGAIN, OFS_ERR_OWN },
        { -ENOMEM, OFS_ERR_OWN | OFS_ERR_SHOWN },
        { -ENOENT, TOLD },
        { -EACCES, TOLD },
        { -EPERM, TOLD },
        { -EINVAL, TOLD },
        { -EOPNOTSUPP, TOLD },
        { -EBADMSG, OFS_ERR_ANSWER },
        { -EFBIG, OFS_ERR_ANSWER | OFS_ERR_SHOWN },
        { -EDQUOT, OFS_ERR_ANSWER | OFS_ERR_SHOWN },
        { -ESTALE, OFS_ERR_ANSWER | OFS_ERR_ORDINARY | OFS_ERR_SHOWN },
        { -EEXIST, OFS_ERR_SHOWN },
        { -ENOSPC, OFS_ERR_SHOWN },
        { -EXDEV, OFS_ERR_ORDINARY | OFS_ERR_SHOWN },
        { -ENOTDIR, OFS_ERR_ORDINARY | OFS_ERR_SHOWN },
        { -ECHILD, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        for (unsigned c = 1; c <= OFS_ERR_SHOWN; c *= 2)
            if (ofs_err_is(rows[i].code, c) != !!(rows[i].is & c))
                fail_msg("%d: %u", rows[i].code, c);
}

static void any_of_several_will_do(void **state)
{
    (void)state;
    assert_true(ofs_err_is(-EIO, OFS_ERR_AWAY | OFS_ERR_OWN));
    assert_true(ofs_err_is(-EINTR, OFS_ERR_AWAY | OFS_ERR_OWN));
    assert_false(ofs_err_is(-ENOENT, OFS_ERR_AWAY | OFS_ERR_OWN));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_errno_is_what_it_says),
        cmocka_unit_test(any_of_several_will_do),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
