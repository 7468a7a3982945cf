/* SPDX-License-Identifier: Apache-2.0 */
#include "image_test.h"

#include "decoder.h"
#include "unzstd.h"

enum { MIB = 1024 * 1024 };

static struct ofs_call call;

/* What comes out, read in pieces of `piece`, or why it ends. */
static int decode(enum ofs_packing packing, struct bytes *from, size_t piece,
                  struct ofs_buf *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_decoder_freep) struct ofs_decoder *d = NULL;
    OFS_AUTOFREE uint8_t *buf = malloc(piece);
    size_t n = piece;
    int r = ofs_decoder_open(packing, &from->packed, NULL, &call, &d, err);

    assert_non_null(buf);
    while (r == 0 && n == piece) {
        r = ofs_decoder_read(d, &call, buf, piece, &n, err);
        if (r == 0)
            assert_int_equal(ofs_buf_add(ret, buf, n), 0);
    }
    return r;
}

static void expect(enum ofs_packing packing, const struct ofs_buf *packed,
                   const void *data, size_t len)
{
    static const size_t pieces[] = { 1000, 65536, 4 * MIB };
    struct bytes from;

    for (size_t i = 0; i < OFS_COUNT_OF(pieces); i++) {
        OFS_AUTOBUF struct ofs_buf out = OFS_BUF_INIT(64 * MIB);
        struct ofs_err err = { 0 };

        bytes_init(&from, packed->data, packed->len);
        from.step = i == 0 ? 777 : SIZE_MAX;
        assert_int_equal(decode(packing, &from, pieces[i], &out, &err), 0);
        assert_int_equal(out.len, len);
        assert_memory_equal(out.data, data, len);
    }
}

static void packings_are_told_by_their_first_bytes(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        enum ofs_packing want;
    } rows[] = {
        { "\x1f\x8b\x08", 3, OFS_PACKING_GZIP },
        { "\x1f", 1, OFS_PACKING_NONE },
        { "\x28\xb5\x2f\xfd", 4, OFS_PACKING_ZSTD },
        { "\x5e\x2a\x4d\x18", 4, OFS_PACKING_ZSTD },
        { "\x28\xb5\x2f", 3, OFS_PACKING_NONE },
        { "etc/", 4, OFS_PACKING_NONE },
        { "", 0, OFS_PACKING_NONE },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        assert_int_equal(
            ofs_packing_sniff((const uint8_t *)rows[i].bytes, rows[i].len),
            rows[i].want);
}

static void plain_gzip_and_zstd_come_out_as_they_went_in(void **state)
{
    size_t len = 3 * MIB + 17;
    OFS_AUTOFREE uint8_t *data = some_bytes(len);
    OFS_AUTOBUF struct ofs_buf plain = OFS_BUF_INIT(16 * MIB);
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(16 * MIB);
    OFS_AUTOBUF struct ofs_buf zst = OFS_BUF_INIT(16 * MIB);

    (void)state;
    assert_int_equal(ofs_buf_add(&plain, data, len), 0);
    pack_gzip(&gz, data, len);
    pack_zstd(&zst, data, len);
    expect(OFS_PACKING_NONE, &plain, data, len);
    expect(OFS_PACKING_GZIP, &gz, data, len);
    expect(OFS_PACKING_ZSTD, &zst, data, len);
}

/* As eStargz, bgzip, pigz -i and zstd -T have them; an empty one among them. */
static void several_members_and_frames_are_one_stream(void **state)
{
    size_t len = 300000;
    OFS_AUTOFREE uint8_t *data = some_bytes(len);
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(16 * MIB);
    OFS_AUTOBUF struct ofs_buf zst = OFS_BUF_INIT(16 * MIB);

    (void)state;
    for (size_t at = 0; at < len; at += 100000) {
        pack_gzip(&gz, data + at, 100000);
        pack_gzip(&gz, data, 0);
        pack_zstd(&zst, data + at, 100000);
        assert_int_equal(ofs_buf_add(&zst, "\x53\x2a\x4d\x18\3\0\0\0abc", 11),
                         0);
    }
    expect(OFS_PACKING_GZIP, &gz, data, len);
    expect(OFS_PACKING_ZSTD, &zst, data, len);
}

static void zeros_and_strangers_after_the_end_are_not_part_of_it(void **state)
{
    OFS_AUTOFREE uint8_t *data = some_bytes(5000);
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(MIB);
    OFS_AUTOBUF struct ofs_buf zst = OFS_BUF_INIT(MIB);
    static const char zeros[700];

    (void)state;
    pack_gzip(&gz, data, 5000);
    assert_int_equal(ofs_buf_add(&gz, zeros, sizeof(zeros)), 0);
    expect(OFS_PACKING_GZIP, &gz, data, 5000);
    assert_int_equal(ofs_buf_adds(&gz, "strangers"), 0);
    expect(OFS_PACKING_GZIP, &gz, data, 5000);
    pack_zstd(&zst, data, 5000);
    assert_int_equal(ofs_buf_adds(&zst, "strangers"), 0);
    expect(OFS_PACKING_ZSTD, &zst, data, 5000);
}

