/* SPDX-License-Identifier: Apache-2.0 */
#include "tarwriter.h"

#include "layerbuild.h"
#include "layerfile.h"
#include "layerread.h"
#include "xattrlist.h"

#include "ocirfs/file.h"

#include <fcntl.h>

enum { MIB = 1 << 20 };

static struct ofs_call call;

static void digest_of(const struct ofs_buf *b, struct ofs_digest *ret)
{
    assert_int_equal(ofs_digest_of(OFS_SHA256, b->data, b->len, ret), 0);
}

struct built {
    struct bytes from;
    struct ofs_layer_pass pass;
    struct ofs_buf file;
    struct ofs_layer_view v;
    struct ofs_layer_skipped skipped;
    struct ofs_err err;
};

static int build(const struct ofs_buf *layer, struct built *ret)
{
    int r;

    *ret = (struct built){ .file = OFS_BUF_INIT(64 * MIB) };
    bytes_init(&ret->from, layer->data, layer->len);
    digest_of(layer, &ret->pass.id.blob);
    ret->pass.from = &ret->from.packed;
    r = ofs_layer_build(&ret->pass, &call, &ret->file, &ret->skipped,
                        &ret->err);
    if (r == 0)
        assert_int_equal(ofs_layer_decode((const uint8_t *)ret->file.data,
                                          ret->file.len, &ret->v),
                         0);
    return r;
}

/* "a/b": its inode; NULL: not there. */
static const struct ofs_inode *look_up(const struct ofs_layer_view *v,
                                       const char *path)
{
    const struct ofs_inode *i = &v->inodes[0];

    while (i && *path) {
        size_t n = strcspn(path, "/");
        const struct ofs_dent *d =
            i->type == OFS_INODE_DIR ? ofs_layer_find(v, i, path, n) : NULL;

        i = d && d->inode != (uint32_t)OFS_NO_INODE ? &v->inodes[d->inode]
                                                    : NULL;
        path += n + (path[n] == '/');
    }
    return i;
}

static const struct ofs_inode *need(const struct ofs_layer_view *v,
                                    const char *path)
{
    const struct ofs_inode *i = look_up(v, path);

    if (!i)
        fail_msg("no '%s'", path);
    return i;
}

static void sample(struct ofs_buf *b)
{
    tw_add(b, &(struct tw){ .name = "./", .type = '5', .mode = 0700 });
    tw_add(b, &(struct tw){ .name = "z", .data = "zet" });
    tw_add(b, &(struct tw){ .name = "d/e/f", .data = "deep", .uid = 5 });
    tw_add(b, &(struct tw){ .name = "d/", .type = '5', .mode = 0711 });
    tw_add(b, &(struct tw){ .name = "h", .type = '1', .link = "d/e/f" });
    tw_add(b, &(struct tw){ .name = "s", .type = '2', .link = "d/e" });
    tw_add(b, &(struct tw){ .name = "c", .type = '3', .major = 1, .minor = 3 });
    tw_pax(b, "SCHILY.xattr.user.k", "v", NULL);
    tw_add(b, &(struct tw){ .name = "x", .data = "1" });
    tw_pax(b, "SCHILY.xattr.user.k", "v", NULL);
    tw_add(b, &(struct tw){ .name = "y", .data = "2" });
    tw_pax(b, "GNU.sparse.size", "100", "GNU.sparse.map", "10,2,50,2", NULL);
    tw_add(b, &(struct tw){ .name = "sparse", .data = "abcd" });
    tw_end(b);
}

static void an_index_says_what_the_archive_did(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(MIB);
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(MIB);
    const struct ofs_inode *i;
    struct ofs_digest diff;
    struct built b;
    size_t len = 0;

    (void)state;
    sample(&tar);
    pack_gzip(&gz, tar.data, tar.len);
    assert_int_equal(build(&gz, &b), 0);
    digest_of(&tar, &diff);
    assert_true(ofs_digest_eq(&b.v.head->diff, &diff));
    assert_int_equal(b.v.head->size, tar.len);
    assert_int_equal(b.v.inodes[0].mode, 0700);
    assert_false(b.v.inodes[0].flags & OFS_INODE_IMPLIED);
    assert_memory_equal(tar.data + need(&b.v, "z")->data, "zet", 3);
    assert_int_equal(need(&b.v, "d")->mode, 0711);
    assert_int_equal(need(&b.v, "d/e")->flags, OFS_INODE_IMPLIED);
    assert_ptr_equal(need(&b.v, "h"), need(&b.v, "d/e/f"));
    assert_int_equal(need(&b.v, "h")->nlink, 2);
    assert_int_equal(need(&b.v, "h")->uid, 5);
    i = need(&b.v, "s");
    assert_int_equal(i->type, OFS_INODE_SYM);
    assert_memory_equal(b.v.texts + i->data, "d/e", 3);
    assert_int_equal(need(&b.v, "c")->data, UINT64_C(1) << 32 | 3);
    assert_int_equal(need(&b.v, "x")->xattrs, need(&b.v, "y")->xattrs);
    assert_non_null(ofs_layer_xattrs(&b.v, need(&b.v, "x"), &len));
    assert_true(len > 0);
    assert_null(look_up(&b.v, "d/e/g"));
    assert_null(look_up(&b.v, "zz"));
    assert_int_equal(b.skipped.n, 0);
    ofs_buf_done(&b.file);
}

