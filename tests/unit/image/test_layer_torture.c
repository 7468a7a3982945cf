/* SPDX-License-Identifier: Apache-2.0 */
#include "tarwriter.h"

#include "layerbuild.h"

/*
 * The n-th allocation of a pass fails, for every n: that is said as such, and
 * nothing is lost.  (tests/CMakeLists.txt has the linker send them here.)
 */

static int left; /* allocations until one fails; 0: none does */

static bool fails(void)
{
    return left > 0 && --left == 0;
}

void *__real_malloc(size_t size);
void *__real_calloc(size_t n, size_t size);
char *__real_strdup(const char *s);
char *__real_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t n, size_t size);
char *__wrap_strdup(const char *s);
char *__wrap_strndup(const char *s, size_t n);

void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t n, size_t size)
{
    return fails() ? NULL : __real_calloc(n, size);
}

char *__wrap_strdup(const char *s)
{
    return fails() ? NULL : __real_strdup(s);
}

char *__wrap_strndup(const char *s, size_t n)
{
    return fails() ? NULL : __real_strndup(s, n);
}

static void sample(struct ofs_buf *b)
{
    static char much[3 << 20];

    tw_pax(b, "path", "d/long", "SCHILY.xattr.user.k", "v",
           "LIBARCHIVE.xattr.user.l", "TElC", NULL);
    tw_add(b, &(struct tw){ .name = "x", .data = much, .len = sizeof(much) });
    tw_add(b, &(struct tw){ .name = "L", .type = 'L', .data = "d/other" });
    tw_add(b, &(struct tw){ .name = "y", .type = '2', .link = "long" });
    tw_add(b, &(struct tw){ .name = "l", .type = '2', .link = "d/./" });
    tw_add(b, &(struct tw){ .name = "l/through", .data = "1" });
    tw_add(b, &(struct tw){ .name = "h", .type = '1', .link = "later" });
    tw_add(b, &(struct tw){ .name = ".wh.gone" });
    tw_pax(b, "GNU.sparse.size", "9", "GNU.sparse.map", "1,2", NULL);
    tw_add(b, &(struct tw){ .name = "sparse", .data = "ab" });
    tw_add(b, &(struct tw){ .name = "later", .data = "2" });
    tw_end(b);
}

static void every_allocation_may_fail(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(8 << 20);
    OFS_AUTOBUF struct ofs_buf packed = OFS_BUF_INIT(8 << 20);
    struct ofs_layer_skipped skipped;
    struct ofs_layer_pass pass = { 0 };
    struct ofs_call call;
    struct bytes from;
    int r = -ENOMEM, n = 0;

    (void)state;
    sample(&tar);
    pack_gzip(&packed, tar.data, tar.len);
    bytes_init(&from, packed.data, packed.len);
    pass.from = &from.packed;
    pass.id.blob.alg = OFS_SHA256;
    ofs_call_init(&call, OFS_NEVER);
    for (n = 1; r == -ENOMEM; n++) {
        OFS_AUTOBUF struct ofs_buf file = OFS_BUF_INIT(8 << 20);
        struct ofs_err err = { 0 };

        left = n;
        r = ofs_layer_build(&pass, &call, &file, &skipped, &err);
        left = 0;
        assert_true(r == 0 || r == -ENOMEM);
        assert_true(r == 0 || err.code == -ENOMEM);
        assert_true(r < 0 || skipped.n == 0);
    }
    assert_int_equal(r, 0);
    assert_true(n > 40);
    ofs_call_done(&call);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
