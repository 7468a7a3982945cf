/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/ref.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static const struct {
    const char *name;
    bool repo, part;
} repos[] = {
    { "a", true, true },
    { "0", true, true },
    { "alpine", true, true },
    { "a.b", true, true },
    { "a_b", true, true },
    { "a__b", true, true },
    { "a-b", true, true },
    { "a---b", true, true },
    { "a.b_c__d-e--f", true, true },
    { "a/b", true, false },
    { "ns/project01/web", true, false },
    { "a/b-c/d__e", true, false },
    { "", false, false },
    { "/", false, false },
    { "/a", false, false },
    { "a/", false, false },
    { "a//b", false, false },
    { "A", false, false },
    { "aB", false, false },
    { ".", false, false },
    { "..", false, false },
    { "../a", false, false },
    { "a/..", false, false },
    { "a/../b", false, false },
    { ".a", false, false },
    { "a.", false, false },
    { "a..b", false, false },
    { "_a", false, false },
    { "a_", false, false },
    { "a___b", false, false },
    { "-a", false, false },
    { "a-", false, false },
    { "a.-b", false, false },
    { "a-_b", false, false },
    { "a_.b", false, false },
    { "a b", false, false },
    { "a:b", false, false },
    { "a@b", false, false },
    { "a%2fb", false, false },
    { "a?b", false, false },
    { "a\nb", false, false },
    { "\xc3\xa4", false, false },
};

static void repository_names_follow_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(repos) / sizeof(repos[0]); i++) {
        if (ofs_repo_is_valid(repos[i].name) != repos[i].repo ||
            ofs_repo_part_is_valid(repos[i].name) != repos[i].part)
            fail_msg("'%s'", repos[i].name);
    }
}

static const struct {
    const char *name;
    bool valid;
} tags[] = {
    { "latest", true },     { "1.4.2", true },   { "_", true },
    { "V1", true },         { "a-b.c_d", true }, { "0", true },
    { "a..b", true },       { "a--", true },     { "sha256-00ff.sig", true },
    { "", false },          { ".", false },      { "..", false },
    { ".a", false },        { "-a", false },     { "a/b", false },
    { "a:b", false },       { "a@", false },     { "a b", false },
    { "a\n", false },       { "a+b", false },    { "\xc3\xa4", false },
    { "sha256:00", false }, { "a%", false },
};

static void tags_follow_the_grammar(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++) {
        if (ofs_tag_is_valid(tags[i].name) != tags[i].valid)
            fail_msg("'%s'", tags[i].name);
    }
}

static void lengths_have_limits(void **state)
{
    char text[257];

    (void)state;
    memset(text, 'a', sizeof(text));
    text[256] = '\0';
    assert_false(ofs_repo_is_valid(text));
    assert_false(ofs_repo_part_is_valid(text));
    text[255] = '\0';
    assert_true(ofs_repo_is_valid(text));
    assert_true(ofs_repo_part_is_valid(text));
    text[100] = '/';
    assert_true(ofs_repo_is_valid(text));
    text[100] = 'a';
    text[129] = '\0';
    assert_false(ofs_tag_is_valid(text));
    text[128] = '\0';
    assert_true(ofs_tag_is_valid(text));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(repository_names_follow_the_grammar),
        cmocka_unit_test(tags_follow_the_grammar),
        cmocka_unit_test(lengths_have_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
