/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "chunkmap.h"

#include <limits.h>

static const struct ofs_map_head some_map = {
    .size = 0x123456789a,
    .boot_id = "0123456789abcde",
};

static void a_map_head_survives(void **state)
{
    uint8_t bytes[OFS_MAP_HEAD_LEN];
    struct ofs_map_head got;

    (void)state;
    ofs_map_head_encode(&some_map, bytes);
    assert_int_equal(ofs_map_head_decode(bytes, sizeof(bytes), &got), 0);
    assert_int_equal(got.size, some_map.size);
    assert_memory_equal(got.boot_id, some_map.boot_id, OFS_BOOT_ID_LEN);
}

/* Each bit of magic, chunk length, size, boot id and check counts. */
static void a_map_head_with_any_bit_wrong_is_none(void **state)
{
    uint8_t bytes[OFS_MAP_HEAD_LEN];
    struct ofs_map_head got;

    (void)state;
    ofs_map_head_encode(&some_map, bytes);
    for (size_t bit = 0; bit < sizeof(bytes) * CHAR_BIT; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(ofs_map_head_decode(bytes, sizeof(bytes), &got),
                         -EBADMSG);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < sizeof(bytes); len++)
        assert_int_equal(ofs_map_head_decode(bytes, len, &got), -EBADMSG);
}

