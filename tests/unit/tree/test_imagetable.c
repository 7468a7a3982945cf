/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "imagetable.h"

struct row {
    const char *content, *tag;
    int64_t created_s;
};

static struct ofs_digest digest_of(const char *content)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, content, strlen(content), &d),
                     0);
    return d;
}

static void build(const struct row *rows, size_t n, struct ofs_imagetable *ret)
{
    struct ofs_ora_images images = { .at = calloc(n + 1, sizeof(images.at[0])),
                                     .n = n };

    assert_non_null(images.at);
    for (size_t i = 0; i < n; i++) {
        struct ofs_ora_image *image = &images.at[i];

        image->digest = digest_of(rows[i].content);
        image->created_s = rows[i].created_s;
        if (!rows[i].tag)
            continue;
        image->versions = calloc(1, sizeof(image->versions[0]));
        assert_non_null(image->versions);
        image->versions[0].tag = strdup(rows[i].tag);
        image->n_versions = 1;
    }
    assert_int_equal(ofs_imagetable_build(&images, ret), 0);
    ofs_ora_images_done(&images);
}

static bool names(const struct ofs_imagetable *t, const char *tag,
                  const char *content)
{
    const struct ofs_digest want = digest_of(content);
    const struct ofs_digest *d = ofs_imagetable_of_tag(t, tag);

    return d && ofs_digest_eq(d, &want);
}

static int64_t created(const struct ofs_imagetable *t, const char *content)
{
    const struct ofs_digest d = digest_of(content);

    return ofs_imagetable_created(t, &d);
}

static void a_row_for_each_image_tells_one_tag_of_each(void **state)
{
    static const struct row rows[] = { { "a", "latest", 10 },
                                       { "b", "1.0", 20 },
                                       { "c", NULL, 30 } };
    OFS_AUTO(ofs_imagetable_done) struct ofs_imagetable t = { 0 };

    (void)state;
    build(rows, OFS_COUNT_OF(rows), &t);
    assert_true(names(&t, "latest", "a"));
    assert_true(names(&t, "1.0", "b"));
    assert_null(ofs_imagetable_of_tag(&t, "2.0"));
    assert_int_equal(created(&t, "a"), 10);
    assert_int_equal(created(&t, "c"), 30);
    assert_int_equal(created(&t, "d"), 0);
}

static void a_row_for_each_tag_tells_all(void **state)
{
    static const struct row rows[] = { { "a", "latest", 10 },
                                       { "a", "1.0", 10 },
                                       { "b", "0.9", 5 } };
    OFS_AUTO(ofs_imagetable_done) struct ofs_imagetable t = { 0 };

    (void)state;
    build(rows, OFS_COUNT_OF(rows), &t);
    assert_true(names(&t, "latest", "a"));
    assert_true(names(&t, "1.0", "a"));
    assert_true(names(&t, "0.9", "b"));
    assert_int_equal(created(&t, "a"), 10);
}

static void an_empty_list_tells_nothing(void **state)
{
    OFS_AUTO(ofs_imagetable_done) struct ofs_imagetable t = { 0 };

    (void)state;
    assert_null(ofs_imagetable_of_tag(&t, "latest"));
    build(NULL, 0, &t);
    assert_null(ofs_imagetable_of_tag(&t, "latest"));
    assert_int_equal(created(&t, "a"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_row_for_each_image_tells_one_tag_of_each),
        cmocka_unit_test(a_row_for_each_tag_tells_all),
        cmocka_unit_test(an_empty_list_tells_nothing),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
