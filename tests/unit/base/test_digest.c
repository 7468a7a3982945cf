/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/digest.h"

#define ABC_HEX                                                                \
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
#define ABC "sha256:" ABC_HEX
#define ABC512                                                                 \
    "sha512:ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"  \
    "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f"

static const enum ofs_digest_alg algs[] = { OFS_SHA256, OFS_SHA512 };

/* Source: FIPS 180-4 examples. */
static void known_texts_have_their_digests(void **state)
{
    static const struct {
        enum ofs_digest_alg alg;
        const char *text, *want;
    } rows[] = {
        { OFS_SHA256, "",
          "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e464"
          "9b934ca495991b7852b855" },
        { OFS_SHA256, "abc", ABC },
        { OFS_SHA512, "abc", ABC512 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        char text[OFS_DIGEST_TEXT_MAX];
        struct ofs_digest d;

        assert_int_equal(
            ofs_digest_of(rows[i].alg, rows[i].text, strlen(rows[i].text), &d),
            0);
        assert_string_equal(ofs_digest_format(&d, text), rows[i].want);
    }
}

static void what_is_formatted_can_be_parsed(void **state)
{
    static const char *const texts[] = { ABC, ABC512 };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(texts); i++) {
        char text[OFS_DIGEST_TEXT_MAX];
        struct ofs_digest d, apart;

        assert_int_equal(ofs_digest_parse(texts[i], &d, NULL), 0);
        assert_int_equal(d.alg, algs[i]);
        assert_string_equal(ofs_digest_format(&d, text), texts[i]);
        assert_int_equal(
            ofs_digest_parse_hex(ofs_digest_alg_name(&d), texts[i] + 7, &apart),
            0);
        assert_true(ofs_digest_eq(&d, &apart));
        assert_memory_equal(&d, &apart, sizeof(d));
    }
}

static void malformed_digests_are_refused(void **state)
{
    static const char *const texts[] = {
        "",
        "sha256",
        "sha256:",
        "sha256:ba78",
        ABC_HEX,
        ABC "0",
        ABC " ",
        " " ABC,
        "sha256:BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ag",
        "sha256:ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015/d",
        "sha512:" ABC_HEX,
        "SHA256:" ABC_HEX,
        "md5:900150983cd24fb0d6963f7d28e17f72",
        "sha256-" ABC_HEX,
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(texts); i++) {
        struct ofs_digest d = { .alg = 99 };
        struct ofs_err err = { 0 };

        assert_int_equal(ofs_digest_parse(texts[i], &d, &err), -EBADMSG);
        assert_int_equal(d.alg, 99);
        assert_non_null(strstr(err.text, "is no digest"));
    }
}

static void malformed_pairs_are_refused(void **state)
{
    struct ofs_digest d;

    (void)state;
    assert_int_equal(ofs_digest_parse_hex("md5", ABC_HEX, &d), -EBADMSG);
    assert_int_equal(ofs_digest_parse_hex("sha256:", ABC_HEX, &d), -EBADMSG);
    assert_int_equal(ofs_digest_parse_hex("sha256", "../../etc", &d), -EBADMSG);
    assert_int_equal(ofs_digest_parse_hex("sha512", ABC_HEX, &d), -EBADMSG);
}

static void none_is_empty_text(void **state)
{
    struct ofs_digest none = { 0 };
    char text[OFS_DIGEST_TEXT_MAX] = "x";

    (void)state;
    assert_string_equal(ofs_digest_format(&none, text), "");
    assert_string_equal(ofs_digest_alg_name(&none), "");
    assert_int_equal(ofs_digest_len(0), 0);
    assert_int_equal(ofs_digest_len(OFS_SHA256), 32);
    assert_int_equal(ofs_digest_len(OFS_SHA512), 64);
}

