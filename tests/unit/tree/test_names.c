/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "names.h"

#define HEX64 "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const struct parse_case {
    const char *name;
    enum ofs_name_kind kind;
    const char *base;
} parse_cases[] = {
    { "latest", OFS_NAME_PLAIN, "latest" },
    { "1.4.2", OFS_NAME_PLAIN, "1.4.2" },
    { "_x", OFS_NAME_PLAIN, "_x" }, /* a tag, no part of a repository */
    { "App", OFS_NAME_PLAIN, "App" },
    { "a--b", OFS_NAME_PLAIN, "a--b" },
    { "index.json", OFS_NAME_PLAIN, "index.json" },
    { "latest@tag", OFS_NAME_TAG, "latest" },
    { "blobs@tag", OFS_NAME_TAG, "blobs" },
    { "blobs@repository", OFS_NAME_REPOSITORY, "blobs" },
    { "tag@tag", OFS_NAME_TAG, "tag" },
    { "App@repository", OFS_NAME_NOBODY, NULL },
    { "_x@repository", OFS_NAME_NOBODY, NULL },
    { "prod@compartment", OFS_NAME_COMPARTMENT, "prod" },
    { "My Things@compartment", OFS_NAME_COMPARTMENT, "My Things" },
    { ".ocirfs@compartment", OFS_NAME_COMPARTMENT, ".ocirfs" },
    { "..@compartment", OFS_NAME_NOBODY, NULL },
    { "a/b@compartment", OFS_NAME_NOBODY, NULL },
    { "@compartment", OFS_NAME_NOBODY, NULL },
    { "@tag", OFS_NAME_NOBODY, NULL },
    { "@", OFS_NAME_NOBODY, NULL },
    { "latest@", OFS_NAME_NOBODY, NULL },
    { "latest@x", OFS_NAME_NOBODY, NULL },
    { "x@tag@tag", OFS_NAME_NOBODY, NULL },
    { "x@tag@repository", OFS_NAME_NOBODY, NULL },
    { "sha256:" HEX64, OFS_NAME_DIGEST, NULL },
    { "sha512:" HEX64 HEX64, OFS_NAME_DIGEST, NULL },
    { "sha256:" HEX64 "0", OFS_NAME_NOBODY, NULL },
    { "sha256:", OFS_NAME_NOBODY, NULL },
    { "md5:" HEX64, OFS_NAME_NOBODY, NULL },
    { "a:b", OFS_NAME_NOBODY, NULL },
    { "sha256:" HEX64 "@", OFS_NAME_NOBODY, NULL },
    { "", OFS_NAME_NOBODY, NULL },
    { ".", OFS_NAME_NOBODY, NULL },
    { "..", OFS_NAME_NOBODY, NULL },
    { "...", OFS_NAME_NOBODY, NULL },
    { ".git", OFS_NAME_NOBODY, NULL },
    { "-x", OFS_NAME_NOBODY, NULL },
    { "a b", OFS_NAME_NOBODY, NULL },
    { "a/b", OFS_NAME_NOBODY, NULL },
    { "a\nb", OFS_NAME_NOBODY, NULL },
    { "\xc3\xa4", OFS_NAME_NOBODY, NULL }, /* valid UTF-8, no valid name */
    { "a\xff", OFS_NAME_NOBODY, NULL },
};

static void a_name_is_what_the_specification_lets_it_be(void **state)
{
    struct ofs_name n;

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(parse_cases); i++) {
        const struct parse_case *c = &parse_cases[i];

        assert_int_equal(ofs_name_parse(c->name, &n), 0);
        if (n.kind != c->kind)
            fail_msg("'%s' is %d", c->name, (int)n.kind);
        if (c->base)
            assert_string_equal(n.base, c->base);
        assert_int_equal(n.digest.alg != 0, c->kind == OFS_NAME_DIGEST);
    }
}

static void names_end_at_255_bytes(void **state)
{
    char name[NAME_MAX + 2];
    struct ofs_name n;

    (void)state;
    memset(name, 'a', sizeof(name));
    name[NAME_MAX + 1] = '\0';
    assert_int_equal(ofs_name_parse(name, &n), -ENAMETOOLONG);
    name[NAME_MAX] = '\0';
    assert_int_equal(ofs_name_parse(name, &n), 0);
    assert_int_equal(n.kind, OFS_NAME_PLAIN);
    /* A tag ends before that, and capitals are for tags only. */
    name[0] = 'A';
    assert_int_equal(ofs_name_parse(name, &n), 0);
    assert_int_equal(n.kind, OFS_NAME_NOBODY);
}

