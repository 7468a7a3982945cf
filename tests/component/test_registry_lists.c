/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#define LIST    "GET /v2/a/b/tags/list*"
#define CATALOG "GET /v2/_catalog*"

static int tags(struct rig *rig, struct ofs_strv *ret)
{
    return ofs_registry_tags(rig->r, &rig->call, "a/b", ret, &rig->err);
}

static struct fake_image some_image(struct rig *rig)
{
    return fake_registry_image(rig->fake, "a/b", NULL, 1, 1, 10);
}

static void canned(struct rig *rig, const char *path, int status,
                   const char *headers, const char *body)
{
    fake_server_canned(rig->server, path, status, headers, body);
}

static void ten_thousand_tags_are_about_ten_requests(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct fake_image image;

    (void)state;
    rig_start(&rig, NULL);
    image = some_image(&rig);
    fake_registry_many_tags(rig.fake, "a/b", "t", 10000, &image.manifest);
    assert_int_equal(tags(&rig, &names), 0);
    assert_int_equal(names.n, 10000);
    assert_string_equal(names.at[0], "t0000");
    assert_string_equal(names.at[9999], "t9999");
    assert_in_range(rig_count(&rig, LIST), 10, 11);
    assert_int_equal(fake_server_connections(rig.server), 1);
}

static void links_of_all_kinds_are_followed(void **state)
{
    static const enum fake_link links[] = { FAKE_LINK_RELATIVE,
                                            FAKE_LINK_ABSOLUTE,
                                            FAKE_LINK_UNQUOTED };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(links); i++) {
        const struct rig_cfg cfg = {
            .fake = { .page = 7, .link = links[i], .prefix = "/pre/fix" },
        };
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };
        struct fake_image image;

        rig_start(&rig, &cfg);
        image = some_image(&rig);
        fake_registry_many_tags(rig.fake, "a/b", "t", 20, &image.manifest);
        assert_int_equal(tags(&rig, &names), 0);
        assert_int_equal(names.n, 20);
        assert_int_equal(rig_count(&rig, "GET /pre/fix/v2/a/b/tags/list*"), 3);
    }
}

static void a_full_page_without_a_link_is_asked_beyond(void **state)
{
    const struct rig_cfg cfg = { .fake = { .link = FAKE_LINK_NONE } };
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct fake_image image;

    (void)state;
    rig_start(&rig, &cfg);
    image = some_image(&rig);
    fake_registry_many_tags(rig.fake, "a/b", "t", 2500, &image.manifest);
    assert_int_equal(tags(&rig, &names), 0);
    assert_int_equal(names.n, 2500);
    assert_int_equal(rig_count(&rig, LIST), 3);
}

/* distribution 2.8 sends all tags whatever n and last are. */
static void a_server_that_does_not_page_is_asked_twice_at_most(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100000);
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    (void)ofs_buf_adds(&b, "{\"name\":\"a/b\",\"tags\":[\"x\"");
    for (int i = 0; i < 999; i++)
        (void)ofs_buf_addf(&b, ",\"t%03d\"", i);
    assert_int_equal(ofs_buf_adds(&b, "]}"), 0);
    canned(&rig, LIST, 200, "Content-Type: application/json\r\n",
           ofs_buf_str(&b));
    assert_int_equal(tags(&rig, &names), 0);
    assert_int_equal(names.n, 1000);
    assert_int_equal(rig_count(&rig, LIST), 2);
}

static void odd_names_are_dropped_and_the_rest_is_sorted(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    canned(&rig, LIST, 200, NULL,
           "{\"tags\":[\"b\",\"a\",\"../x\",\"b\",\"\",7,null,\"B\"]}");
    assert_int_equal(tags(&rig, &names), 0);
    assert_int_equal(names.n, 3);
    assert_string_equal(names.at[0], "B");
    assert_string_equal(names.at[1], "a");
    assert_string_equal(names.at[2], "b");
}

static const struct {
    const char *headers, *body;
    int status, r;
    unsigned requests;
} answers[] = {
    { NULL, "{\"name\":\"a/b\",\"tags\":null}", 200, 0, 1 },
    { NULL, "{\"name\":\"a/b\",\"tags\":[]}", 200, 0, 1 },
    { NULL, "{\"name\":\"a/b\"}", 200, 0, 1 },
    { NULL, "<html>", 200, -EBADMSG, 1 },
    { NULL, "", 200, -EBADMSG, 1 },
    { NULL, "{\"tags\":7}", 200, -EBADMSG, 1 },
    { "Link: <?n=1000>; rel=next\r\n", "{\"tags\":[]}", 200, -EFBIG, 1 },
    { "Link: <?last=b>; rel=next\r\n", "{\"tags\":[\"a\"]}", 200, -EFBIG, 2 },
    { "Link: <https://h/x>; rel=next\r\n", "{\"tags\":[]}", 200, -EBADMSG, 1 },
    { NULL, "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}", 404, -ENOENT, 1 },
    { NULL, "{\"errors\":[{\"code\":\"DENIED\"}]}", 403, -EACCES, 1 },
    { NULL, "{\"errors\":[{\"code\":\"NAME_UNKNOWN\"}]}", 400, -ENOENT, 2 },
};