static void equality_is_of_algorithm_and_bytes(void **state)
{
    struct ofs_digest a, b;

    (void)state;
    assert_int_equal(ofs_digest_of(OFS_SHA256, "a", 1, &a), 0);
    b = a;
    assert_true(ofs_digest_eq(&a, &b));
    assert_int_equal(ofs_digest_hash(&a), ofs_digest_hash(&b));
    b.alg = OFS_SHA512;
    assert_false(ofs_digest_eq(&a, &b));
    b = a;
    b.bytes[31] ^= 1;
    assert_false(ofs_digest_eq(&a, &b));
    assert_int_equal(ofs_digest_of(OFS_SHA256, "b", 1, &b), 0);
    assert_int_not_equal(ofs_digest_hash(&a), ofs_digest_hash(&b));
}

enum { CHUNK = 4096, N_CHUNKS = 5, DATA = CHUNK * N_CHUNKS + 77 };

static void fill(uint8_t *data, size_t len)
{
    uint32_t x = 1;

    for (size_t i = 0; i < len; i++) {
        x = x * 1664525 + 1013904223;
        data[i] = (uint8_t)(x >> 24);
    }
}

static void pieces_and_the_whole_hash_the_same(void **state)
{
    static uint8_t data[DATA];

    (void)state;
    fill(data, sizeof(data));
    for (size_t a = 0; a < OFS_COUNT_OF(algs); a++) {
        OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(algs[a]);
        struct ofs_digest whole, pieces;

        assert_non_null(h);
        assert_int_equal(ofs_digest_of(algs[a], data, DATA, &whole), 0);
        ofs_hash_update(h, "forgotten", 9);
        ofs_hash_reset(h);
        for (size_t i = 0, n = 1; i < DATA; i += n, n = n % 200 + 1) {
            if (n > DATA - i)
                n = DATA - i;
            ofs_hash_update(h, data + i, n);
        }
        ofs_hash_final(h, &pieces);
        assert_true(ofs_digest_eq(&whole, &pieces));
    }
    ofs_hash_free(NULL);
}

/* Source: FIPS 180-4, 5.3.3 and 5.3.5: the first words of the start state. */
static void the_first_state_is_the_standards(void **state)
{
    static const uint8_t want[][4] = { { 0x6a, 0x09, 0xe6, 0x67 },
                                       { 0x6a, 0x09, 0xe6, 0x67 } };

    (void)state;
    for (size_t a = 0; a < OFS_COUNT_OF(algs); a++) {
        OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(algs[a]);
        uint8_t mid[OFS_MIDSTATE_MAX];

        ofs_hash_midstate(h, mid);
        assert_memory_equal(mid, want[a], 4);
        if (algs[a] == OFS_SHA256)
            assert_int_equal(mid[32], 0);
    }
}

static void a_chunk_leads_from_state_to_state(void **state)
{
    static uint8_t data[DATA];

    (void)state;
    fill(data, sizeof(data));
    for (size_t a = 0; a < OFS_COUNT_OF(algs); a++) {
        OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(algs[a]);
        uint8_t mids[N_CHUNKS + 1][OFS_MIDSTATE_MAX];
        uint8_t got[OFS_MIDSTATE_MAX];
        struct ofs_digest whole, resumed;

        ofs_hash_midstate(h, mids[0]);
        for (size_t i = 0; i < N_CHUNKS; i++) {
            ofs_hash_update(h, data + i * CHUNK, CHUNK);
            ofs_hash_midstate(h, mids[i + 1]);
        }
        for (size_t i = N_CHUNKS; i-- > 0;) {
            ofs_hash_resume(h, mids[i], i * CHUNK);
            ofs_hash_update(h, data + i * CHUNK, CHUNK);
            ofs_hash_midstate(h, got);
            assert_memory_equal(got, mids[i + 1], sizeof(got));
        }
        ofs_hash_resume(h, mids[3], 3 * CHUNK);
        ofs_hash_update(h, data + 3 * CHUNK, DATA - 3 * CHUNK);
        ofs_hash_final(h, &resumed);
        assert_int_equal(ofs_digest_of(algs[a], data, DATA, &whole), 0);
        assert_true(ofs_digest_eq(&whole, &resumed));
    }
}

