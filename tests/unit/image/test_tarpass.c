/* SPDX-License-Identifier: Apache-2.0 */
#include "tarwriter.h"

#include "tarpass.h"
#include "xattrlist.h"

enum { MAX_SEEN = 40, MIB = 1 << 20 };

struct seen {
    enum ofs_tar_type type;
    char path[300], link[300];
    struct ofs_tar_entry e; /* its pointers are gone, but for: */
    struct ofs_extent extents[8];
    char xattrs[200]; /* "name=value;" */
    char bytes[8];    /* the first of its data */
};

struct result {
    const struct ofs_buf *tar;
    size_t at;
    struct seen seen[MAX_SEEN];
    size_t n, n_skipped;
    char why[100];
    uint64_t size;
    struct ofs_err err;
};

static int feed(void *arg, void *buf, size_t len, size_t *ret_n,
                struct ofs_err *err)
{
    struct result *r = arg;
    size_t n = r->tar->len - r->at;

    (void)err;
    n = n < len ? n : len;
    if (n > 0)
        memcpy(buf, r->tar->data + r->at, n);
    r->at += n;
    *ret_n = n;
    return 0;
}

static void list_xattrs(const struct ofs_tar_entry *e, struct seen *s)
{
    struct ofs_xattr x;
    size_t at = 0;

    while (ofs_xattr_next(e->xattrs, e->xattrs_len, &at, &x)) {
        size_t n = strlen(s->xattrs);

        (void)snprintf(s->xattrs + n, sizeof(s->xattrs) - n, "%.*s=%.*s;",
                       (int)x.name_len, x.name, (int)x.value_len,
                       (const char *)x.value);
    }
}

static int see(void *arg, const struct ofs_tar_entry *e, struct ofs_err *err)
{
    struct result *r = arg;
    struct seen *s = &r->seen[r->n++];

    (void)err;
    assert_true(r->n <= MAX_SEEN);
    assert_int_equal(strlen(e->path), e->path_len);
    s->e = *e;
    s->type = e->type;
    (void)snprintf(s->path, sizeof(s->path), "%s", e->path);
    (void)snprintf(s->link, sizeof(s->link), "%.*s", (int)e->link_len, e->link);
    for (size_t i = 0; i < e->n_extents && i < 8; i++)
        s->extents[i] = e->extents[i];
    list_xattrs(e, s);
    if (e->type == OFS_TAR_REG && e->data < r->tar->len)
        memcpy(s->bytes, r->tar->data + e->data,
               e->size < 7 ? (size_t)e->size : 7);
    return 0;
}

static void left_out(void *arg, const char *path, const char *why)
{
    struct result *r = arg;

    (void)path;
    r->n_skipped++;
    (void)snprintf(r->why, sizeof(r->why), "%s", why);
}

static int pass(const struct ofs_buf *tar, struct result *r)
{
    struct ofs_tar_in in = { feed, see, left_out, r };

    *r = (struct result){ .tar = tar };
    return ofs_tar_pass(&in, &r->size, &r->err);
}

