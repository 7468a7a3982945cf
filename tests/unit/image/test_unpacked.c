/* SPDX-License-Identifier: Apache-2.0 */
#include "image_test.h"

#include "unpacked.h"

#include "ocirfs/thread.h"

enum { MIB = 1024 * 1024, SIZE = 5 * MIB + 4321, SPAN = MIB };

struct layer {
    uint8_t *data; /* owned, as are the others */
    struct ofs_buf packed;
    struct bytes from;
    struct ofs_points points;
    struct ofs_readpool *pool;
    struct ofs_unpacked u;
};

/* Once from its beginning to its end, taking points. */
static void pass(struct layer *l, struct ofs_call *call)
{
    OFS_AUTO(ofs_decoder_freep) struct ofs_decoder *d = NULL;
    OFS_AUTOFREE uint8_t *out = malloc(SIZE + 1);
    size_t n;

    assert_non_null(out);
    assert_int_equal(
        ofs_decoder_open(l->u.packing, l->u.from, NULL, call, &d, NULL), 0);
    ofs_decoder_mark(d, SPAN, ofs_points_take, &l->points);
    assert_int_equal(ofs_decoder_read(d, call, out, SIZE + 1, &n, NULL), 0);
    assert_int_equal(n, SIZE);
    l->u.points = (struct ofs_points_view){
        .at = (const void *)l->points.recs.data,
        .n = l->points.recs.len / sizeof(struct ofs_point_rec),
        .windows = (const void *)l->points.windows.data,
        .windows_len = l->points.windows.len,
    };
    assert_true(ofs_points_valid(&l->u.points, l->packed.len, SIZE));
}

static void layer_init(struct layer *l, enum ofs_packing packing, size_t piece)
{
    struct ofs_call call;

    *l = (struct layer){ .data = some_bytes(SIZE) };
    ofs_buf_init(&l->packed, 64 * MIB);
    for (size_t at = 0; at < SIZE; at += piece) {
        size_t n = SIZE - at < piece ? SIZE - at : piece;

        if (packing == OFS_PACKING_GZIP)
            pack_gzip(&l->packed, l->data + at, n);
        else if (packing == OFS_PACKING_ZSTD)
            pack_zstd(&l->packed, l->data + at, n);
        else
            assert_int_equal(ofs_buf_add(&l->packed, l->data + at, n), 0);
    }
    bytes_init(&l->from, l->packed.data, l->packed.len);
    l->pool = ofs_readpool_new();
    assert_non_null(l->pool);
    ofs_points_init(&l->points);
    l->u = (struct ofs_unpacked){
        .from = &l->from.packed,
        .pool = l->pool,
        .size = SIZE,
        .packing = packing,
    };
    ofs_call_init(&call, OFS_NEVER);
    pass(l, &call);
    ofs_call_done(&call);
}

static void layer_done(struct layer *l)
{
    ofs_readpool_free(l->pool);
    ofs_points_done(&l->points);
    ofs_buf_done(&l->packed);
    free(l->data);
}

static void expect(const struct layer *l, uint64_t off, size_t len)
{
    size_t want = off >= SIZE        ? 0
                  : SIZE - off < len ? (size_t)(SIZE - off)
                                     : len;
    OFS_AUTOFREE uint8_t *out = malloc(len);
    struct ofs_err err = { 0 };
    struct ofs_call call;
    size_t n;

    assert_non_null(out);
    ofs_call_init(&call, OFS_NEVER);
    assert_int_equal(ofs_unpacked_read(&l->u, &call, out, len, off, &n, &err),
                     0);
    ofs_call_done(&call);
    assert_int_equal(n, want);
    assert_memory_equal(out, l->data + off, want);
}

static void read_all_over(const struct layer *l)
{
    uint32_t x = 99;

    for (int i = 0; i < 20; i++) {
        x = x * 1664525 + 1013904223;
        expect(l, x % SIZE, 1 + (x >> 8) % 300000);
    }
    expect(l, SIZE - 1, 10);
    expect(l, SIZE, 10);
    expect(l, (uint64_t)SIZE + 99, 10);
    expect(l, 0, SIZE);
}

static const struct {
    enum ofs_packing packing;
    size_t piece; /* of a member or a frame */
    size_t least; /* points */
} kinds[] = {
    { OFS_PACKING_NONE, SIZE, 0 },  { OFS_PACKING_GZIP, SIZE, 3 },
    { OFS_PACKING_GZIP, 50000, 3 }, { OFS_PACKING_GZIP, 3 * MIB + 7, 3 },
    { OFS_PACKING_ZSTD, SIZE, 0 },  { OFS_PACKING_ZSTD, 100000, 3 },
};

static void any_place_can_be_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(kinds); i++) {
        struct layer l;

        layer_init(&l, kinds[i].packing, kinds[i].piece);
        assert_true(l.u.points.n >= kinds[i].least);
        assert_true(l.points.recs.len + l.points.windows.len <=
                    l.packed.len / 20);
        read_all_over(&l);
        layer_done(&l);
    }
}

