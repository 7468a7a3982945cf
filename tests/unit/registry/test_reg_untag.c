/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_untag.h"

#include "ocirfs/cleanup.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static const struct {
    int status;
    const char *id;
    enum reg_untag_next next;
} rows[] = {
    { 202, "", REG_UNTAG_DONE },
    { 200, "", REG_UNTAG_DONE },
    { 204, "", REG_UNTAG_DONE },
    /* Debian's docker-registry 2.8.2 */
    { 400, "DIGEST_INVALID", REG_UNTAG_UNKNOWN },
    { 405, "UNSUPPORTED", REG_UNTAG_UNKNOWN },
    { 400, "UNSUPPORTED", REG_UNTAG_UNKNOWN },
    { 400, "", REG_UNTAG_UNKNOWN },
    { 501, "", REG_UNTAG_UNKNOWN },
    { 404, "UNSUPPORTED", REG_UNTAG_UNKNOWN },
    { 404, "MANIFEST_UNKNOWN", REG_UNTAG_FAIL },
    { 404, "", REG_UNTAG_FAIL },
    { 400, "NAME_INVALID", REG_UNTAG_FAIL },
    { 401, "", REG_UNTAG_FAIL },
    { 403, "DENIED", REG_UNTAG_FAIL },
    { 500, "", REG_UNTAG_FAIL },
    { 307, "", REG_UNTAG_FAIL },
};

static void an_answer_tells_whether_it_is_known(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (ofs_reg_untag_next(rows[i].status, rows[i].id) != rows[i].next)
            fail_msg("row %zu", i);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_answer_tells_whether_it_is_known),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
