/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/base64.h"

#include "ocirfs/cleanup.h"

/* Source: RFC 4648, 10. */
static const struct {
    const char *plain, *coded;
} vectors[] = {
    { "", "" },
    { "f", "Zg==" },
    { "fo", "Zm8=" },
    { "foo", "Zm9v" },
    { "foob", "Zm9vYg==" },
    { "fooba", "Zm9vYmE=" },
    { "foobar", "Zm9vYmFy" },
    { "\xfb\xff\xfe", "+//+" },
};

static void vectors_are_encoded(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(vectors); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

        assert_int_equal(
            ofs_base64_encode(&b, vectors[i].plain, strlen(vectors[i].plain)),
            0);
        assert_string_equal(ofs_buf_str(&b), vectors[i].coded);
    }
}

static void vectors_are_decoded_with_and_without_padding(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(vectors); i++) {
        const char *coded = vectors[i].coded;
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

        assert_int_equal(ofs_base64_decode(&b, coded, strlen(coded)), 0);
        assert_string_equal(ofs_buf_str(&b), vectors[i].plain);
        ofs_buf_reset(&b);
        assert_int_equal(ofs_base64_decode(&b, coded, strcspn(coded, "=")), 0);
        assert_string_equal(ofs_buf_str(&b), vectors[i].plain);
    }
}

static void every_byte_comes_back(void **state)
{
    OFS_AUTOBUF struct ofs_buf coded = OFS_BUF_INIT(400);
    OFS_AUTOBUF struct ofs_buf plain = OFS_BUF_INIT(256);
    unsigned char all[256];

    (void)state;
    for (size_t i = 0; i < sizeof(all); i++)
        all[i] = (unsigned char)i;
    assert_int_equal(ofs_base64_encode(&coded, all, sizeof(all)), 0);
    assert_int_equal(ofs_base64_decode(&plain, coded.data, coded.len), 0);
    assert_int_equal(plain.len, sizeof(all));
    assert_memory_equal(plain.data, all, sizeof(all));
}

static void the_url_alphabet_is_understood(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10);

    (void)state;
    assert_int_equal(ofs_base64_decode(&b, "-__-", 4), 0);
    assert_memory_equal(b.data, "\xfb\xff\xfe", 3);
}

static void loose_bits_are_tolerated(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(10);

    (void)state;
    assert_int_equal(ofs_base64_decode(&b, "Zh==", 4), 0);
    assert_string_equal(ofs_buf_str(&b), "f");
}

static void nonsense_is_refused_and_adds_nothing(void **state)
{
    static const char *const texts[] = {
        "A",       "AAAAA",    "=",         "==",       "====",
        "A===",    "AA=",      "AAA==",     "AA==AA==", "AA=A",
        "A A=",    "AAA\n",    "Zm9v Zm9v", "Zm9*",     "\xc3\xa3\xc3\xa3",
        "Zm9vZg=", "Zm9v====",
    };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(100);

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(texts); i++) {
        assert_int_equal(ofs_base64_decode(&b, texts[i], strlen(texts[i])),
                         -EBADMSG);
        assert_int_equal(b.len, 0);
    }
}

static void the_limit_of_the_buffer_holds(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(3);

    (void)state;
    assert_int_equal(ofs_base64_encode(&b, "x", 1), -EFBIG);
    ofs_buf_reset(&b);
    assert_int_equal(ofs_base64_decode(&b, "Zm9vYg==", 8), -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(vectors_are_encoded),
        cmocka_unit_test(vectors_are_decoded_with_and_without_padding),
        cmocka_unit_test(every_byte_comes_back),
        cmocka_unit_test(the_url_alphabet_is_understood),
        cmocka_unit_test(loose_bits_are_tolerated),
        cmocka_unit_test(nonsense_is_refused_and_adds_nothing),
        cmocka_unit_test(the_limit_of_the_buffer_holds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
