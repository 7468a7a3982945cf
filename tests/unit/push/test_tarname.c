/* SPDX-License-Identifier: Apache-2.0 */
#include "tarname.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *from, *path;
    int r;
    const char *name;
} rows[] = {
    { NULL, "manifest.json", 0, "manifest.json" },
    { NULL, "./blobs//sha256/./ab/", 0, "blobs/sha256/ab" },
    { NULL, "./", 0, "" },
    { NULL, ".", 0, "" },
    { NULL, "...", 0, "..." },
    { NULL, "a..b/..c", 0, "a..b/..c" },
    { NULL, "/etc/passwd", -EINVAL, NULL },
    { NULL, "../x", -EINVAL, NULL },
    { NULL, "a/../b", -EINVAL, NULL },
    { "1/layer.tar", "../2/layer.tar", 0, "2/layer.tar" },
    { "1/layer.tar", "layer2.tar", 0, "1/layer2.tar" },
    { "link", "file", 0, "file" },
    { "a/b/c", "../../d", 0, "d" },
    { "1/layer.tar", "../../2/layer.tar", -EINVAL, NULL },
    { "link", "..", -EINVAL, NULL },
    { "1/layer.tar", "/2/layer.tar", -EINVAL, NULL },
};

static void names_have_one_form(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(2 * OFS_TARNAME_MAX);
        struct ofs_err err = { 0 };
        int r = ofs_tarname(rows[i].from, rows[i].path, &b, &err);

        if (r != rows[i].r || r != err.code ||
            (r == 0 && strcmp(ofs_buf_str(&b), rows[i].name) != 0))
            fail_msg("'%s': %d, '%s'", rows[i].path, r, ofs_buf_str(&b));
    }
}

static void a_name_has_a_limit(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(2 * OFS_TARNAME_MAX);
    char name[OFS_TARNAME_MAX + 2] = { 0 };

    (void)state;
    memset(name, 'x', OFS_TARNAME_MAX);
    assert_int_equal(ofs_tarname(NULL, name, &b, NULL), 0);
    assert_int_equal(b.len, OFS_TARNAME_MAX);
    name[OFS_TARNAME_MAX] = 'x';
    ofs_buf_reset(&b);
    assert_int_equal(ofs_tarname(NULL, name, &b, NULL), -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_have_one_form),
        cmocka_unit_test(a_name_has_a_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
