/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "jobspec.h"

#define URL  "https://registry.test:5000/prefix"
#define REPO "prod/app"

static struct ofs_digest some_digest(const char *of)
{
    struct ofs_digest d;

    if (ofs_digest_of(OFS_SHA256, of, strlen(of), &d) < 0)
        abort();
    return d;
}

/* Borrows its strings: not to be done with. */
static struct ofs_jobspec spec_of(enum ofs_job_kind kind)
{
    static char url[] = URL, repo[] = REPO, tag[] = "1.5", from[] = "base";
    struct ofs_jobspec s = {
        .kind = kind,
        .url = url,
        .repo = repo,
        .digest = some_digest("content"),
        .size = 1155,
    };

    if (kind == OFS_JOB_TAG || kind == OFS_JOB_WISH || kind == OFS_JOB_COPY)
        s.tag = tag;
    if (kind == OFS_JOB_COPY)
        s.from = from;
    if (kind != OFS_JOB_WISH && kind != OFS_JOB_COPY && kind != OFS_JOB_KEEP)
        s.file = 17;
    return s;
}

static void same_text(const char *a, const char *b)
{
    assert_true(!a == !b);
    if (a)
        assert_string_equal(a, b);
}

static void what_was_formatted_is_parsed(void **state)
{
    (void)state;
    for (int kind = 0; kind < OFS_JOB_N; kind++)
        for (int old = 0; old < 3; old++) {
            struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(OFS_JOBSPEC_MAX_BYTES);
            struct ofs_jobspec s = spec_of((enum ofs_job_kind)kind);
            struct ofs_jobspec got OFS_AUTO(ofs_jobspec_done) = { 0 };

            s.old_known = old > 0;
            if (old > 1)
                s.old = some_digest("old");
            assert_int_equal(ofs_jobspec_format(&s, &b), 0);
            assert_int_equal(ofs_jobspec_parse(b.data, b.len, &got), 0);
            assert_int_equal(got.kind, kind);
            same_text(got.url, s.url);
            same_text(got.repo, s.repo);
            same_text(got.tag, s.tag);
            same_text(got.from, s.from);
            assert_true(ofs_digest_eq(&got.digest, &s.digest));
            assert_int_equal(got.old_known, s.old_known);
            assert_true(ofs_digest_eq(&got.old, &s.old));
            assert_int_equal(got.size, s.size);
            assert_int_equal(got.file, s.file);
        }
}

/* Cut short, longer, or with any byte changed. */
static void whatever_is_torn_is_no_record(void **state)
{
    struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(OFS_JOBSPEC_MAX_BYTES);
    struct ofs_jobspec s = spec_of(OFS_JOB_TAG), got = { 0 };

    (void)state;
    assert_int_equal(ofs_jobspec_format(&s, &b), 0);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(ofs_jobspec_parse(b.data, len, &got), -EBADMSG);
    for (size_t i = 0; i < b.len; i++)
        for (int bit = 0; bit < 8; bit++) {
            b.data[i] ^= (char)(1 << bit);
            assert_int_equal(ofs_jobspec_parse(b.data, b.len, &got), -EBADMSG);
            b.data[i] ^= (char)(1 << bit);
        }
    assert_int_equal(ofs_buf_addc(&b, '\n'), 0);
    assert_int_equal(ofs_jobspec_parse(b.data, b.len, &got), -EBADMSG);
}

