/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#define ROOT "GET /v2/"

static int check(struct rig *rig, const char *repo)
{
    return ofs_registry_check(rig->r, &rig->call, repo, &rig->err);
}

static void an_open_registry_passes_with_one_request(void **state)
{
    RIG_AUTO struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    assert_int_equal(check(&rig, NULL), 0);
    assert_int_equal(rig_count(&rig, "* *"), 1);
}

static void credentials_are_tried(void **state)
{
    static const enum fake_auth kinds[] = { FAKE_AUTH_BASIC, FAKE_AUTH_BEARER };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++) {
        struct rig_cfg cfg = {
            .fake = { .auth = kinds[i], .user = "u", .password = "right" },
            .user = "u",
            .password = "wrong",
        };
        RIG_AUTO struct rig rig;

        rig_start(&rig, &cfg);
        assert_int_equal(check(&rig, NULL), -EACCES);
        assert_null(strstr(rig.err.text, "wrong"));
        rig.cfg.password = "right";
        assert_int_equal(check(&rig, NULL), 0);
    }
}

static void what_follows_carries_its_token_at_once(void **state)
{
    const struct rig_cfg cfg = { .fake = { .auth = FAKE_AUTH_BEARER } };
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &cfg);
    blob = rig_seeded(&rig, 1, 10000);
    assert_int_equal(check(&rig, "a/b"), 0);
    fake_server_clear(rig.server);
    assert_int_equal(rig_read(&rig, &blob, 0, 4096), 0);
    assert_int_equal(rig_count(&rig, "* *"), 1);
}

static void other_servers_are_no_registry(void **state)
{
    static const struct {
        int status;
        const char *headers;
        int r;
        const char *says;
    } rows[] = {
        { 404, NULL, -EBADMSG, "not a registry" },
        { 200, "Content-Type: text/html\r\n", -EBADMSG, "web page" },
        { 403, NULL, -EACCES, "403" },
        { 500, NULL, -EIO, "500" },
        { 401, NULL, -EACCES, "401" },
        { 401, "WWW-Authenticate: Digest realm=\"x\"\r\n", -EACCES, "401" },
        { 200, NULL, 0, "" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        const struct rig_cfg cfg = { .max_attempts = 1 };
        RIG_AUTO struct rig rig;
        int r;

        rig_start(&rig, &cfg);
        fake_server_canned(rig.server, ROOT, rows[i].status, rows[i].headers,
                           "");
        r = check(&rig, NULL);
        if (r != rows[i].r || !strstr(rig.err.text, rows[i].says))
            fail_msg("row %zu: %d '%s'", i, r, rig.err.text);
    }
}

static void a_repository_must_be_readable_when_named(void **state)
{
    RIG_AUTO struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    fake_registry_repo(rig.fake, "a/b");
    assert_int_equal(check(&rig, "a/b"), 0);
    assert_int_equal(check(&rig, "c"), -ENOENT);
    assert_int_equal(check(&rig, "../x"), -ENOENT);
    rig_fault(&rig, "GET /v2/a/b/tags/list?n=1", 0, FAKE_STATUS, 400);
    assert_int_equal(check(&rig, "a/b"), 0);
    rig_fault(&rig, "GET /v2/a/b/tags/*", 0, FAKE_STATUS, 403);
    assert_int_equal(check(&rig, "a/b"), -EACCES);
}

static void a_repository_may_be_open_where_the_root_is_not(void **state)
{
    RIG_AUTO struct rig rig;

    (void)state;
    rig_start(&rig, NULL);
    fake_registry_repo(rig.fake, "a/b");
    rig_fault(&rig, ROOT, 0, FAKE_STATUS, 403);
    assert_int_equal(check(&rig, NULL), -EACCES);
    assert_int_equal(check(&rig, "a/b"), 0);
}

static const struct {
    const char *url;
    bool allow;
    const char *host; /* NULL: refused */
} urls[] = {
    { "https://h.example", false, "h.example" },
    { "https://h.example/", false, "h.example" },
    { "https://h.example:5000/a/b//", false, "h.example:5000" },
    { "https://h.example:443", false, "h.example" },
    { "http://127.0.0.1:5000", false, "127.0.0.1:5000" },
    { "http://[::1]:5000", false, "[::1]:5000" },
    { "http://h.example", true, "h.example" },
    { "http://h.example", false, NULL },
    { "https://u:p@h.example", true, NULL },
    { "https://h.example/?x=1", true, NULL },
    { "ftp://h.example", true, NULL },
    { "h.example", true, NULL },
    { "", true, NULL },
};

static void urls_are_checked(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(urls); i++) {
        const struct ofs_registry_cfg cfg = { .url = urls[i].url,
                                              .allow_plain_http =
                                                  urls[i].allow };
        struct ofs_err err = { 0 };
        OFS_AUTO(ofs_registry_freep)
        struct ofs_registry *r = ofs_registry_new(&cfg, &err);

        if (!r != !urls[i].host)
            fail_msg("'%s': %s", urls[i].url, err.text);
        if (r)
            assert_string_equal(ofs_registry_host(r), urls[i].host);
        else
            assert_int_equal(err.code, -EINVAL);
    }
}