static void each_type_is_told_with_what_belongs_to_it(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    static struct result r;

    (void)state;
    tw_add(&b, &(struct tw){ .name = "./", .type = '5', .mode = 0750 });
    tw_add(&b, &(struct tw){ .name = "f",
                             .data = "hello",
                             .mode = 04755,
                             .uid = 7,
                             .gid = 8,
                             .mtime = 1000 });
    tw_add(&b,
           &(struct tw){ .name = "h", .type = '1', .link = "../f", .size = 5 });
    tw_add(&b, &(struct tw){ .name = "s", .type = '2', .link = "../x" });
    tw_add(&b,
           &(struct tw){ .name = "c", .type = '3', .major = 5, .minor = 1 });
    tw_add(&b, &(struct tw){ .name = "b", .type = '4', .major = 8 });
    tw_add(&b, &(struct tw){ .name = "d/", .type = '5', .size = 99 });
    tw_add(&b, &(struct tw){ .name = "p", .type = '6' });
    tw_add(&b, &(struct tw){ .name = "seven", .type = '7', .data = "x" });
    tw_add(&b,
           &(struct tw){ .name = "old", .raw = true, .data = "y", .v7 = true });
    tw_add(&b, &(struct tw){ .name = "olddir/", .raw = true, .v7 = true });
    tw_add(&b, &(struct tw){ .name = "file/", .data = "data" });
    tw_end(&b);
    assert_int_equal(pass(&b, &r), 0);
    assert_int_equal(r.n, 12);
    assert_int_equal(r.size, b.len);
    assert_string_equal(r.seen[0].path, "");
    assert_int_equal(r.seen[0].e.mode, 0750);
    assert_int_equal(r.seen[1].e.mode, 04755);
    assert_int_equal(r.seen[1].e.uid * 10 + r.seen[1].e.gid, 78);
    assert_int_equal(r.seen[1].e.mtime_s, 1000);
    assert_string_equal(r.seen[1].bytes, "hello");
    assert_int_equal(r.seen[2].type, OFS_TAR_LINK);
    assert_string_equal(r.seen[2].link, "f");
    assert_string_equal(r.seen[3].link, "../x");
    assert_int_equal(r.seen[4].e.major * 10 + r.seen[4].e.minor, 51);
    assert_int_equal(r.seen[5].type, OFS_TAR_BLK);
    assert_int_equal(r.seen[6].type, OFS_TAR_DIR);
    assert_string_equal(r.seen[6].path, "d");
    assert_int_equal(r.seen[7].type, OFS_TAR_PIPE);
    assert_string_equal(r.seen[8].bytes, "x");
    assert_string_equal(r.seen[9].bytes, "y");
    assert_int_equal(r.seen[10].type, OFS_TAR_DIR);
    /* of type 0 it is a file, whatever its name ends in */
    assert_int_equal(r.seen[11].type, OFS_TAR_REG);
    assert_string_equal(r.seen[11].bytes, "data");
}

static void long_names_and_extended_headers_are_for_the_next_entry(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    static struct result r;

    (void)state;
    tw_add(&b, &(struct tw){ .name = "L", .type = 'L', .data = "lost" });
    tw_add(&b,
           &(struct tw){ .name = "L", .type = 'L', .data = "long", .len = 5 });
    tw_add(&b, &(struct tw){ .name = "K", .type = 'K', .data = "target" });
    tw_pax(&b, "path", "loses", NULL);
    tw_add(&b, &(struct tw){ .name = "a", .type = '2', .link = "x" });
    tw_add(&b, &(struct tw){ .name = "b", .type = '2', .link = "y" });
    tw_pax(&b, "uid", "1", NULL);
    tw_pax(&b, "path", "caf\xe9\xff", "uid", "2147483653", "gid", "4294967295",
           "mtime", "-1000.5", "size", "3", "comment", "x", NULL);
    tw_add(&b, &(struct tw){ .name = "c", .data = "abc", .size = 999 });
    tw_add(&b,
           &(struct tw){ .name = "g", .type = 'g', .data = "12 path=bad\n" });
    tw_pax(&b, "path", "", "mtime", "1.1234567899", NULL);
    tw_add(&b, &(struct tw){ .name = "d" });
    tw_end(&b);
    assert_int_equal(pass(&b, &r), 0);
    assert_int_equal(r.n, 4);
    assert_string_equal(r.seen[0].path, "long");
    assert_string_equal(r.seen[0].link, "target");
    assert_string_equal(r.seen[1].path, "b");
    assert_string_equal(r.seen[1].link, "y");
    assert_string_equal(r.seen[2].path, "caf\xe9\xff");
    assert_int_equal(r.seen[2].e.uid, 2147483653u);
    assert_int_equal(r.seen[2].e.gid, 65534); /* -1 owns nothing */
    assert_int_equal(r.seen[2].e.mtime_s, -1001);
    assert_int_equal(r.seen[2].e.mtime_ns, 500000000);
    assert_int_equal(r.seen[2].e.size, 3);
    assert_string_equal(r.seen[3].path, "d");
    assert_int_equal(r.seen[3].e.mtime_s, 1);
    assert_int_equal(r.seen[3].e.mtime_ns, 123456789);
}

