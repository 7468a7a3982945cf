/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "blobset.h"

enum { MANY = 50000 };

static struct ofs_digest digest_of(int i)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, &i, sizeof(i), &d), 0);
    return d;
}

static void what_was_put_is_found(void **state)
{
    OFS_AUTO(ofs_blobset_done) struct ofs_blobset s = { 0 };

    (void)state;
    for (int i = 0; i < MANY; i++) {
        const struct ofs_digest d = digest_of(i);

        assert_null(ofs_blobset_find(&s, &d));
        assert_int_equal(ofs_blobset_put(&s, &d, (uint64_t)i, OFS_KNOWN_BLOB),
                         0);
    }
    assert_int_equal(s.n, MANY);
    for (int i = 0; i < MANY; i++) {
        const struct ofs_digest d = digest_of(i);

        assert_int_equal(ofs_blobset_find(&s, &d)->size, i);
    }
}

static void the_first_word_counts_but_for_better_ones(void **state)
{
    OFS_AUTO(ofs_blobset_done) struct ofs_blobset s = { 0 };
    const struct ofs_digest d = digest_of(1);
    const struct {
        uint64_t size;
        enum ofs_known_kind kind;
        uint64_t want;
    } steps[] = {
        { 1, OFS_KNOWN_MENTIONED, 1 }, { 2, OFS_KNOWN_MENTIONED, 1 },
        { 3, OFS_KNOWN_BLOB, 3 },      { 4, OFS_KNOWN_MENTIONED, 3 },
        { 5, OFS_KNOWN_MANIFEST, 5 },  { 6, OFS_KNOWN_BLOB, 5 },
        { 7, OFS_KNOWN_MANIFEST, 5 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(steps); i++) {
        assert_int_equal(ofs_blobset_put(&s, &d, steps[i].size, steps[i].kind),
                         0);
        assert_int_equal(ofs_blobset_find(&s, &d)->size, steps[i].want);
        assert_int_equal(s.n, 1);
    }
}

/* Digests in a manifest are whatever its author wrote. */
static void digests_that_look_alike_cost_no_more(void **state)
{
    OFS_AUTO(ofs_blobset_done) struct ofs_blobset s = { 0 };

    (void)state;
    for (int i = 0; i < MANY; i++) {
        struct ofs_digest d = { .alg = OFS_SHA256 };

        memcpy(&d.bytes[12], &i, sizeof(i));
        assert_int_equal(ofs_blobset_put(&s, &d, 1, OFS_KNOWN_BLOB), 0);
    }
    assert_int_equal(s.n, MANY);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_put_is_found),
        cmocka_unit_test(the_first_word_counts_but_for_better_ones),
        cmocka_unit_test(digests_that_look_alike_cost_no_more),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