/* With a right check, but not what a record may say. */
static void whatever_makes_no_sense_is_no_record(void **state)
{
    static const char *const bad[] = {
        "kind nothing\nurl u\nrepo a\n",
        "kind wish\nurl u\nrepo a\ndigest %s\n",
        "kind wish\nurl u\nrepo A\ntag 1\ndigest %s\n",
        "kind wish\nurl u\nrepo a\ntag -1\ndigest %s\n",
        "kind wish\nurl u\nrepo a\ntag 1\n",
        "kind wish\nurl u\nrepo a\ntag 1\ndigest %s\nfile 1\n",
        "kind wish\nurl u\nrepo a\ntag 1\ntag 2\ndigest %s\n",
        "kind wish\nkind wish\nurl u\nrepo a\ntag 1\ndigest %s\n",
        "kind wish\nurl u\nrepo a\ntag 1\ndigest %s\nodd 1\n",
        "kind wish\nurl u\nrepo a\ntag 1\ndigest %s\nodd\n",
        "kind wish\nurl \nrepo a\ntag 1\ndigest %s\n",
        "kind wish\nrepo a\ntag 1\ndigest %s\n",
        "kind blob\nurl u\nrepo a\ndigest %s\n",
        "kind blob\nurl u\nrepo a\ndigest %s\nfile 0\n",
        "kind blob\nurl u\nrepo a\ndigest %s\nfile -1\n",
        "kind blob\nurl u\nrepo a\ndigest %s\nfile 1\nsize x\n",
        "kind blob\nurl u\nrepo a\ntag 1\ndigest %s\nfile 1\n",
        "kind blob\nurl u\nrepo a\nfrom b\ndigest %s\nfile 1\n",
        "kind copy\nurl u\nrepo a\ntag 1\ndigest %s\n",
        "kind copy\nurl u\nrepo a\nfrom b\ntag 1\ndigest %s\nold x\n",
        "kind copy\nurl u\nrepo a\nfrom b\ntag 1\ndigest x\n",
    };
    char digest[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d = some_digest("x");

    (void)state;
    ofs_digest_format(&d, digest);
    for (size_t i = 0; i < OFS_COUNT_OF(bad); i++) {
        struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(4096);
        struct ofs_jobspec got = { 0 };
        const char *at = strstr(bad[i], "%s");
        size_t len = at ? (size_t)(at - bad[i]) : strlen(bad[i]);
        struct ofs_digest check;
        char text[OFS_DIGEST_TEXT_MAX];

        (void)ofs_buf_addf(&b, "ocirfs-push 1\n%.*s%s%s", (int)len, bad[i],
                           at ? digest : "", at ? at + 2 : "");
        assert_int_equal(ofs_digest_of(OFS_SHA256, b.data, b.len, &check), 0);
        (void)ofs_buf_addf(&b, "check %s\n", ofs_digest_format(&check, text));
        if (ofs_jobspec_parse(b.data, b.len, &got) != -EBADMSG)
            fail_msg("case %zu", i);
    }
}

static void a_record_with_a_line_break_is_not_written(void **state)
{
    struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(OFS_JOBSPEC_MAX_BYTES);
    struct ofs_jobspec s = spec_of(OFS_JOB_WISH);
    char url[] = "https://a\nfile 3";

    (void)state;
    s.url = url;
    assert_int_equal(ofs_jobspec_format(&s, &b), -EINVAL);
    s = spec_of(OFS_JOB_BLOB);
    s.file = 0;
    assert_int_equal(ofs_jobspec_format(&s, &b), -EINVAL);
    assert_int_equal(b.len, 0);
}

static void a_tag_is_one_thing_and_the_rest_goes_by_digest(void **state)
{
    struct ofs_jobspec tag = spec_of(OFS_JOB_TAG), wish = spec_of(OFS_JOB_WISH);
    struct ofs_jobspec blob = spec_of(OFS_JOB_BLOB), other = blob;
    char two[] = "2";

    (void)state;
    wish.digest = some_digest("else");
    assert_true(ofs_jobspec_same(&tag, &wish));
    wish.tag = two;
    assert_false(ofs_jobspec_same(&tag, &wish));
    assert_false(ofs_jobspec_same(&tag, &blob));
    assert_true(ofs_jobspec_same(&blob, &other));
    other.kind = OFS_JOB_MANIFEST;
    assert_false(ofs_jobspec_same(&blob, &other));
    other = blob;
    other.digest = some_digest("else");
    assert_false(ofs_jobspec_same(&blob, &other));
    other = blob;
    other.repo = two;
    assert_false(ofs_jobspec_same(&blob, &other));
    assert_true(ofs_job_is_acknowledged(OFS_JOB_WISH));
    assert_false(ofs_job_is_acknowledged(OFS_JOB_TAG));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_formatted_is_parsed),
        cmocka_unit_test(whatever_is_torn_is_no_record),
        cmocka_unit_test(whatever_makes_no_sense_is_no_record),
        cmocka_unit_test(a_record_with_a_line_break_is_not_written),
        cmocka_unit_test(a_tag_is_one_thing_and_the_rest_goes_by_digest),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