static void odd_lists_are_taken_or_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(answers); i++) {
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };
        int r;

        rig_start(&rig, NULL);
        canned(&rig, LIST, answers[i].status, answers[i].headers,
               answers[i].body);
        r = tags(&rig, &names);
        if (r != answers[i].r || rig_count(&rig, LIST) != answers[i].requests)
            fail_msg("row %zu: %d, %u requests: %s", i, r,
                     rig_count(&rig, LIST), rig.err.text);
        assert_int_equal(names.n, 0);
    }
}

static void a_server_that_refuses_long_pages_is_asked_for_any(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 }, again = { 0 };
    struct fake_image image;

    (void)state;
    rig_start(&rig, NULL);
    image = some_image(&rig);
    fake_registry_many_tags(rig.fake, "a/b", "t", 5, &image.manifest);
    fake_server_fault(rig.server, &(struct fake_fault){
                                      .match = "GET /v2/a/b/tags/list?n=1000",
                                      .kind = FAKE_STATUS,
                                      .n = 400 });
    assert_int_equal(tags(&rig, &names), 0);
    assert_int_equal(names.n, 5);
    assert_int_equal(rig_count(&rig, LIST), 2);
    assert_int_equal(tags(&rig, &again), 0);
    assert_int_equal(rig_count(&rig, LIST), 3);
}

/* A page that only may be there, and one that was said to be. */
static void a_further_page_that_is_refused_may_be_the_end(void **state)
{
    static const struct {
        int status;
        const char *link; /* of the first page */
        int r;
    } rows[] = {
        { 400, "", 0 },
        { 404, "", 0 },
        { 405, "", 0 },
        { 500, "", 0 },
        { 501, "", 0 },
        { 401, "", -EACCES },
        { 403, "", -EACCES },
        { 429, "", -EBUSY },
        { 503, "", -EBUSY },
        { 404, "Link: <?last=t999&n=1000>; rel=next\r\n", 0 },
        { 400, "Link: <?last=t999&n=1000>; rel=next\r\n", -EINVAL },
        { 500, "Link: <?last=t999&n=1000>; rel=next\r\n", -EIO },
        { 500, "Link: <https://h/x>; rel=next\r\n", -EIO },
        { 500, "Link: /v2/a/b/tags/list?last=t999; rel=next\r\n", 0 },
    };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100000);

    (void)state;
    (void)ofs_buf_adds(&b, "{\"name\":\"a/b\",\"tags\":[\"a\"");
    for (int i = 1; i < 1000; i++)
        (void)ofs_buf_addf(&b, ",\"t%03d\"", i);
    assert_int_equal(ofs_buf_adds(&b, "]}"), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const struct rig_cfg cfg = { .max_attempts = 1 };
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };
        int r;

        rig_start(&rig, &cfg);
        canned(&rig, LIST, 200, rows[i].link, ofs_buf_str(&b));
        rig_fault(&rig, "GET /v2/a/b/tags/list?*last=*", 0, FAKE_STATUS,
                  rows[i].status);
        r = tags(&rig, &names);
        if (r != rows[i].r || names.n != (r == 0 ? 1000 : 0))
            fail_msg("row %zu: %d, %zu names: %s", i, r, names.n, rig.err.text);
        assert_int_equal(rig_count(&rig, LIST), 2);
    }
}

/* {"name":"a/b","tags":["x","y"]}, as gzip makes it. */
static const unsigned char packed[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03,
    0xab, 0x56, 0xca, 0x4b, 0xcc, 0x4d, 0x55, 0xb2, 0x52, 0x4a,
    0xd4, 0x4f, 0x52, 0xd2, 0x51, 0x2a, 0x49, 0x4c, 0x2f, 0x56,
    0xb2, 0x8a, 0x56, 0xaa, 0x00, 0xb2, 0x2b, 0x95, 0x62, 0x6b,
    0x01, 0xf1, 0xe7, 0x9e, 0x08, 0x1f, 0x00, 0x00, 0x00
};

static void serve_packed(void *arg, const struct fake_request *req,
                         struct fake_response *resp)
{
    (void)req;
    fake_response_body(resp, 200, "application/json", packed, sizeof(packed));
    fake_response_header(resp, "Content-Encoding: %s", (const char *)arg);
}

/* Proxies do so with all JSON, also where nobody asked for it. */
static void a_list_that_comes_compressed_is_unpacked(void **state)
{
    static char encodings[][8] = { "gzip", "x-gzip", "GZIP" };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(encodings); i++) {
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };

        rig_start(&rig, NULL);
        fake_server_route(rig.server, LIST, serve_packed, encodings[i]);
        assert_int_equal(tags(&rig, &names), 0);
        assert_int_equal(names.n, 2);
        assert_int_equal(rig_count(&rig, LIST), 1);
    }
}