static void a_changed_chunk_leads_elsewhere(void **state)
{
    static uint8_t data[CHUNK];
    uint8_t begin[OFS_MIDSTATE_MAX], right[OFS_MIDSTATE_MAX],
        wrong[OFS_MIDSTATE_MAX];
    OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(OFS_SHA256);

    (void)state;
    ofs_hash_midstate(h, begin);
    ofs_hash_update(h, data, CHUNK);
    ofs_hash_midstate(h, right);
    data[CHUNK - 1] = 1;
    ofs_hash_resume(h, begin, 0);
    ofs_hash_update(h, data, CHUNK);
    ofs_hash_midstate(h, wrong);
    assert_memory_not_equal(right, wrong, 32);
}

/*
 * The length goes into the last block, in bits, as two words: the counts must
 * agree on both sides of where the low word of SHA-256 is full (512 MiB).
 */
static void long_lengths_carry_over(void **state)
{
    static const uint64_t borders[] = { 1ULL << 29, 1ULL << 32, 1ULL << 40,
                                        1ULL << 61 };
    static const uint8_t block[128];

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(algs) * OFS_COUNT_OF(borders); i++) {
        enum ofs_digest_alg alg = algs[i % OFS_COUNT_OF(algs)];
        uint64_t border = borders[i / OFS_COUNT_OF(algs)];
        OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(alg);
        uint8_t begin[OFS_MIDSTATE_MAX], mid[OFS_MIDSTATE_MAX];
        struct ofs_digest through, from;

        ofs_hash_midstate(h, begin);
        ofs_hash_resume(h, begin, border - 128);
        ofs_hash_update(h, block, 128);
        ofs_hash_midstate(h, mid);
        ofs_hash_final(h, &through);
        ofs_hash_resume(h, mid, border);
        ofs_hash_final(h, &from);
        assert_true(ofs_digest_eq(&through, &from));
        ofs_hash_resume(h, mid, 0);
        ofs_hash_final(h, &from);
        if (alg == OFS_SHA512 || border < 1ULL << 61)
            assert_false(ofs_digest_eq(&through, &from));
    }
}

static void a_copy_goes_on_by_itself(void **state)
{
    struct ofs_hash *h = ofs_hash_new(OFS_SHA256), *copy;
    struct ofs_digest of_a, of_ab, want;

    (void)state;
    ofs_hash_update(h, "a", 1);
    copy = ofs_hash_copy(h);
    ofs_hash_update(h, "b", 1);
    ofs_hash_final(h, &of_ab);
    ofs_hash_final(copy, &of_a);
    assert_int_equal(ofs_digest_of(OFS_SHA256, "a", 1, &want), 0);
    assert_true(ofs_digest_eq(&of_a, &want));
    assert_int_equal(ofs_digest_of(OFS_SHA256, "ab", 2, &want), 0);
    assert_true(ofs_digest_eq(&of_ab, &want));
    ofs_hash_free(copy);
    ofs_hash_free(h);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_goes_on_by_itself),
        cmocka_unit_test(known_texts_have_their_digests),
        cmocka_unit_test(what_is_formatted_can_be_parsed),
        cmocka_unit_test(malformed_digests_are_refused),
        cmocka_unit_test(malformed_pairs_are_refused),
        cmocka_unit_test(none_is_empty_text),
        cmocka_unit_test(equality_is_of_algorithm_and_bytes),
        cmocka_unit_test(pieces_and_the_whole_hash_the_same),
        cmocka_unit_test(the_first_state_is_the_standards),
        cmocka_unit_test(a_chunk_leads_from_state_to_state),
        cmocka_unit_test(a_changed_chunk_leads_elsewhere),
        cmocka_unit_test(long_lengths_carry_over),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
