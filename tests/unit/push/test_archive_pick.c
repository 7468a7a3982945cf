/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_pick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

enum { MAX_NAMES = 4 };

static const struct {
    struct ofs_archive_name names[MAX_NAMES];
    size_t n;
    int image; /* -1: -EINVAL */
} rows[] = {
    /* the only one, whatever its name */
    { { { "other:9", 0 } }, 1, 0 },
    { { { NULL, 0 } }, 1, 0 },
    { { { "other:9", 3 }, { "another:8", 3 } }, 2, 3 },
    /* the one with the tag */
    { { { "app:1.4", 0 }, { "app:1.5", 1 } }, 2, 1 },
    { { { "1.5", 0 }, { "1.4", 1 } }, 2, 0 },
    { { { "host:5000/x/app:1.5", 0 }, { "host:5000/x/app:1.4", 1 } }, 2, 0 },
    { { { NULL, 0 }, { "app:1.5", 1 } }, 2, 1 },
    { { { "a:1.5", 1 }, { "b:1.5", 1 }, { "c:1", 0 } }, 3, 1 },
    /* of several with the tag the one of the repository */
    { { { "web:1.5", 0 }, { "quay.io/y/app:1.5", 1 } }, 2, 1 },
    { { { "myapp:1.5", 0 }, { "app:1.5", 1 } }, 2, 1 },
    /* none, or no telling */
    { { { NULL, 0 } }, 0, -1 },
    { { { "app:1.4", 0 }, { "app:1.6", 1 } }, 2, -1 },
    { { { "app:1.4", 0 }, { NULL, 1 } }, 2, -1 },
    { { { "web:1.5", 0 }, { "db:1.5", 1 } }, 2, -1 },
    { { { "a/app:1.5", 0 }, { "b/app:1.5", 1 } }, 2, -1 },
    { { { "1.5", 0 }, { "1.5", 1 } }, 2, -1 },
    { { { "host:1.5/app", 0 }, { "app:1", 1 } }, 2, -1 },
};

static void the_image_is_the_one_that_is_meant(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_err err = { 0 };
        size_t image = 99;
        int r = ofs_archive_pick(rows[i].names, rows[i].n, "prod/app", "1.5",
                                 &image, &err);
        int found = r == 0 ? (int)image : -1;

        if (found != rows[i].image || r != err.code)
            fail_msg("row %zu: %d, %s", i, found, err.text);
    }
}

static void the_names_found_are_told(void **state)
{
    const struct ofs_archive_name names[] = { { "app:1", 0 },
                                              { NULL, 1 },
                                              { "web:2", 2 } };
    struct ofs_archive_name many[100];
    struct ofs_err err = { 0 };
    size_t image;

    (void)state;
    assert_int_equal(ofs_archive_pick(names, 3, "app", "7", &image, &err),
                     -EINVAL);
    assert_string_equal(err.text,
                        "the archive holds several images, none of them tagged "
                        "'7': app:1, (no name), web:2");
    for (size_t i = 0; i < OFS_COUNT_OF(many); i++)
        many[i] = (struct ofs_archive_name){ "quay.io/some/app:7", i };
    assert_int_equal(ofs_archive_pick(many, 100, "app", "7", &image, &err),
                     -EINVAL);
    assert_non_null(strstr(err.text, "more than one of them"));
    assert_non_null(strstr(err.text, ", and 92 more"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_image_is_the_one_that_is_meant),
        cmocka_unit_test(the_names_found_are_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
