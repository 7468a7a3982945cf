/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "tenancy_priv.h"

static int parse(const char *text, struct ofs_tenancy_note *ret)
{
    memset(ret, 0, sizeof(*ret));
    return ofs_note_parse_tenancy(text, strlen(text), ret);
}

static void what_was_known_comes_back(void **state)
{
    OFS_AUTO(ofs_tenancy_note_done) struct ofs_tenancy_note n;

    (void)state;
    assert_int_equal(parse("ocirfs tenancy 1 all ns\n"
                           "c ocid1.c ocid1.t 1709280000 A b\n"
                           "r ocid1.r ocid1.c 1714644672 team/web\n",
                           &n),
                     0);
    assert_string_equal(n.ns, "ns");
    assert_false(n.each);
    assert_int_equal(n.known.compartments.n, 1);
    assert_string_equal(n.known.compartments.at[0].id, "ocid1.c");
    assert_string_equal(n.known.compartments.at[0].parent_id, "ocid1.t");
    assert_string_equal(n.known.compartments.at[0].name, "A b");
    assert_int_equal(n.known.compartments.at[0].created_s, 1709280000);
    assert_int_equal(n.known.repos.n, 1);
    assert_string_equal(n.known.repos.at[0].name, "team/web");
    assert_string_equal(n.known.repos.at[0].namespace_name, "ns");
    assert_int_equal(n.known.repos.at[0].is_immutable, -1);
}

static void compartments_that_were_asked_are_named(void **state)
{
    OFS_AUTO(ofs_tenancy_note_done) struct ofs_tenancy_note n;

    (void)state;
    assert_int_equal(parse("ocirfs tenancy 1 each -\n"
                           "a ocid1.c - 0 -\n"
                           "r ocid1.r ocid1.c 0 no/namespace\n",
                           &n),
                     0);
    assert_null(n.ns);
    assert_true(n.each);
    assert_int_equal(n.asked.n, 1);
    assert_string_equal(n.asked.at[0], "ocid1.c");
    assert_int_equal(n.known.repos.n, 0);
}

static void a_line_that_cannot_be_read_is_passed_over(void **state)
{
    OFS_AUTO(ofs_tenancy_note_done) struct ofs_tenancy_note n;

    (void)state;
    assert_int_equal(parse("ocirfs tenancy 1 all ns\n"
                           "\n"
                           "c\n"
                           "c ocid1.c\n"
                           "c ocid1.c ocid1.t\n"
                           "c ocid1.c ocid1.t 12\n"
                           "c ocid1.c ocid1.t 12 \n"
                           "c ocid1.c ocid1.t twelve x\n"
                           "c ocid1.c ocid1.t -1 x\n"
                           "c  ocid1.t 12 x\n"
                           "cc ocid1.c ocid1.t 12 x\n"
                           "x ocid1.c ocid1.t 12 x\n"
                           "r ocid1.r ocid1.c 1 good\n"
                           "r ocid1.r ocid1.c 1 cut off",
                           &n),
                     0);
    assert_int_equal(n.known.compartments.n, 0);
    assert_int_equal(n.known.repos.n, 1);
}

static void other_notes_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "ocirfs tenancy 1\n",
        "ocirfs tenancy 1 all\n",
        "ocirfs tenancy 1 all \n",
        "ocirfs tenancy 2 all ns\n",
        "ocirfs tags 1 listed\n",
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(texts); i++) {
        OFS_AUTO(ofs_tenancy_note_done) struct ofs_tenancy_note n;

        assert_int_equal(parse(texts[i], &n), -EBADMSG);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_known_comes_back),
        cmocka_unit_test(compartments_that_were_asked_are_named),
        cmocka_unit_test(a_line_that_cannot_be_read_is_passed_over),
        cmocka_unit_test(other_notes_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
