/* SPDX-License-Identifier: Apache-2.0 */
#include "image_test.h"

#include "layerpath.h"

static void names_are_below_the_root_whatever_they_say(void **state)
{
    static const struct {
        const char *name, *want;
    } rows[] = {
        { "a/b", "a/b" },
        { "/a/b", "a/b" },
        { "./a", "a" },
        { "a//b/./c/", "a/b/c" },
        { "d/../../../esc", "esc" },
        { "../../etc/passwd", "etc/passwd" },
        { "a/b/../../..", "" },
        { ".", "" },
        { "./", "" },
        { "/", "" },
        { "", "" },
        { "..", "" },
        { "a/..b/...", "a/..b/..." },
        { "\xff\xfe/caf\xe9", "\xff\xfe/caf\xe9" },
        { "a/../b/../c", "c" },
        { ".wh.a/..", "" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10000);

        assert_int_equal(ofs_layer_path(rows[i].name, strlen(rows[i].name), &b),
                         0);
        assert_string_equal(ofs_buf_str(&b), rows[i].want);
    }
}

/* What stands in the buffer already is not the path's to take away. */
static void what_stood_before_stays(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

    (void)state;
    assert_int_equal(ofs_buf_adds(&b, "root"), 0);
    assert_int_equal(ofs_layer_path("../../a/../x", 12, &b), 0);
    assert_string_equal(ofs_buf_str(&b), "rootx");
}

static void names_that_cannot_be_files_are_told(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100000);
    char name[5000];

    (void)state;
    memset(name, 'x', sizeof(name));
    assert_int_equal(ofs_layer_path(name, 255, &b), 0);
    assert_int_equal(ofs_layer_path(name, 256, &b), -ENAMETOOLONG);
    for (size_t i = 10; i < sizeof(name); i += 10)
        name[i] = '/';
    ofs_buf_reset(&b);
    assert_int_equal(ofs_layer_path(name, 4095, &b), 0);
    ofs_buf_reset(&b);
    assert_int_equal(ofs_layer_path(name, 4500, &b), -ENAMETOOLONG);
    assert_int_equal(ofs_layer_path("a\0b", 3, &b), -EBADMSG);
}

static void whiteouts_are_told_from_names(void **state)
{
    static const struct {
        const char *name;
        enum ofs_layer_mark want;
    } rows[] = {
        { "a", OFS_MARK_NONE },
        { ".wh", OFS_MARK_NONE },
        { "x.wh.a", OFS_MARK_NONE },
        { ".WH.a", OFS_MARK_NONE },
        { ".wh.a", OFS_MARK_WHITEOUT },
        { ".wh..a", OFS_MARK_WHITEOUT },
        { ".wh....", OFS_MARK_WHITEOUT },
        { ".wh.", OFS_MARK_BAD },
        { ".wh..", OFS_MARK_BAD },
        { ".wh...", OFS_MARK_BAD },
        { ".wh..wh..opq", OFS_MARK_OPAQUE },
        { ".wh..wh.plnk", OFS_MARK_HIDDEN },
        { ".wh..wh.aufs", OFS_MARK_HIDDEN },
        { ".wh..wh..opqx", OFS_MARK_HIDDEN },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(ofs_layer_mark(rows[i].name, strlen(rows[i].name)),
                         rows[i].want);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(names_are_below_the_root_whatever_they_say),
        cmocka_unit_test(what_stood_before_stays),
        cmocka_unit_test(names_that_cannot_be_files_are_told),
        cmocka_unit_test(whiteouts_are_told_from_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
