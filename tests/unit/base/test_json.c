/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/json.h"

/* A target with one member of each kind. */
struct target {
    char *str;
    uint64_t u64;
    bool yes;
    struct ofs_strv strv;
    json_t *obj;
};

static const struct ofs_json_field fields[] = {
    { "str", OFS_JSON_STR, offsetof(struct target, str), true },
    { "u64", OFS_JSON_U64, offsetof(struct target, u64), false },
    { "yes", OFS_JSON_BOOL, offsetof(struct target, yes), false },
    { "strv", OFS_JSON_STRV, offsetof(struct target, strv), false },
    { "obj", OFS_JSON_OBJ, offsetof(struct target, obj), false },
    { 0 },
};

static void target_done(struct target *t)
{
    free(t->str);
    ofs_strv_done(&t->strv);
}

static json_t *parse(const char *text)
{
    json_t *doc = NULL;
    int r = ofs_json_parse(text, strlen(text), &doc, NULL);

    if (r < 0)
        fail_msg("%s: %d", text, r);
    return doc;
}

static void every_kind_is_decoded(void **state)
{
    OFS_AUTOJSON json_t *doc =
        parse("{\"unknown\":[1.5],\"str\":\"s\",\"u64\":9223372036854775807,"
              "\"yes\":true,\"strv\":[\"a\",\"b\"],\"obj\":{\"x\":1}}");
    OFS_AUTO(target_done) struct target t = { 0 };

    (void)state;
    assert_int_equal(ofs_json_decode(doc, fields, &t, NULL), 0);
    assert_string_equal(t.str, "s");
    assert_int_equal(t.u64, INT64_MAX);
    assert_true(t.yes);
    assert_int_equal(t.strv.n, 2);
    assert_string_equal(t.strv.at[1], "b");
    assert_ptr_equal(t.obj, json_object_get(doc, "obj"));
}

static void absent_and_null_leave_members_alone(void **state)
{
    OFS_AUTOJSON json_t *doc =
        parse("{\"str\":\"\",\"u64\":null,\"yes\":null,\"strv\":null}");
    OFS_AUTO(target_done) struct target t = { .u64 = 5, .yes = true };

    (void)state;
    assert_int_equal(ofs_json_decode(doc, fields, &t, NULL), 0);
    assert_string_equal(t.str, "");
    assert_int_equal(t.u64, 5);
    assert_true(t.yes);
    assert_null(t.obj);
}

static void lists_count_as_documents_inside(void **state)
{
    OFS_AUTOJSON json_t *doc = parse("{\"str\":\"\",\"obj\":[1],"
                                     "\"yes\":false,\"strv\":[]}");
    OFS_AUTO(target_done) struct target t = { .yes = true };

    (void)state;
    assert_int_equal(ofs_json_decode(doc, fields, &t, NULL), 0);
    assert_int_equal(json_array_size(t.obj), 1);
    assert_false(t.yes);
    assert_int_equal(t.strv.n, 0);
}

static void what_does_not_fit_is_named(void **state)
{
    static const struct {
        const char *text, *want;
    } rows[] = {
        { "[]", "not a JSON object" },
        { "{}", "'str' is missing" },
        { "{\"str\":null}", "'str' is missing" },
        { "{\"str\":1}", "'str' is not a string" },
        { "{\"str\":\"a\\u0000b\"}", "'str' is not a string" },
        { "{\"str\":\"\",\"u64\":-1}", "'u64' is not a whole number" },
        { "{\"str\":\"\",\"u64\":1.0}", "'u64' is not a whole number" },
        { "{\"str\":\"\",\"u64\":\"1\"}", "'u64' is not a whole number" },
        { "{\"str\":\"\",\"yes\":1}", "'yes' is not true or false" },
        { "{\"str\":\"\",\"strv\":{}}", "'strv' is not a list of strings" },
        { "{\"str\":\"\",\"strv\":[\"a\",null]}",
          "'strv' is not a list of strings" },
        { "{\"str\":\"\",\"strv\":[\"a\\u0000\"]}",
          "'strv' is not a list of strings" },
        { "{\"str\":\"\",\"obj\":\"\"}", "'obj' is not an object or a list" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOJSON json_t *doc = parse(rows[i].text);
        OFS_AUTO(target_done) struct target t = { 0 };
        struct ofs_err err = { 0 };

        assert_int_equal(ofs_json_decode(doc, fields, &t, &err), -EBADMSG);
        assert_string_equal(err.text, rows[i].want);
    }
    assert_int_equal(ofs_json_decode(NULL, fields, NULL, NULL), -EBADMSG);
}

static void what_is_not_json_is_refused_with_its_place(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "nonsense",
        "1",
        "\"text\"",
        "{} {}",
        "{}x",
        "{'a':1}",
        "{\"a\":}",
        "[1,]",
        "[\"\n\"]",
        "[\"\xff\"]",
        "[\"\\ud800\"]",
        "[01]",
        "[99999999999999999999]",
        "\xef\xbb\xbf{}",
        "[\"\\",
        "\"[[[[",
        "]]]]",
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(texts); i++) {
        json_t *doc = NULL;
        struct ofs_err err = { 0 };

        if (ofs_json_parse(texts[i], strlen(texts[i]), &doc, &err) != -EBADMSG)
            fail_msg("taken: %s", texts[i]);
        assert_null(doc);
        assert_non_null(strstr(err.text, "not JSON in line "));
    }
}

