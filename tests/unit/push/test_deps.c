/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "deps.h"
#include "outcome.h"

#include <errno.h>

#define DIGEST(c)                                                              \
    "\"digest\":\"sha256:" c c c c c c c c c c c c c c c c c c c c c c c c c c \
        c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c c  \
            c c c "\""
#define PART(type, c) "{\"mediaType\":\"" type "\"," DIGEST(c) ",\"size\":3}"
#define CONFIG        "application/vnd.oci.image.config.v1+json"
#define LAYER         "application/vnd.oci.image.layer.v1.tar+gzip"
#define FOREIGN       "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip"
#define IMAGE         "application/vnd.oci.image.manifest.v1+json"

static void needs_of(const char *json, struct ofs_deps *ret)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };

    assert_int_equal(ofs_manifest_decode(json, strlen(json), NULL, &m, NULL),
                     0);
    assert_int_equal(ofs_deps_of(&m, ret), 0);
}

/* The first digit of each, upper case for a manifest. */
static void spell(const struct ofs_deps *n, char *text)
{
    for (size_t i = 0; i < n->n; i++) {
        char digest[OFS_DIGEST_TEXT_MAX];
        char c = ofs_digest_format(&n->at[i].digest, digest)[7];

        *text++ = n->at[i].is_manifest ? (char)(c - 'a' + 'A') : c;
    }
    *text = '\0';
}

static void what_a_manifest_needs(void **state)
{
    static const struct {
        const char *json, *want;
    } cases[] = {
        { "{\"config\":" PART(CONFIG, "a") ",\"layers\":[" PART(
              LAYER, "b") "," PART(LAYER, "c") "]}",
          "bca" },
        { "{\"config\":" PART(CONFIG, "a") ",\"layers\":[" PART(
              LAYER, "b") "," PART(LAYER, "b") "," PART("odd/type", "a") "]}",
          "ba" },
        { "{\"config\":" PART(CONFIG, "a") ",\"layers\":[" PART(
              FOREIGN, "b") "],\"subject\":" PART(IMAGE, "c") "}",
          "a" },
        { "{\"manifests\":[" PART(LAYER, "c") "," PART(IMAGE, "a") "," PART(
              "odd/type", "b") "," PART(IMAGE, "c") "]}",
          "ACcb" },
        { "{\"manifests\":[]}", "" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTONEEDS struct ofs_deps n = { 0 };
        char got[16];

        needs_of(cases[i].json, &n);
        spell(&n, got);
        assert_string_equal(got, cases[i].want);
        assert_int_equal(n.n_missing, n.n);
    }
}

static void each_arrival_counts_once(void **state)
{
    OFS_AUTONEEDS struct ofs_deps n = { 0 };
    struct ofs_digest a, b;

    (void)state;
    needs_of(
        "{\"config\":" PART(CONFIG, "a") ",\"layers\":[" PART(LAYER, "b") "]}",
        &n);
    b = n.at[0].digest;
    a = n.at[1].digest;
    ofs_deps_arrived(&n, &a, true); /* not as a manifest */
    assert_int_equal(n.n_missing, 2);
    assert_true(ofs_deps_wait(&n, &n.at[1]));
    assert_ptr_equal(n.absent, &n.at[1]);
    ofs_deps_arrived(&n, &a, false);
    assert_null(n.absent);
    assert_false(ofs_deps_wait(&n, &n.at[1]));
    assert_null(n.absent);
    ofs_deps_arrived(&n, &a, false);
    assert_int_equal(n.n_missing, 1);
    assert_true(ofs_digest_eq(&ofs_deps_missing(&n)->digest, &b));
    assert_true(ofs_deps_wait(&n, &n.at[0]));
    ofs_deps_arrived(&n, &b, false);
    assert_int_equal(n.n_missing, 0);
    assert_null(ofs_deps_missing(&n));
    ofs_deps_forget(&n);
    assert_int_equal(n.n_missing, 2);
    assert_null(n.absent);
}

static void what_is_a_manifest(void **state)
{
    static const struct {
        const char *json;
        int want;
    } cases[] = {
        { "{\"config\":" PART(CONFIG, "a") "}", 0 },
        { " \n{\"manifests\":[]}", 0 },
        { "{\"config\":{\"Env\":[]}}", -ENOENT },
        { "{\"schemaVersion\":1,\"fsLayers\":[]}", -ENOENT },
        { "[1]", -ENOENT },
        { "", -ENOENT },
        { "{", -ENOENT },
        { "\x1f\x8b", -ENOENT },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };

        assert_int_equal(
            ofs_deps_decode(cases[i].json, strlen(cases[i].json), &m),
            cases[i].want);
    }
}