/* Each length that is too short, and each byte that is wrong. */
static void what_is_cut_or_changed_is_an_error_or_changes_nothing(void **state)
{
    OFS_AUTOFREE uint8_t *data = some_bytes(2000);
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(MIB);
    OFS_AUTOBUF struct ofs_buf zst = OFS_BUF_INIT(MIB);
    struct ofs_buf *of[] = {
        [OFS_PACKING_GZIP] = &gz, [OFS_PACKING_ZSTD] = &zst
    };

    (void)state;
    pack_gzip(&gz, data, 2000);
    pack_zstd(&zst, data, 2000);
    for (int p = OFS_PACKING_GZIP; p <= OFS_PACKING_ZSTD; p++)
        for (size_t i = 0; i < of[p]->len; i++) {
            OFS_AUTOBUF struct ofs_buf out = OFS_BUF_INIT(MIB);
            struct ofs_err err = { 0 };
            struct bytes from;

            bytes_init(&from, of[p]->data, i);
            assert_int_equal(
                decode((enum ofs_packing)p, &from, 4096, &out, &err), -EBADMSG);
            assert_true(err.text[0] != '\0');
        }
    for (size_t i = 0; i < gz.len; i++) {
        OFS_AUTOBUF struct ofs_buf out = OFS_BUF_INIT(MIB);
        struct ofs_err err = { 0 };
        struct bytes from;

        gz.data[i] = (char)(gz.data[i] ^ 0x10);
        bytes_init(&from, gz.data, gz.len);
        if (decode(OFS_PACKING_GZIP, &from, 4096, &out, &err) == 0)
            assert_memory_equal(out.data, data, 2000);
        gz.data[i] = (char)(gz.data[i] ^ 0x10);
    }
}

static void a_layer_shorter_than_its_size_is_an_error(void **state)
{
    OFS_AUTOBUF struct ofs_buf out = OFS_BUF_INIT(MIB);
    struct ofs_err err = { 0 };
    struct bytes from;

    (void)state;
    bytes_init(&from, "", 0);
    from.step = 0;
    from.packed.size = 10;
    assert_int_equal(decode(OFS_PACKING_NONE, &from, 4096, &out, &err),
                     -EBADMSG);
}

static void a_frame_that_wants_too_much_memory_is_refused(void **state)
{
    /* A frame header: no single segment, window descriptor for 2 GiB. */
    static const char frame[] = "\x28\xb5\x2f\xfd\x00\xa8\x01\x00\x00";
    OFS_AUTOBUF struct ofs_buf out = OFS_BUF_INIT(MIB);
    struct ofs_err err = { 0 };
    struct bytes from;

    (void)state;
    bytes_init(&from, frame, sizeof(frame) - 1);
    assert_int_equal(decode(OFS_PACKING_ZSTD, &from, 4096, &out, &err),
                     -EBADMSG);
    assert_non_null(strstr(err.text, "memory"));
}

static void small_things_of_our_own_are_packed_and_unpacked(void **state)
{
    OFS_AUTOFREE uint8_t *data = some_bytes(5000);
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    uint8_t out[5000];

    (void)state;
    assert_int_equal(ofs_zstd_pack(&b, data, 5000), 0);
    assert_int_equal(ofs_zstd_unpack(b.data, b.len, out, 5000), 0);
    assert_memory_equal(out, data, 5000);
    assert_int_equal(ofs_zstd_unpack(b.data, b.len, out, 4999), -EBADMSG);
    assert_int_equal(ofs_zstd_unpack(b.data, b.len - 1, out, 5000), -EBADMSG);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(packings_are_told_by_their_first_bytes),
        cmocka_unit_test(plain_gzip_and_zstd_come_out_as_they_went_in),
        cmocka_unit_test(several_members_and_frames_are_one_stream),
        cmocka_unit_test(zeros_and_strangers_after_the_end_are_not_part_of_it),
        cmocka_unit_test(what_is_cut_or_changed_is_an_error_or_changes_nothing),
        cmocka_unit_test(a_layer_shorter_than_its_size_is_an_error),
        cmocka_unit_test(a_frame_that_wants_too_much_memory_is_refused),
        cmocka_unit_test(small_things_of_our_own_are_packed_and_unpacked),
    };

    ofs_call_init(&call, OFS_NEVER);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