static void bytes_come_out_of_the_packed_layer(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(MIB);
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(MIB);
    OFS_AUTO(ofs_readpool_freep)
    struct ofs_readpool *pool = ofs_readpool_new();
    struct ofs_unpacked u;
    struct ofs_layer_reader from;
    char want[100] = { 0 }, got[200];
    struct built b;
    size_t n;

    (void)state;
    sample(&tar);
    pack_gzip(&gz, tar.data, tar.len);
    assert_int_equal(build(&gz, &b), 0);
    u = (struct ofs_unpacked){ .from = &b.from.packed,
                               .pool = pool,
                               .points = b.v.points,
                               .size = b.v.head->size,
                               .packing = OFS_PACKING_GZIP };
    from = (struct ofs_layer_reader){ &b.v, &u };
    memcpy(want + 10, "ab", 2);
    memcpy(want + 50, "cd", 2);
    for (size_t off = 0; off < 102; off += 3)
        for (size_t len = 1; len < 120; len += 7) {
            size_t most = off < 100 ? 100 - off : 0;

            assert_int_equal(ofs_layer_read(&from, need(&b.v, "sparse"), &call,
                                            got, len, off, &n, NULL),
                             0);
            assert_int_equal(n, len < most ? len : most);
            assert_memory_equal(got, want + (off < 100 ? off : 0), n);
        }
    assert_int_equal(
        ofs_layer_read(&from, need(&b.v, "d/e/f"), &call, got, 99, 1, &n, NULL),
        0);
    assert_int_equal(n, 3);
    assert_memory_equal(got, "eep", 3);
    ofs_buf_done(&b.file);
}

/* No byte of an index may be another, and none missing. */
static void what_is_wrong_in_any_way_is_not_believed(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(MIB);
    struct ofs_layer_view v;
    struct built b;
    uint8_t *data;

    (void)state;
    sample(&tar);
    assert_int_equal(build(&tar, &b), 0);
    data = (uint8_t *)b.file.data;
    for (size_t i = 0; i < b.file.len; i++) {
        data[i] ^= 1;
        assert_int_equal(ofs_layer_decode(data, b.file.len, &v), -EBADMSG);
        data[i] ^= 1;
    }
    for (size_t i = 0; i < b.file.len; i += 3)
        assert_int_equal(ofs_layer_decode(data, i, &v), -EBADMSG);
    assert_int_equal(ofs_layer_decode(data, b.file.len, &v), 0);
    ofs_buf_done(&b.file);
}

static void a_wrong_index_file_is_removed(void **state)
{
    char dir[] = "/tmp/ofs-index-XXXXXX";
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(MIB);
    struct ofs_layer_index *x = NULL;
    struct ofs_layer_id other;
    struct built b;
    int fd;

    (void)state;
    assert_non_null(mkdtemp(dir));
    fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    sample(&tar);
    assert_int_equal(build(&tar, &b), 0);
    assert_int_equal(
        ofs_layer_index_open(fd, "x", &b.pass.id, tar.len, &x, NULL), -ENOENT);
    assert_int_equal(ofs_file_replace(fd, "x", b.file.data, b.file.len, false),
                     0);
    assert_int_equal(
        ofs_layer_index_open(fd, "x", &b.pass.id, tar.len, &x, NULL), 0);
    assert_int_equal(x->v.n_inodes, b.v.n_inodes);
    ofs_layer_index_free(x);
    other = b.pass.id;
    other.blob.bytes[0] ^= 1;
    assert_int_equal(ofs_layer_index_open(fd, "x", &other, tar.len, &x, NULL),
                     -ENOENT);
    assert_int_equal(faccessat(fd, "x", F_OK, 0), -1);
    assert_int_equal(ofs_file_replace(fd, "x", "", 0, false), 0);
    assert_int_equal(
        ofs_layer_index_open(fd, "x", &b.pass.id, tar.len, &x, NULL), -ENOENT);
    assert_int_equal(faccessat(fd, "x", F_OK, 0), -1);
    (void)close(fd);
    assert_int_equal(rmdir(dir), 0);
    ofs_buf_done(&b.file);
}