static void a_bad_mirror_url_is_refused(void **state)
{
    const struct ofs_registry_cfg cfg = { .url = "https://h.example",
                                          .mirror_url = "http://m.example" };
    struct ofs_err err = { 0 };

    (void)state;
    assert_null(ofs_registry_new(&cfg, &err));
    assert_int_equal(err.code, -EINVAL);
    assert_non_null(strstr(err.text, "m.example"));
}

static void a_prefix_is_kept(void **state)
{
    const struct rig_cfg cfg = {
        .fake = { .prefix = "/some/where", .auth = FAKE_AUTH_BEARER },
    };
    RIG_AUTO struct rig rig;
    struct rig_blob blob;

    (void)state;
    rig_start(&rig, &cfg);
    blob = rig_seeded(&rig, 1, 10000);
    assert_int_equal(check(&rig, "a/b"), 0);
    assert_int_equal(rig_read(&rig, &blob, 0, 4096), 0);
    assert_int_equal(rig_count(&rig, "GET /some/where/v2/a/b/blobs/*"), 1);
}

/* What HEAD of a blob answers; how long the blob is found to be. */
static const struct {
    const char *what;
    enum fake_fault_kind kind;
    int64_t n;
    int r;
    unsigned gets;
} heads[] = {
    { "fine", FAKE_ODD_CASE, 0, 0, 0 },
    { "no length", FAKE_NO_CONTENT_LENGTH, 0, 0, 1 },
    { "405", FAKE_STATUS, 405, 0, 1 },
    { "400", FAKE_STATUS, 400, 0, 1 },
    { "501", FAKE_STATUS, 501, 0, 1 },
    { "404", FAKE_STATUS, 404, 0, 1 },
    { "403", FAKE_STATUS, 403, 0, 1 },
    { "401", FAKE_STATUS, 401, 0, 1 },
    { "429", FAKE_STATUS, 429, -EBUSY, 0 },
    { "elsewhere", FAKE_REDIRECT, 0, 0, 1 },
};

static void the_size_of_a_blob_is_found(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(heads); i++) {
        const struct rig_cfg cfg = { .fake = { .storage = i % 2 },
                                     .max_attempts = 1 };
        RIG_AUTO struct rig rig;
        struct rig_blob blob;
        uint64_t size = 0;
        int r;

        rig_start(&rig, &cfg);
        blob = rig_seeded(&rig, 1, 123456);
        fake_server_fault(rig.server,
                          &(struct fake_fault){ .match = "HEAD *",
                                                .kind = heads[i].kind,
                                                .n = heads[i].n,
                                                .text = "/elsewhere" });
        r = ofs_registry_blob_head(rig.r, &rig.call, "a/b", &blob.digest, &size,
                                   &rig.err);
        if (r != heads[i].r || (r == 0 && size != blob.size) ||
            rig_count(&rig, "GET /v2/a/b/blobs/*") != heads[i].gets)
            fail_msg("'%s': %d %s", heads[i].what, r, rig.err.text);
    }
}

