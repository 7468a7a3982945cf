/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "comptree.h"

#define TENANCY "ocid1.tenancy.oc1..ten"

struct row {
    const char *id, *parent, *name;
};

/* Lists of the service, and the tree as text: names in braces below each. */
static const struct {
    const char *what;
    struct row rows[8];
    const char *wanted; /* NULL: the tenancy */
    const char *tree;   /* NULL: -ENOENT */
} cases[] = {
    { "nothing", { { 0 } }, NULL, "" },
    { "a tree",
      { { "c2", "c1", "eu" }, { "c1", TENANCY, "prod" }, { "c3", "c1", "us" } },
      NULL,
      "prod{eu us}" },
    { "one said twice",
      { { "c1", TENANCY, "prod" }, { "c1", TENANCY, "prod" } },
      NULL,
      "prod" },
    { "parents that are not there",
      { { "c1", "gone", "prod" }, { "c2", "c1", "eu" }, { "c3", "gone", "x" } },
      NULL,
      "prod{eu} x" },
    { "its own parent", { { "c1", "c1", "me" } }, NULL, "me" },
    { "a circle",
      { { "c1", "c2", "a" }, { "c2", "c3", "b" }, { "c3", "c1", "c" } },
      NULL,
      "a{c{b}}" },
    { "the way into a circle",
      { { "c1", "c3", "in" }, { "c2", "c3", "b" }, { "c3", "c2", "c" } },
      NULL,
      "c{b in}" },
    { "the same name in other places",
      { { "c1", TENANCY, "a" }, { "c2", "c1", "a" }, { "c3", "c2", "a" } },
      NULL,
      "a{a{a}}" },
    { "an orphan with a name that is taken",
      { { "c1", TENANCY, "eu" }, { "c2", "gone", "eu" }, { "c3", "x", "eu" } },
      NULL,
      "c2 c3 eu" },
    { "what is no file name",
      { { "c1", TENANCY, ".." },
        { "c2", TENANCY, "a/b" },
        { "c3", TENANCY, "a@b" },
        { "c4", TENANCY, "" },
        { "c5", TENANCY, "A b" },
        { "c6", TENANCY, ".hidden" } },
      NULL,
      ".hidden A b c1 c2 c3 c4" },
    { "the tenancy by its OCID", { { "c1", TENANCY, "a" } }, TENANCY, "a" },
    { "a part by names",
      { { "c1", TENANCY, "prod" },
        { "c2", "c1", "eu" },
        { "c3", "c2", "app" },
        { "c4", TENANCY, "dev" } },
      "prod/eu",
      "app" },
    { "the same with slashes to spare",
      { { "c1", TENANCY, "prod" }, { "c2", "c1", "eu" } },
      "/prod//",
      "eu" },
    { "a part by OCID",
      { { "c1", TENANCY, "prod" },
        { "ocid1.c2", "c1", "eu" },
        { "c3", "ocid1.c2", "app" } },
      "ocid1.c2",
      "app" },
    { "an OCID that nobody lists",
      { { "c1", TENANCY, "prod" } },
      "ocid1.compartment.oc1..other",
      "" },
    { "no such name", { { "c1", TENANCY, "prod" } }, "dev", NULL },
    { "no such name below", { { "c1", TENANCY, "prod" } }, "prod/eu", NULL },
};

static void list_of(const struct row *rows, struct ofs_ora_compartments *ret)
{
    ret->at = calloc(8, sizeof(ret->at[0]));
    assert_non_null(ret->at);
    for (; rows[ret->n].id; ret->n++)
        ret->at[ret->n] = (struct ofs_ora_compartment){
            .id = strdup(rows[ret->n].id),
            .parent_id = strdup(rows[ret->n].parent),
            .name = strdup(rows[ret->n].name),
            .created_s = (int64_t)ret->n + 1,
        };
}

static int by_name(const void *a, const void *b)
{
    const struct ofs_compartment *const *x = a, *const *y = b;

    return strcmp((*x)->name, (*y)->name);
}

static void draw(const struct ofs_comptree *t, size_t parent, char *text)
{
    const struct ofs_compartment *at[8];
    size_t n = 0;

    for (size_t i = 1; i < t->n; i++)
        if (t->at[i].parent == parent)
            at[n++] = &t->at[i];
    qsort(at, n, sizeof(at[0]), by_name);
    for (size_t i = 0; i < n; i++) {
        size_t len;

        (void)strcat(text, i > 0 ? " " : "");
        (void)strcat(text, at[i]->name);
        len = strlen(text);
        (void)strcat(text, "{");
        draw(t, (size_t)(at[i] - t->at), text);
        if (text[len + 1])
            (void)strcat(text, "}");
        else
            text[len] = '\0';
    }
}

static void every_compartment_has_a_place(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTO(ofs_comptree_done) struct ofs_comptree t = { 0 };
        struct ofs_ora_compartments list = { 0 };
        char text[256] = "";
        int r;

        list_of(cases[i].rows, &list);
        r = ofs_comptree_build(&list, TENANCY, cases[i].wanted, &t);
        assert_int_equal(r, cases[i].tree ? 0 : -ENOENT);
        draw(&t, 0, text);
        if (cases[i].tree && strcmp(text, cases[i].tree) != 0)
            fail_msg("%s: '%s'", cases[i].what, text);
        ofs_ora_compartments_done(&list);
    }
}

static void they_are_found_by_scope_ocid_and_name(void **state)
{
    static const struct row rows[] = { { "c1", TENANCY, "prod" },
                                       { "c2", "c1", "eu" },
                                       { "c3", "gone", "prod" },
                                       { 0 } };
    OFS_AUTO(ofs_comptree_done) struct ofs_comptree t = { 0 };
    struct ofs_ora_compartments list = { 0 };
    const struct ofs_compartment *prod, *eu;

    (void)state;
    list_of(rows, &list);
    assert_int_equal(ofs_comptree_build(&list, TENANCY, NULL, &t), 0);
    ofs_ora_compartments_done(&list);
    assert_ptr_equal(ofs_comptree_of_scope(&t, OFS_SCOPE_TOP), &t.at[0]);
    assert_string_equal(t.at[0].id, TENANCY);
    prod = ofs_comptree_child(&t, &t.at[0], "prod");
    assert_non_null(prod);
    assert_string_equal(prod->id, "c1");
    assert_int_equal(prod->created_s, 1);
    assert_ptr_equal(ofs_comptree_child(&t, &t.at[0], "c1"), prod);
    assert_string_equal(ofs_comptree_child(&t, &t.at[0], "c3")->name, "c3");
    assert_null(ofs_comptree_child(&t, &t.at[0], "eu"));
    assert_null(ofs_comptree_child(&t, &t.at[0], ""));
    eu = ofs_comptree_child(&t, prod, "eu");
    assert_ptr_equal(ofs_comptree_of_id(&t, "c2"), eu);
    assert_ptr_equal(ofs_comptree_of_scope(&t, eu->scope), eu);
    assert_true(eu->scope > OFS_SCOPE_TOP && eu->scope != prod->scope);
    assert_null(ofs_comptree_of_scope(&t, OFS_SCOPE_NONE));
    assert_null(ofs_comptree_of_id(&t, "c4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_compartment_has_a_place),
        cmocka_unit_test(they_are_found_by_scope_ocid_and_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