static void layers_that_are_not_what_they_should_be_have_no_index(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(MIB);
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(MIB);
    struct ofs_layer_skipped skipped;
    struct built b;

    (void)state;
    sample(&tar);
    pack_gzip(&gz, tar.data, tar.len);
    gz.len -= 20;
    assert_int_equal(build(&gz, &b), -EBADMSG);
    gz.len += 20;
    assert_int_equal(build(&gz, &b), 0);
    ofs_buf_reset(&b.file);
    b.pass.id.diff = b.pass.id.blob;
    assert_int_equal(ofs_layer_build(&b.pass, &call, &b.file, &skipped, &b.err),
                     -EBADMSG);
    assert_non_null(strstr(b.err.text, "diff_id"));
    b.pass.id.diff.alg = 0;
    b.pass.max_size = 5000;
    assert_int_equal(ofs_layer_build(&b.pass, &call, &b.file, &skipped, &b.err),
                     -EFBIG);
    ofs_buf_done(&b.file);
}

/* 100 MiB of zeros in 100 KiB: time, but neither memory nor disk. */
static void a_bomb_ends_at_its_limit(void **state)
{
    OFS_AUTOBUF struct ofs_buf gz = OFS_BUF_INIT(MIB);
    OFS_AUTOFREE uint8_t *zeros = calloc(1, 10 * MIB);
    struct ofs_layer_skipped skipped;
    struct built b = { .file = OFS_BUF_INIT(MIB) };

    (void)state;
    assert_non_null(zeros);
    tw_block(zeros, &(struct tw){ .name = "big" }, 2000000000);
    for (int i = 0; i < 10; i++) {
        pack_gzip(&gz, zeros, 10 * MIB);
        memset(zeros, 0, 512);
    }
    bytes_init(&b.from, gz.data, gz.len);
    b.pass.from = &b.from.packed;
    b.pass.max_size = 50 * MIB;
    assert_int_equal(ofs_layer_build(&b.pass, &call, &b.file, &skipped, &b.err),
                     -EFBIG);
    b.pass.max_size = 0;
    assert_int_equal(ofs_layer_build(&b.pass, &call, &b.file, &skipped, &b.err),
                     -EBADMSG);
    assert_int_equal(b.file.len, 0);
}

static void a_pass_that_nobody_wants_ends(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(MIB);
    struct ofs_layer_skipped skipped;
    struct ofs_call gone;
    struct built b;

    (void)state;
    sample(&tar);
    assert_int_equal(build(&tar, &b), 0);
    ofs_call_init(&gone, OFS_NEVER);
    ofs_call_cancel(&gone);
    assert_int_equal(ofs_layer_build(&b.pass, &gone, &b.file, &skipped, &b.err),
                     -EINTR);
    ofs_call_done(&gone);
    ofs_buf_done(&b.file);
}

/* As many names in one directory as node_modules has. */
static void a_hundred_thousand_names_are_found(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = OFS_BUF_INIT(64 * MIB);
    struct built b;
    char name[20];

    (void)state;
    for (int i = 0; i < 100000; i++) {
        (void)snprintf(name, sizeof(name), "d/%x", i * 7919 % 100000);
        tw_add(&tar, &(struct tw){ .name = name, .uid = (unsigned)i });
    }
    tw_end(&tar);
    assert_int_equal(build(&tar, &b), 0);
    assert_int_equal(need(&b.v, "d")->n, 100000);
    for (int i = 0; i < 100000; i += 997) {
        (void)snprintf(name, sizeof(name), "d/%x", i * 7919 % 100000);
        assert_int_equal(need(&b.v, name)->uid, i);
    }
    ofs_buf_done(&b.file);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_index_says_what_the_archive_did),
        cmocka_unit_test(bytes_come_out_of_the_packed_layer),
        cmocka_unit_test(what_is_wrong_in_any_way_is_not_believed),
        cmocka_unit_test(a_wrong_index_file_is_removed),
        cmocka_unit_test(layers_that_are_not_what_they_should_be_have_no_index),
        cmocka_unit_test(a_bomb_ends_at_its_limit),
        cmocka_unit_test(a_pass_that_nobody_wants_ends),
        cmocka_unit_test(a_hundred_thousand_names_are_found),
    };

    ofs_call_init(&call, OFS_NEVER);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