/* A server that answers HEAD without looking. */
static void a_length_of_nothing_is_looked_into(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    uint64_t size = 0;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 1, 123456);
    fake_server_canned(rig.server, "HEAD *", 200, NULL, "");
    assert_int_equal(ofs_registry_blob_head(rig.r, &rig.call, "a/b",
                                            &blob.digest, &size, &rig.err),
                     0);
    assert_int_equal(size, blob.size);
}

/* And what the GET for one byte answers then. */
static const struct {
    const char *what;
    enum fake_fault_kind kind;
    int64_t n;
    int r;
} gets[] = {
    { "200", FAKE_WHOLE_FOR_RANGE, 0, 0 },
    { "200 without length", FAKE_NO_CONTENT_LENGTH, 0, 0 },
    { "416 of an empty one", FAKE_STATUS, 416, 0 },
    { "404", FAKE_STATUS, 404, -ENOENT },
    { "reset", FAKE_RESET_NOW, 0, -EIO },
};

static void the_size_is_found_by_get_where_head_fails(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(gets); i++) {
        const struct rig_cfg cfg = { .max_attempts = 1 };
        RIG_AUTO struct rig rig;
        struct rig_blob blob;
        uint64_t size = 99;
        int r;

        rig_start(&rig, &cfg);
        blob = rig_seeded(&rig, 1, 123456);
        rig_fault(&rig, "HEAD *", 0, FAKE_STATUS, 405);
        rig_fault(&rig, "GET *", 0, gets[i].kind, gets[i].n);
        r = ofs_registry_blob_head(rig.r, &rig.call, "a/b", &blob.digest, &size,
                                   &rig.err);
        if (r != gets[i].r)
            fail_msg("'%s': %d %s", gets[i].what, r, rig.err.text);
        if (r == 0)
            assert_int_equal(size, gets[i].n == 416 ? 0 : blob.size);
    }
}

/* Neither ranges nor a length: there is nothing for it but to count. */
static void bytes_are_counted_where_no_length_is_told(void **state)
{
    RIG_AUTO struct rig rig;
    struct rig_blob blob;
    uint64_t size = 0;

    (void)state;
    rig_start(&rig, NULL);
    blob = rig_seeded(&rig, 1, 1234567);
    rig_fault(&rig, "* /v2/a/b/blobs/*", 0, FAKE_WHOLE_FOR_RANGE, 0);
    rig_fault(&rig, "* /v2/a/b/blobs/*", 0, FAKE_NO_CONTENT_LENGTH, 0);
    assert_int_equal(ofs_registry_blob_head(rig.r, &rig.call, "a/b",
                                            &blob.digest, &size, &rig.err),
                     0);
    assert_int_equal(size, blob.size);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_open_registry_passes_with_one_request),
        cmocka_unit_test(credentials_are_tried),
        cmocka_unit_test(what_follows_carries_its_token_at_once),
        cmocka_unit_test(other_servers_are_no_registry),
        cmocka_unit_test(a_repository_must_be_readable_when_named),
        cmocka_unit_test(a_repository_may_be_open_where_the_root_is_not),
        cmocka_unit_test(urls_are_checked),
        cmocka_unit_test(a_bad_mirror_url_is_refused),
        cmocka_unit_test(a_prefix_is_kept),
        cmocka_unit_test(the_size_of_a_blob_is_found),
        cmocka_unit_test(a_length_of_nothing_is_looked_into),
        cmocka_unit_test(the_size_is_found_by_get_where_head_fails),
        cmocka_unit_test(bytes_are_counted_where_no_length_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
