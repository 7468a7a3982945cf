/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "catalog.h"
#include "tags_note.h"

#define DIGEST                                                                 \
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void repo_done(struct ofs_repo *repo)
{
    ofs_tags_done(&repo->tags);
}

static int parse(const char *text, struct ofs_repo *repo)
{
    return ofs_note_parse_tags(text, strlen(text), repo);
}

static void tags_come_back_as_they_were_written(void **state)
{
    static const char text[] = "ocirfs tags 1 listed\n"
                               "1.0 " DIGEST " 1155 1735689600 a/b+json\n"
                               "latest\n";
    OFS_AUTO(repo_done) struct ofs_repo repo = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    const struct ofs_tag *tag;

    (void)state;
    assert_int_equal(parse(text, &repo), 0);
    assert_int_equal(repo.list.state, OFS_LIST_KNOWN);
    assert_int_equal(repo.list.at_ms, OFS_LONG_AGO);
    assert_int_equal(repo.tags.n, 2);
    tag = ofs_tags_find(&repo.tags, "1.0");
    assert_true(tag->known);
    assert_int_equal(tag->at_ms, OFS_LONG_AGO);
    assert_int_equal(tag->info.size, 1155);
    assert_int_equal(tag->info.mtime_s, 1735689600);
    assert_string_equal(tag->info.media_type, "a/b+json");
    assert_false(ofs_tags_find(&repo.tags, "latest")->known);
    assert_int_equal(ofs_note_format_tags(&repo, &b), 0);
    assert_string_equal(ofs_buf_str(&b), text);
}

static void a_list_that_was_never_had_is_not_known(void **state)
{
    OFS_AUTO(repo_done) struct ofs_repo repo = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);

    (void)state;
    assert_int_equal(parse("ocirfs tags 1 partly\nx\n", &repo), 0);
    assert_int_equal(repo.list.state, OFS_LIST_UNKNOWN);
    assert_int_equal(ofs_note_format_tags(&repo, &b), 0);
    assert_string_equal(ofs_buf_str(&b), "ocirfs tags 1 partly\nx\n");
}

static void lines_that_cannot_be_read_are_passed_over(void **state)
{
    static const char text[] = "ocirfs tags 1 listed\n"
                               "\n"
                               " \n"
                               "../../etc/passwd " DIGEST " 1 1 a/b\n"
                               "a sha256:00 1 1 a/b\n"
                               "b " DIGEST " -1 1 a/b\n"
                               "c " DIGEST " 1 1\n"
                               "d " DIGEST " 1 1 \n"
                               "e " DIGEST " 1 1 a b\n"
                               "f " DIGEST " 99999999999999999999 1 a/b\n"
                               "g " DIGEST " 1 1 a/b\n"
                               "torn off " DIGEST;
    OFS_AUTO(repo_done) struct ofs_repo repo = { 0 };

    (void)state;
    assert_int_equal(parse(text, &repo), 0);
    assert_int_equal(repo.tags.n, 7);
    for (size_t i = 0; i < repo.tags.n; i++)
        assert_int_equal(repo.tags.at[i].known, i == 6);
    assert_null(ofs_tags_find(&repo.tags, "torn"));
}

static void what_is_no_note_is_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "\n",
        "ocirfs tags 2 listed\nx\n",
        "ocirfs tags 1 listed",
        "ocirfs catalog 1 listed\nx\n",
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(texts); i++) {
        OFS_AUTO(repo_done) struct ofs_repo repo = { 0 };

        assert_int_equal(parse(texts[i], &repo), -EBADMSG);
        assert_int_equal(repo.tags.n, 0);
        assert_int_equal(repo.list.state, OFS_LIST_UNKNOWN);
    }
}

static void a_type_with_blanks_in_it_is_not_written(void **state)
{
    OFS_AUTO(repo_done) struct ofs_repo repo = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    struct ofs_tag_info info = { .media_type = strdup("a/b\nevil x") };

    (void)state;
    assert_int_equal(ofs_digest_parse(DIGEST, &info.digest, NULL), 0);
    ofs_tag_set(ofs_tags_need(&repo.tags, "x"), 1, &info);
    assert_int_equal(ofs_note_format_tags(&repo, &b), 0);
    assert_string_equal(ofs_buf_str(&b), "ocirfs tags 1 partly\nx\n");
}

static void a_catalog_comes_back(void **state)
{
    static const char text[] = "ocirfs catalog 1 listed\nb\na/b\nBad\n\na/b\n";
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    bool none = true;

    (void)state;
    assert_int_equal(ofs_note_parse_names(text, strlen(text), &names, &none),
                     0);
    assert_false(none);
    assert_int_equal(names.n, 2);
    assert_string_equal(names.at[0], "a/b");
    assert_int_equal(ofs_note_format_names(&names, none, &b), 0);
    assert_string_equal(ofs_buf_str(&b), "ocirfs catalog 1 listed\na/b\nb\n");
}

static void that_there_is_no_catalog_is_remembered(void **state)
{
    static const char text[] = "ocirfs catalog 1 none\n";
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    bool none = false;

    (void)state;
    assert_int_equal(ofs_note_parse_names(text, strlen(text), &names, &none),
                     0);
    assert_true(none);
    assert_int_equal(ofs_note_format_names(&names, none, &b), 0);
    assert_string_equal(ofs_buf_str(&b), text);
    assert_int_equal(ofs_note_parse_names("x\n", 2, &names, &none), -EBADMSG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tags_come_back_as_they_were_written),
        cmocka_unit_test(a_list_that_was_never_had_is_not_known),
        cmocka_unit_test(lines_that_cannot_be_read_are_passed_over),
        cmocka_unit_test(what_is_no_note_is_refused),
        cmocka_unit_test(a_type_with_blanks_in_it_is_not_written),
        cmocka_unit_test(a_catalog_comes_back),
        cmocka_unit_test(that_there_is_no_catalog_is_remembered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