static void attributes_are_those_that_runtimes_set(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    static struct result r;

    (void)state;
    tw_pax(&b, "LIBARCHIVE.xattr.user.k", "TElC", "SCHILY.xattr.user.k", "SCH",
           "LIBARCHIVE.xattr.user.only%41", "TElC",
           "SCHILY.xattr.trusted.overlay.opaque", "y",
           "SCHILY.xattr.user.overlay.redirect", "/x", "SCHILY.acl.access",
           "user::rwx", "SCHILY.xattr.user.e=q", "v",
           "LIBARCHIVE.xattr.user.bad", "*", NULL);
    tw_add(&b, &(struct tw){ .name = "a" });
    tw_add(&b, &(struct tw){ .name = "b" });
    tw_end(&b);
    assert_int_equal(pass(&b, &r), 0);
    assert_string_equal(r.seen[0].xattrs,
                        "user.k=SCH;user.e=q=v;user.onlyA=LIB;");
    assert_string_equal(r.seen[1].xattrs, "");
}

static void holes_are_told_in_all_four_forms(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    static struct result r;
    uint8_t *block;

    (void)state;
    tw_add(&b, &(struct tw){
                   .name = "old", .type = 'S', .gnu = true, .data = "abcd" });
    block = (uint8_t *)b.data;
    memcpy(block + 386,
           "00000000010\0"
           "00000000003\0"
           "00000000100\0"
           "00000000001\0",
           48);
    memcpy(block + 483, "00000000200\0", 12);
    tw_sum(block);
    tw_pax(&b, "GNU.sparse.size", "100", "GNU.sparse.numblocks", "1",
           "GNU.sparse.offset", "10", "GNU.sparse.numbytes", "2", NULL);
    tw_add(&b, &(struct tw){ .name = "v00", .data = "ab" });
    tw_pax(&b, "GNU.sparse.size", "100", "GNU.sparse.map", "10,1,50,1",
           "GNU.sparse.name", "v01", NULL);
    tw_add(&b, &(struct tw){ .name = "x/GNUSparseFile.1/v01", .data = "ab" });
    {
        char data[515] = "1\n7\n3\n";

        memcpy(data + 512, "xyz", 3);
        tw_pax(&b, "GNU.sparse.major", "1", "GNU.sparse.minor", "0",
               "GNU.sparse.name", "v10", "GNU.sparse.realsize", "20", NULL);
        tw_add(&b, &(struct tw){ .name = "x/GNUSparseFile.1/v10",
                                 .data = data,
                                 .len = 515 });
    }
    tw_add(&b, &(struct tw){ .name = "after", .data = "!" });
    tw_end(&b);
    assert_int_equal(pass(&b, &r), 0);
    assert_int_equal(r.n, 5);
    assert_int_equal(r.seen[0].e.size, 0200);
    assert_int_equal(r.seen[0].e.n_extents, 2);
    assert_int_equal(r.seen[0].extents[1].off, 0100);
    assert_string_equal(r.seen[1].path, "v00");
    assert_int_equal(r.seen[1].e.size, 100);
    assert_int_equal(r.seen[1].extents[0].len, 2);
    assert_string_equal(r.seen[2].path, "v01");
    assert_int_equal(r.seen[2].e.n_extents, 2);
    assert_string_equal(r.seen[3].path, "v10");
    assert_int_equal(r.seen[3].e.size, 20);
    assert_int_equal(r.seen[3].extents[0].off, 7);
    assert_memory_equal(r.seen[3].bytes, "xyz", 3);
    assert_string_equal(r.seen[4].path, "after");
}

static void what_no_runtime_takes_is_left_out_and_said(void **state)
{
    static const char types[] = "VMDXZ";
    static struct result r;

    (void)state;
    for (size_t i = 0; i < sizeof(types) - 1; i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);

        tw_add(&b,
               &(struct tw){ .name = "odd", .type = types[i], .data = "data" });
        tw_add(&b, &(struct tw){ .name = "a", .data = "x" });
        tw_end(&b);
        assert_int_equal(pass(&b, &r), 0);
        assert_int_equal(r.n, 1);
        assert_int_equal(r.n_skipped, 1);
        assert_non_null(strchr(r.why, types[i]));
    }
}