static void a_seal_survives_and_each_bit_counts(void **state)
{
    const struct ofs_seal some = { 5, UINT64_MAX, -1, INT64_MAX };
    uint8_t bytes[OFS_SEAL_LEN];
    struct ofs_seal got;

    (void)state;
    ofs_seal_encode(&some, bytes);
    assert_int_equal(ofs_seal_decode(bytes, sizeof(bytes), &got), 0);
    assert_memory_equal(&got, &some, sizeof(got));
    for (size_t bit = 0; bit < sizeof(bytes) * CHAR_BIT; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(ofs_seal_decode(bytes, sizeof(bytes), &got), -EBADMSG);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_int_equal(ofs_seal_decode(bytes, sizeof(bytes) - 1, &got), -EBADMSG);
}

enum { CHUNKS = 3, STATES = (CHUNKS - 1) * 32 };
enum { SUMS_LEN = OFS_SUMS_HEAD_LEN + STATES + OFS_SUMS_TAIL_LEN };

static void make_sums(uint8_t bytes[SUMS_LEN])
{
    struct ofs_sums_head head = {
        .size = (CHUNKS - 1) * (uint64_t)OFS_CHUNK_BYTES + 1,
        .digest = { .alg = OFS_SHA256, .bytes = "some digest" },
    };

    ofs_sums_head_encode(&head, bytes);
    for (size_t i = 0; i < STATES; i++)
        bytes[OFS_SUMS_HEAD_LEN + i] = (uint8_t)i;
    assert_int_equal(ofs_sha256(bytes + OFS_SUMS_HEAD_LEN, STATES,
                                bytes + OFS_SUMS_HEAD_LEN + STATES),
                     0);
}

static void sums_survive(void **state)
{
    uint8_t bytes[SUMS_LEN];
    struct ofs_sums_head head;
    const uint8_t *states;

    (void)state;
    make_sums(bytes);
    assert_int_equal(ofs_sums_decode(bytes, SUMS_LEN, &head, &states), 0);
    assert_int_equal(head.size, 2 * OFS_CHUNK_BYTES + 1);
    assert_int_equal(head.digest.alg, OFS_SHA256);
    assert_ptr_equal(states, bytes + OFS_SUMS_HEAD_LEN);
}

static void sums_with_any_bit_wrong_or_cut_are_none(void **state)
{
    uint8_t bytes[SUMS_LEN];
    struct ofs_sums_head head;
    const uint8_t *states;

    (void)state;
    make_sums(bytes);
    for (size_t bit = 0; bit < SUMS_LEN * CHAR_BIT; bit++) {
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_equal(ofs_sums_decode(bytes, SUMS_LEN, &head, &states),
                         -EBADMSG);
        bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    for (size_t len = 0; len < SUMS_LEN; len++)
        assert_int_equal(ofs_sums_decode(bytes, len, &head, &states), -EBADMSG);
}

/* Right checks do not make wrong values right. */
static void a_head_that_checks_may_still_be_refused(void **state)
{
    static const struct {
        const char *label;
        uint8_t alg;
        uint64_t size;
        int result;
    } cases[] = {
        { "sha256", OFS_SHA256, 1, 0 },
        { "sha512", OFS_SHA512, 1, 0 },
        { "no algorithm", 0, 1, -EBADMSG },
        { "unknown algorithm", 3, 1, -EBADMSG },
        { "empty blobs have no sums", OFS_SHA256, 0, -EBADMSG },
        { "largest", OFS_SHA256, OFS_BLOB_MAX_BYTES, 0 },
        { "too large", OFS_SHA256, OFS_BLOB_MAX_BYTES + 1, -EBADMSG },
        { "all ones", OFS_SHA256, UINT64_MAX, -EBADMSG },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        struct ofs_sums_head head = {
            .size = cases[i].size,
            .digest = { .alg = cases[i].alg },
        };
        uint8_t bytes[OFS_SUMS_HEAD_LEN];
        int r;

        ofs_sums_head_encode(&head, bytes);
        r = ofs_sums_head_decode(bytes, sizeof(bytes), &head);
        if (r != cases[i].result)
            fail_msg("%s: %d", cases[i].label, r);
    }
}

static void lengths_follow_from_the_size(void **state)
{
    static const struct {
        uint64_t size;
        uint32_t chunks;
        size_t sums256, sums512;
    } cases[] = {
        { 0, 0, 0, 0 },
        { 1, 1, 0, 0 },
        { OFS_CHUNK_BYTES, 1, 0, 0 },
        { OFS_CHUNK_BYTES + 1, 2, 32, 64 },
        { 2 * OFS_CHUNK_BYTES, 2, 32, 64 },
        { OFS_BLOB_MAX_BYTES, 1 << 22, 32 * ((1 << 22) - 1),
          64 * ((1 << 22) - 1) },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        uint64_t size = cases[i].size;

        assert_int_equal(ofs_chunk_count(size), cases[i].chunks);
        assert_int_equal(ofs_sums_len(size, OFS_SHA256), cases[i].sums256);
        assert_int_equal(ofs_sums_len(size, OFS_SHA512), cases[i].sums512);
    }
}

static void boot_ids_are_hexadecimal(void **state)
{
    static const struct {
        const char *text;
        int result;
    } cases[] = {
        { "0f8fad5b-d9cb-469f-a165-70867728950e\n", 0 },
        { "0f8fad5b-d9cb-469f-a165-70867728950e", 0 },
        { "0f8fad5bd9cb469fa16570867728950e", 0 },
        { "0f8fad5b-d9cb-469f-a165-70867728950", -EBADMSG },
        { "0f8fad5b-d9cb-469f-a165-70867728950e0", -EBADMSG },
        { "0f8fad5b-d9cb-469f-a165-70867728950g", -EBADMSG },
        { "", -EBADMSG },
    };
    uint8_t id[OFS_BOOT_ID_LEN];

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++)
        assert_int_equal(ofs_boot_id_parse(cases[i].text, id), cases[i].result);
    assert_int_equal(id[0], 0x0f);
    assert_int_equal(id[15], 0x0e);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_map_head_survives),
        cmocka_unit_test(a_map_head_with_any_bit_wrong_is_none),
        cmocka_unit_test(a_seal_survives_and_each_bit_counts),
        cmocka_unit_test(sums_survive),
        cmocka_unit_test(sums_with_any_bit_wrong_or_cut_are_none),
        cmocka_unit_test(a_head_that_checks_may_still_be_refused),
        cmocka_unit_test(lengths_follow_from_the_size),
        cmocka_unit_test(boot_ids_are_hexadecimal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