static void the_loser_of_a_collision_gets_its_long_name(void **state)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    char text[NAME_MAX + 1];

    (void)state;
    assert_int_equal(ofs_strv_add(&parts, "blobs"), 0);
    assert_int_equal(ofs_strv_add(&parts, "web"), 0);

    assert_string_equal(ofs_name_of_part("web", true, text), "web");
    assert_string_equal(ofs_name_of_part("blobs", true, text),
                        "blobs@repository");
    assert_string_equal(ofs_name_of_part("index.json", true, text),
                        "index.json@repository");
    assert_string_equal(ofs_name_of_part("blobs", false, text), "blobs");

    assert_string_equal(ofs_name_of_tag("1.0", &parts, text), "1.0");
    assert_string_equal(ofs_name_of_tag("web", &parts, text), "web@tag");
    assert_string_equal(ofs_name_of_tag("blobs", &parts, text), "blobs@tag");
    assert_string_equal(ofs_name_of_tag("oci-layout", &parts, text),
                        "oci-layout@tag");
}

static const struct {
    const char *name;
    bool valid;
} compartment_cases[] = {
    { "prod", true },  { "Prod_1.x-y", true }, { "-x", true },
    { ".git", true },  { "a b", true },        { "\xc3\xa4", true },
    { "", false },     { ".", false },         { "..", false },
    { "a/b", false },  { "a@b", false },       { "a:b", false },
    { "a\nb", false }, { "a\x7f", false },
};

static void a_compartment_is_called_what_a_file_may_be(void **state)
{
    char name[NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(compartment_cases); i++)
        if (ofs_name_is_compartment(compartment_cases[i].name) !=
            compartment_cases[i].valid)
            fail_msg("'%s'", compartment_cases[i].name);
    /* With its suffix it must still be a file name. */
    memset(name, 'a', sizeof(name));
    name[NAME_MAX - strlen("@compartment")] = '\0';
    assert_true(ofs_name_is_compartment(name));
    name[strlen(name)] = 'a';
    name[NAME_MAX] = '\0';
    assert_false(ofs_name_is_compartment(name));
}

static void a_compartment_yields_to_a_part_and_to_the_mount(void **state)
{
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    char text[NAME_MAX + 1];

    (void)state;
    assert_int_equal(ofs_strv_add(&parts, "web"), 0);
    assert_string_equal(ofs_name_of_compartment("prod", &parts, text), "prod");
    assert_string_equal(ofs_name_of_compartment("blobs", &parts, text),
                        "blobs");
    assert_string_equal(ofs_name_of_compartment("web", &parts, text),
                        "web@compartment");
    assert_string_equal(ofs_name_of_compartment(".ocirfs", &parts, text),
                        ".ocirfs@compartment");
}

static void what_is_listed_is_found_again(void **state)
{
    static const char *const tags[] = { "1.0", "web", "blobs", "index.json" };
    OFS_AUTOSTRV struct ofs_strv parts = { 0 };
    char text[NAME_MAX + 1];
    struct ofs_name n;

    (void)state;
    assert_int_equal(ofs_strv_add(&parts, "web"), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(tags); i++) {
        const char *shown = ofs_name_of_tag(tags[i], &parts, text);

        assert_int_equal(ofs_name_parse(shown, &n), 0);
        assert_string_equal(n.base, tags[i]);
        assert_int_equal(n.kind, i == 0 ? OFS_NAME_PLAIN : OFS_NAME_TAG);
    }
}

static const struct join_case {
    const char *dir, *part, *path; /* path NULL: there is none */
} join_cases[] = {
    { "", "a", "a" },     { "a", "b", "a/b" }, { "a/b", "c", "a/b/c" },
    { "a", "B", NULL },   { "a", "..", NULL }, { "", ".ocirfs", NULL },
    { "a", "b/c", NULL }, { "a", "", NULL },
};

static void paths_are_joined_and_taken_apart(void **state)
{
    char path[NAME_MAX + 1], above[NAME_MAX + 1];

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(join_cases); i++) {
        const struct join_case *c = &join_cases[i];
        int r = ofs_path_join(c->dir, c->part, path);

        assert_int_equal(r, c->path ? 0 : -ENOENT);
        if (!c->path)
            continue;
        assert_string_equal(path, c->path);
        ofs_path_parent(path, above);
        assert_string_equal(above, c->dir);
    }
}

static void a_path_that_no_repository_can_have_is_none(void **state)
{
    char dir[NAME_MAX + 1], path[NAME_MAX + 1];

    (void)state;
    memset(dir, 'a', sizeof(dir));
    dir[NAME_MAX - 2] = '\0';
    assert_int_equal(ofs_path_join(dir, "b", path), 0);
    assert_int_equal(strlen(path), NAME_MAX);
    assert_int_equal(ofs_path_join(dir, "bc", path), -ENOENT);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_is_what_the_specification_lets_it_be),
        cmocka_unit_test(names_end_at_255_bytes),
        cmocka_unit_test(the_loser_of_a_collision_gets_its_long_name),
        cmocka_unit_test(a_compartment_is_called_what_a_file_may_be),
        cmocka_unit_test(a_compartment_yields_to_a_part_and_to_the_mount),
        cmocka_unit_test(what_is_listed_is_found_again),
        cmocka_unit_test(paths_are_joined_and_taken_apart),
        cmocka_unit_test(a_path_that_no_repository_can_have_is_none),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