static void a_list_that_is_only_called_compressed_is_read(void **state)
{
    static const char *const encodings[] = { "Content-Encoding: gzip\r\n",
                                             "Content-Encoding: utf-8\r\n" };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(encodings); i++) {
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };

        rig_start(&rig, NULL);
        canned(&rig, LIST, 200, encodings[i], "{\"tags\":[\"x\",\"y\"]}");
        assert_int_equal(tags(&rig, &names), 0);
        assert_int_equal(names.n, 2);
    }
}

static void two_hundred_header_lines_are_no_trouble(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10000);
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    for (int i = 0; i < 200; i++)
        (void)ofs_buf_addf(&b, "X-Trace-%d: hop %d\r\n", i, i);
    canned(&rig, LIST, 200, ofs_buf_str(&b), "{\"tags\":[\"x\",\"y\"]}");
    assert_int_equal(tags(&rig, &names), 0);
    assert_int_equal(names.n, 2);
}

static void lists_that_do_not_end_are_cut_off(void **state)
{
    static const enum fake_fault_kind kinds[] = { FAKE_PAGE_LOOP,
                                                  FAKE_PAGE_FOREVER };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++) {
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };

        rig_start(&rig, NULL);
        (void)some_image(&rig);
        rig_fault(&rig, LIST, 0, kinds[i], 0);
        assert_int_equal(tags(&rig, &names), -EFBIG);
        assert_non_null(strstr(rig.err.text, "a/b"));
    }
}

static void a_deadline_ends_a_list_that_does_not(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    (void)some_image(&rig);
    rig_fault(&rig, LIST, 0, FAKE_PAGE_FOREVER, 0);
    rig.call.deadline_ms = ofs_mono_ms() + 200;
    assert_int_equal(tags(&rig, &names), -ETIMEDOUT);
}

static void pages_have_a_limit(void **state)
{
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, NULL);
    (void)some_image(&rig);
    rig_fault(&rig, LIST, 1, FAKE_HUGE, 17 * 1024 * 1024);
    assert_int_equal(tags(&rig, &names), -EFBIG);
    rig_fault(&rig, LIST, 1, FAKE_DEEP_JSON, 0);
    assert_int_equal(tags(&rig, &names), -EBADMSG);
}

static void the_catalog_is_listed(void **state)
{
    const struct rig_cfg cfg = {
        .fake = { .page = 3, .auth = FAKE_AUTH_BEARER, .narrow_tokens = true },
    };
    RIG_AUTO struct rig rig;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    (void)state;
    rig_start(&rig, &cfg);
    for (char c = 'h'; c >= 'a'; c--)
        fake_registry_repo(rig.fake, (char[]){ c, '/', c, '\0' });
    assert_int_equal(ofs_registry_catalog(rig.r, &rig.call, &names, &rig.err),
                     0);
    assert_int_equal(names.n, 8);
    assert_string_equal(names.at[0], "a/a");
    /* One for the challenge, then three pages. */
    assert_int_equal(rig_count(&rig, CATALOG), 4);
}

static void a_catalog_that_is_not_shown_is_told_as_such(void **state)
{
    static const int refusals[] = { 401, 403, 404, 405 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(refusals); i++) {
        RIG_AUTO struct rig rig;
        OFS_AUTOSTRV struct ofs_strv names = { 0 };

        rig_start(&rig, NULL);
        rig_fault(&rig, CATALOG, 0, FAKE_STATUS, refusals[i]);
        assert_int_equal(
            ofs_registry_catalog(rig.r, &rig.call, &names, &rig.err), -ENOTSUP);
        assert_int_equal(rig.err.code, -ENOTSUP);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_tags_are_about_ten_requests),
        cmocka_unit_test(links_of_all_kinds_are_followed),
        cmocka_unit_test(a_full_page_without_a_link_is_asked_beyond),
        cmocka_unit_test(a_server_that_does_not_page_is_asked_twice_at_most),
        cmocka_unit_test(odd_names_are_dropped_and_the_rest_is_sorted),
        cmocka_unit_test(odd_lists_are_taken_or_refused),
        cmocka_unit_test(a_server_that_refuses_long_pages_is_asked_for_any),
        cmocka_unit_test(a_further_page_that_is_refused_may_be_the_end),
        cmocka_unit_test(a_list_that_comes_compressed_is_unpacked),
        cmocka_unit_test(a_list_that_is_only_called_compressed_is_read),
        cmocka_unit_test(two_hundred_header_lines_are_no_trouble),
        cmocka_unit_test(lists_that_do_not_end_are_cut_off),
        cmocka_unit_test(a_deadline_ends_a_list_that_does_not),
        cmocka_unit_test(pages_have_a_limit),
        cmocka_unit_test(the_catalog_is_listed),
        cmocka_unit_test(a_catalog_that_is_not_shown_is_told_as_such),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