static void names_that_no_directory_can_list_are_left_out(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    static struct result r;
    char name[301] = { 0 };

    (void)state;
    memset(name, 'n', 300);
    tw_pax(&b, "path", name, NULL);
    tw_add(&b, &(struct tw){ .name = "x" });
    tw_add(&b, &(struct tw){ .name = "ok" });
    tw_end(&b);
    assert_int_equal(pass(&b, &r), 0);
    assert_int_equal(r.n, 1);
    assert_int_equal(r.n_skipped, 1);
    assert_string_equal(r.seen[0].path, "ok");
}

static void an_archive_ends_in_one_of_three_ways(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    static struct result r;
    size_t len;

    (void)state;
    assert_int_equal(pass(&b, &r), 0); /* empty */
    tw_add(&b, &(struct tw){ .name = "a", .data = "x" });
    assert_int_equal(pass(&b, &r), 0); /* nothing after an entry */
    len = b.len;
    tw_end(&b);
    tw_add(&b, &(struct tw){ .name = "later" });
    assert_int_equal(pass(&b, &r), 0); /* what follows is no entry */
    assert_int_equal(r.n, 1);
    assert_int_equal(r.size, b.len);
    b.len = len + 512;
    assert_int_equal(pass(&b, &r), 0); /* one block of zeros, then nothing */
    memmove(b.data + len + 512, b.data, 512);
    b.len = len + 1024;
    assert_int_equal(pass(&b, &r),
                     -EBADMSG); /* files behind one would be lost */
    assert_non_null(strstr(r.err.text, "single block"));
}

static void damage_is_told_with_its_place(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);
    static struct result r;
    size_t whole;

    (void)state;
    tw_pax(&b, "path", "name", NULL);
    tw_add(&b, &(struct tw){ .name = "a", .data = "x" });
    whole = b.len;
    for (b.len = 1; b.len < whole; b.len += 100)
        if (b.len % 512 != 0)
            assert_int_equal(pass(&b, &r), -EBADMSG);
    b.len = whole;
    b.data[1024] ^= 1; /* a name's byte: the checksum */
    assert_int_equal(pass(&b, &r), -EBADMSG);
    assert_non_null(strstr(r.err.text, "bytes into the archive"));
}

static void wrong_extended_headers_are_damage(void **state)
{
    static const char *const rows[] = {
        "1 a=b\n",
        "99 path=x\n",
        "10 path=ab",
        "7 path\n",
        "5 =b\n",
        "13 size=-1234\n",
        "x path=a\n",
        "13 mtime=abc\n",
        "11 size=x1\n",
        "29 GNU.sparse.map=1,2,3,4,5\n",
        "25 GNU.sparse.numbytes=5\n",
        "99999999999999999999999 path=x\n",
    };
    static struct result r;

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MIB);

        tw_add(&b, &(struct tw){ .name = "x", .type = 'x', .data = rows[i] });
        tw_add(&b, &(struct tw){ .name = "a" });
        assert_int_equal(pass(&b, &r), -EBADMSG);
    }
    {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4 * MIB);

        tw_add(&b, &(struct tw){ .name = "x", .type = 'x', .size = 2 * MIB });
        assert_int_equal(pass(&b, &r), -EBADMSG);
        b.len = 0;
        tw_add(&b, &(struct tw){ .name = "x",
                                 .type = 'x',
                                 .len = 12,
                                 .data = "12 path=a\0b\n" });
        tw_add(&b, &(struct tw){ .name = "a" });
        assert_int_equal(pass(&b, &r), -EBADMSG);
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_type_is_told_with_what_belongs_to_it),
        cmocka_unit_test(
            long_names_and_extended_headers_are_for_the_next_entry),
        cmocka_unit_test(attributes_are_those_that_runtimes_set),
        cmocka_unit_test(holes_are_told_in_all_four_forms),
        cmocka_unit_test(what_no_runtime_takes_is_left_out_and_said),
        cmocka_unit_test(names_that_no_directory_can_list_are_left_out),
        cmocka_unit_test(an_archive_ends_in_one_of_three_ways),
        cmocka_unit_test(damage_is_told_with_its_place),
        cmocka_unit_test(wrong_extended_headers_are_damage),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