/* Answers of a token server are JSON, too. */
static void a_mistake_does_not_quote_the_document(void **state)
{
    static const char text[] = "{\"token\": \"hunter2\" hunter3";
    struct ofs_err err = { 0 };
    json_t *doc;

    (void)state;
    assert_int_equal(ofs_json_parse(text, sizeof(text) - 1, &doc, &err),
                     -EBADMSG);
    assert_null(strstr(err.text, "hunter"));
}

static void only_the_given_bytes_are_read(void **state)
{
    json_t *doc = NULL;

    (void)state;
    assert_int_equal(ofs_json_parse("{}garbage", 2, &doc, NULL), 0);
    json_decref(doc);
    assert_int_equal(ofs_json_parse("{}\0", 3, &doc, NULL), -EBADMSG);
}

static void the_last_of_two_equal_names_counts(void **state)
{
    OFS_AUTOJSON json_t *doc = parse("{\"a\":1,\"a\":2}");

    (void)state;
    assert_int_equal(json_integer_value(json_object_get(doc, "a")), 2);
}

/* `depth` opening brackets, `middle`, as many closing ones. */
static int parse_nested(int depth, const char *middle, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 22);
    json_t *doc = NULL;
    int r;

    for (int i = 0; i < depth; i++)
        (void)ofs_buf_addc(&b, '[');
    (void)ofs_buf_adds(&b, middle);
    for (int i = 0; i < depth; i++)
        (void)ofs_buf_addc(&b, ']');
    r = ofs_json_parse(ofs_buf_str(&b), b.len, &doc, err);
    if (r == 0)
        json_decref(doc);
    return r;
}

static void depth_is_limited_outside_of_strings_only(void **state)
{
    static const char *const harmless[] = {
        "",
        "[]",
        "{}",
        "\"[[[{{{\"",
        "\"\\\"[[[\"",
        "\"\\\\\",\"[[[\"",
        "[],[],[{}],\"]]]\",{}",
    };
    struct ofs_err err;

    (void)state;
    assert_int_equal(parse_nested(64, "", NULL), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(harmless); i++)
        assert_int_equal(parse_nested(62, harmless[i], NULL), 0);
    assert_int_equal(parse_nested(65, "", &err), -EBADMSG);
    assert_string_equal(err.text, "JSON nested deeper than 64 levels at byte "
                                  "64");
    assert_int_equal(parse_nested(64, "\"\\\\\",[\"\"]", &err), -EBADMSG);
    assert_non_null(strstr(err.text, "deeper"));
    assert_int_equal(parse_nested(1000 * 1000, "", &err), -EBADMSG);
    assert_non_null(strstr(err.text, "deeper"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_is_decoded),
        cmocka_unit_test(absent_and_null_leave_members_alone),
        cmocka_unit_test(lists_count_as_documents_inside),
        cmocka_unit_test(what_does_not_fit_is_named),
        cmocka_unit_test(what_is_not_json_is_refused_with_its_place),
        cmocka_unit_test(a_mistake_does_not_quote_the_document),
        cmocka_unit_test(only_the_given_bytes_are_read),
        cmocka_unit_test(the_last_of_two_equal_names_counts),
        cmocka_unit_test(depth_is_limited_outside_of_strings_only),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