/* proves S90 */
static void what_a_failure_means(void **state)
{
    static const struct {
        int code;
        enum ofs_outcome asked, promised;
    } cases[] = {
        { -EACCES, OFS_OUTCOME_REFUSED, OFS_OUTCOME_RETRY },
        { -EDQUOT, OFS_OUTCOME_REFUSED, OFS_OUTCOME_RETRY },
        { -EPERM, OFS_OUTCOME_REFUSED, OFS_OUTCOME_KEPT },
        { -EINVAL, OFS_OUTCOME_REFUSED, OFS_OUTCOME_KEPT },
        { -EBADMSG, OFS_OUTCOME_REFUSED, OFS_OUTCOME_KEPT },
        { -EFBIG, OFS_OUTCOME_REFUSED, OFS_OUTCOME_KEPT },
        { -ENOENT, OFS_OUTCOME_REFUSED, OFS_OUTCOME_KEPT },
        { -ESTALE, OFS_OUTCOME_REFUSED, OFS_OUTCOME_KEPT },
        { -ENOTSUP, OFS_OUTCOME_REFUSED, OFS_OUTCOME_KEPT },
        { -ETIMEDOUT, OFS_OUTCOME_RETRY, OFS_OUTCOME_RETRY },
        { -EIO, OFS_OUTCOME_RETRY, OFS_OUTCOME_RETRY },
        { -EBUSY, OFS_OUTCOME_RETRY, OFS_OUTCOME_RETRY },
        { -ENOSPC, OFS_OUTCOME_RETRY, OFS_OUTCOME_RETRY },
        { -ECONNREFUSED, OFS_OUTCOME_RETRY, OFS_OUTCOME_RETRY },
        { -ENOMEM, OFS_OUTCOME_RETRY, OFS_OUTCOME_RETRY },
        { -EINTR, OFS_OUTCOME_KEPT, OFS_OUTCOME_RETRY },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        assert_int_equal(ofs_outcome_of(cases[i].code, false), cases[i].asked);
        assert_int_equal(ofs_outcome_of(cases[i].code, true),
                         cases[i].promised);
    }
}

static void pauses_grow_to_a_limit_and_obey_the_registry(void **state)
{
    static const struct {
        unsigned n;
        int64_t asked_ms, want_ms;
    } cases[] = {
        { 0, -1, 5000 },           { 1, 0, 10000 },   { 2, 0, 20000 },
        { 5, 0, 160000 },          { 6, 0, 300000 },  { 1000, 0, 300000 },
        { 0, 60000, 60000 },       { 0, 1000, 5000 }, { 6, 400000, 400000 },
        { 0, INT64_MAX, 3600000 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++)
        assert_int_equal(
            ofs_outcome_pause_ms(5000, cases[i].n, cases[i].asked_ms),
            cases[i].want_ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_a_manifest_needs),
        cmocka_unit_test(each_arrival_counts_once),
        cmocka_unit_test(what_is_a_manifest),
        cmocka_unit_test(what_a_failure_means),
        cmocka_unit_test(pauses_grow_to_a_limit_and_obey_the_registry),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