/* From the first byte of each point, with nothing kept from before. */
static void every_point_is_a_beginning(void **state)
{
    struct layer l;

    (void)state;
    layer_init(&l, OFS_PACKING_GZIP, 3 * MIB + 7);
    for (size_t i = 0; i < l.u.points.n; i++) {
        ofs_readpool_drop(l.pool, &l.u);
        l.from.n_read = 0;
        expect(&l, l.u.points.at[i].out + 1, 100);
        assert_true(l.from.n_read < l.packed.len / 2);
    }
    layer_done(&l);
}

static void reading_in_order_unpacks_once(void **state)
{
    struct layer l;

    (void)state;
    layer_init(&l, OFS_PACKING_GZIP, SIZE);
    l.from.n_read = 0;
    for (uint64_t at = 0; at < SIZE; at += 50000)
        expect(&l, at, 50000);
    assert_true(l.from.n_read <= l.packed.len);
    layer_done(&l);
}

static void *read_in_order(void *arg)
{
    for (uint64_t at = 0; at < SIZE; at += 100000)
        expect(arg, at, 100000);
    return NULL;
}

/* More threads than the pool has decoders. */
static void many_readers_unpack_little_more_than_one(void **state)
{
    pthread_t threads[12];
    struct layer l;

    (void)state;
    layer_init(&l, OFS_PACKING_GZIP, SIZE);
    for (size_t i = 0; i < OFS_COUNT_OF(threads); i++)
        assert_int_equal(
            ofs_thread_create(&threads[i], NULL, read_in_order, &l), 0);
    for (size_t i = 0; i < OFS_COUNT_OF(threads); i++)
        (void)pthread_join(threads[i], NULL);
    layer_done(&l);
}

static void who_may_not_wait_gets_what_is_there(void **state)
{
    struct ofs_err err = { 0 };
    struct ofs_call call;
    struct layer l;
    uint8_t byte;
    size_t n;

    (void)state;
    layer_init(&l, OFS_PACKING_GZIP, SIZE);
    ofs_call_init(&call, OFS_NEVER);
    call.may_wait = false;
    assert_int_equal(
        ofs_unpacked_read(&l.u, &call, &byte, 1, 3000000, &n, &err), -EAGAIN);
    expect(&l, 3000000, 1);
    assert_int_equal(
        ofs_unpacked_read(&l.u, &call, &byte, 1, 3000000, &n, &err), 0);
    assert_int_equal(byte, l.data[3000000]);
    ofs_call_done(&call);
    layer_done(&l);
}

static void points_of_another_layer_are_told(void **state)
{
    struct ofs_err err = { 0 };
    struct ofs_call call;
    struct layer l;
    uint8_t byte;
    size_t n;

    (void)state;
    layer_init(&l, OFS_PACKING_GZIP, SIZE);
    ofs_call_init(&call, OFS_NEVER);
    l.u.size += 5;
    assert_int_equal(ofs_unpacked_read(&l.u, &call, &byte, 1, SIZE, &n, &err),
                     -EBADMSG);
    ofs_call_cancel(&call);
    assert_int_equal(ofs_unpacked_read(&l.u, &call, &byte, 1, 0, &n, &err),
                     -EINTR);
    ofs_call_done(&call);
    layer_done(&l);
}

/* 32 KiB again and again pack to nothing; windows of them would not. */
static void points_take_their_share_and_no_more(void **state)
{
    OFS_AUTOFREE uint8_t *window = some_bytes(OFS_WINDOW_MAX);
    struct ofs_points p;

    (void)state;
    ofs_points_init(&p);
    for (uint64_t i = 1; i < 2000; i++) {
        struct ofs_point at = { .in = i * 1000,
                                .out = i * MIB,
                                .window = window,
                                .window_len = OFS_WINDOW_MAX };

        assert_int_equal(ofs_points_take(&p, &at), 0);
        assert_true(i < 256 || p.recs.len > 0);
    }
    assert_true(p.recs.len + p.windows.len < 2000 * 1000 / 10);
    ofs_points_done(&p);
}

static void points_that_cannot_be_are_refused(void **state)
{
    static const struct ofs_point_rec good = { .in = 10, .out = 20 };
    struct ofs_point_rec rows[] = { good, good, good, good, good, good, good };
    struct ofs_points_view v = { .n = 1 };

    (void)state;
    v.at = &good;
    assert_true(ofs_points_valid(&v, 100, 200));
    rows[0].in = 101;
    rows[1].out = 201;
    rows[2].bits = 8;
    rows[3].window = 1;
    rows[4].packed_len = 1;
    rows[5].window_len = OFS_WINDOW_MAX + 1;
    rows[6].head = 1;
    rows[6].bits = 1;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        v.at = &rows[i];
        assert_false(ofs_points_valid(&v, 100, 200));
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(any_place_can_be_read),
        cmocka_unit_test(every_point_is_a_beginning),
        cmocka_unit_test(reading_in_order_unpacks_once),
        cmocka_unit_test(many_readers_unpack_little_more_than_one),
        cmocka_unit_test(who_may_not_wait_gets_what_is_there),
        cmocka_unit_test(points_of_another_layer_are_told),
        cmocka_unit_test(points_take_their_share_and_no_more),
        cmocka_unit_test(points_that_cannot_be_are_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
