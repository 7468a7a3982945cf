/* SPDX-License-Identifier: Apache-2.0 */
#include "tarwriter.h"

#include "ocirfs/image.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>

enum { MIB = 1 << 20, MAX_LAYERS = 3, MAX_ENTRIES = 8 };

static char dir[] = "/tmp/ofs-image-XXXXXX";
static struct ofs_layers *layers;
static struct ofs_call call;

/* An image of some layers, open. */
struct opened {
    struct ofs_buf tars[MAX_LAYERS];
    struct bytes from[MAX_LAYERS];
    struct ofs_layer_skipped skipped[MAX_LAYERS];
    struct ofs_layer *at[MAX_LAYERS];
    size_t n;
    struct ofs_image *image;
};

static void add_layer(struct opened *o, const struct ofs_buf *packed)
{
    struct ofs_layer_cfg cfg = { 0 };
    struct ofs_err err = { 0 };
    size_t i = o->n++;

    bytes_init(&o->from[i], packed->data, packed->len);
    cfg.packed = o->from[i].packed;
    assert_int_equal(
        ofs_digest_of(OFS_SHA256, packed->data, packed->len, &cfg.id.blob), 0);
    if (ofs_layer_open(layers, &cfg, &o->at[i], &err) == 0)
        return;
    if (ofs_layer_make_index(layers, &cfg, &call, &o->skipped[i], &err) < 0)
        fail_msg("%s", err.text);
    assert_int_equal(ofs_layer_open(layers, &cfg, &o->at[i], &err), 0);
}

static void merge(struct opened *o)
{
    assert_int_equal(ofs_image_merge(o->at, o->n, 77, &o->image, NULL), 0);
}

static void opened_done(struct opened *o)
{
    ofs_image_free(o->image);
    for (size_t i = 0; i < o->n; i++) {
        ofs_layer_close(o->at[i]);
        ofs_buf_done(&o->tars[i]);
    }
    *o = (struct opened){ 0 };
}

struct listing {
    struct opened *o;
    struct ofs_image_node dir;
    char path[300];
    struct ofs_buf *text;
};

static void list(struct opened *o, struct ofs_image_node node, const char *path,
                 struct ofs_buf *text);

/* "path=bytes", "path/", "path->target", "path:c5,1". */
static void describe(struct opened *o, const char *path,
                     struct ofs_image_node node, struct ofs_buf *text)
{
    OFS_AUTOBUF struct ofs_buf target = OFS_BUF_INIT(5000);
    struct ofs_image_stat st;
    char data[9] = { 0 };
    size_t n = 0;

    assert_int_equal(ofs_image_stat(o->image, node, &st), 0);
    switch (st.mode & S_IFMT) {
    case S_IFDIR:
        (void)ofs_buf_addf(text, "%s/ ", path);
        list(o, node, path, text);
        break;
    case S_IFREG:
        assert_int_equal(
            ofs_image_read(o->image, node, &call, data, 8, 0, &n, NULL), 0);
        (void)ofs_buf_addf(text, "%s=%s ", path, data);
        break;
    case S_IFLNK:
        assert_int_equal(ofs_image_readlink(o->image, node, &target), 0);
        (void)ofs_buf_addf(text, "%s->%s ", path, ofs_buf_str(&target));
        break;
    default:
        (void)ofs_buf_addf(text, "%s:%o,%u,%u ", path, st.mode & S_IFMT,
                           st.major, st.minor);
    }
}

static int on_name(void *arg, const char *name, size_t len,
                   struct ofs_image_node node)
{
    const struct listing *l = arg;
    struct ofs_image_node again;
    char path[600], text[300];

    (void)snprintf(text, sizeof(text), "%.*s", (int)len, name);
    (void)snprintf(path, sizeof(path), "%s%s%s", l->path, *l->path ? "/" : "",
                   text);
    assert_int_equal(ofs_image_lookup(l->o->image, l->dir, text, &again, NULL),
                     0);
    assert_memory_equal(&again, &node, sizeof(node));
    describe(l->o, path, node, l->text);
    return 0;
}

static void list(struct opened *o, struct ofs_image_node node, const char *path,
                 struct ofs_buf *text)
{
    struct listing l = { .o = o, .dir = node, .text = text };

    (void)snprintf(l.path, sizeof(l.path), "%s", path);
    assert_int_equal(ofs_image_list(o->image, node, on_name, &l, NULL), 0);
}

static int find(struct opened *o, const char *path, struct ofs_image_node *ret)
{
    *ret = ofs_image_root(o->image);
    while (*path) {
        char name[300];
        size_t n = strcspn(path, "/");
        int r;

        (void)snprintf(name, sizeof(name), "%.*s", (int)n, path);
        r = ofs_image_lookup(o->image, *ret, name, ret, NULL);
        if (r < 0)
            return r;
        path += n + (path[n] == '/');
    }
    return 0;
}

#define FILE_(n, d)                                                            \
    {                                                                          \
        .name = n, .data = d                                                   \
    }
#define DIR_(n, m)                                                             \
    {                                                                          \
        .name = n, .type = '5', .mode = m                                      \
    }
#define SYM_(n, l)                                                             \
    {                                                                          \
        .name = n, .type = '2', .link = l                                      \
    }
#define HARD_(n, l)                                                            \
    {                                                                          \
        .name = n, .type = '1', .link = l                                      \
    }
#define WHITE_(n)                                                              \
    {                                                                          \
        .name = n                                                              \
    }

/* What an image looks like: each row of the table of odd layers. */
static const struct {
    const char *what;
    struct tw layers[MAX_LAYERS][MAX_ENTRIES];
    const char *want;
    unsigned skipped;
} rows[] = {
    { "a file twice", { { FILE_("a", "1"), FILE_("a", "2") } }, "a=2 ", 0 },
    { "a directory, then a file",
      { { DIR_("a", 0700), FILE_("a/x", "1"), FILE_("a", "2") } },
      "a=2 ",
      0 },
    { "a directory twice keeps its content",
      { { DIR_("d", 0700), FILE_("d/x", "1"), DIR_("d/", 0711) } },
      "d/ d/x=1 ",
      0 },
    { "a file, then a child of it",
      { { FILE_("a", "1"), FILE_("a/b", "2") } },
      "a/ a/b=2 ",
      0 },
    { "upper: directory to file",
      { { FILE_("d/x", "1") }, { FILE_("d", "2") } },
      "d=2 ",
      0 },
    { "upper: file to directory",
      { { FILE_("d", "1") }, { FILE_("d/x", "2") } },
      "d/ d/x=2 ",
      0 },
    { "upper: directory to symbolic link",
      { { FILE_("d/x", "1") }, { SYM_("d", "e") } },
      "d->e ",
      0 },
    { "and to a directory again",
      { { FILE_("d/x", "1") }, { SYM_("d", "e") }, { FILE_("d/y", "3") } },
      "d/ d/y=3 ",
      0 },
    { "merged",
      { { FILE_("d/x", "1"), FILE_("z", "z") },
        { FILE_("d/y", "2"), FILE_("d/x", "3") } },
      "d/ d/x=3 d/y=2 z=z ",
      0 },
    { "whiteout before the file",
      { { FILE_("a", "0") }, { WHITE_(".wh.a"), FILE_("a", "1") } },
      "a=1 ",
      0 },
    { "whiteout after the file",
      { { FILE_("a", "0") }, { FILE_("a", "1"), WHITE_(".wh.a") } },
      "a=1 ",
      0 },
    { "whiteout, then the directory",
      { { FILE_("d/old", "0") },
        { WHITE_(".wh.d"), DIR_("d/", 0755), FILE_("d/new", "1") } },
      "d/ d/new=1 ",
      0 },
    { "the directory, then its whiteout",
      { { FILE_("d/old", "0") },
        { DIR_("d/", 0755), FILE_("d/new", "1"), WHITE_(".wh.d") } },
      "d/ d/new=1 ",
      0 },
    { "opaque first",
      { { FILE_("d/old", "0") },
        { WHITE_("d/.wh..wh..opq"), FILE_("d/new", "1") } },
      "d/ d/new=1 ",
      0 },
    { "opaque last",
      { { FILE_("d/old", "0") },
        { FILE_("d/new", "1"), WHITE_("d/.wh..wh..opq") } },
      "d/ d/new=1 ",
      0 },
    { "opaque root",
      { { FILE_("old", "0"), FILE_("d/x", "1") },
        { WHITE_(".wh..wh..opq"), FILE_("d/new", "1") } },
      "d/ d/new=1 ",
      0 },
    { "opaque, and nothing else",
      { { FILE_("d/old", "0") }, { WHITE_("d/.wh..wh..opq") } },
      "d/ ",
      0 },
    { "opaque where no layer has a directory",
      { { FILE_("a", "0") }, { WHITE_("d/.wh..wh..opq") } },
      "a=0 ",
      0 },
    { "whiteout of nothing, in a directory that is there",
      { { FILE_("d/x", "0") }, { WHITE_("d/.wh.nope") } },
      "d/ d/x=0 ",
      0 },
    { "and in one that is not",
      { { FILE_("a", "0") }, { WHITE_("d/e/.wh.nope") } },
      "a=0 ",
      0 },
    { "whiteouts that name nothing",
      { { FILE_("d/x", "0") },
        { WHITE_("d/.wh."), WHITE_("d/.wh.."), WHITE_("d/.wh...") } },
      "d/ d/x=0 ",
      3 },
    { "whiteout as a directory",
      { { FILE_("a", "0") }, { DIR_(".wh.a", 0755) } },
      "",
      0 },
    { "whiteout with content",
      { { FILE_("a", "0") }, { FILE_(".wh.a", "x") } },
      "",
      0 },
    { "whiteout with children",
      { { FILE_("a", "0"), FILE_("b", "1") }, { FILE_(".wh.a/x", "x") } },
      "b=1 ",
      0 },
    { "whiteout above a whiteout",
      { { FILE_("foo/bar", "0") },
        { WHITE_(".wh.foo"), WHITE_("foo/.wh.bar") } },
      "",
      0 },
    { "whiteout of one of two",
      { { FILE_("d/a", "0"), FILE_("d/b", "1") }, { WHITE_("d/.wh.a") } },
      "d/ d/b=1 ",
      0 },
    { "what AUFS left, with a hard link to it",
      { { DIR_(".wh..wh.plnk", 0700), FILE_(".wh..wh.plnk/1.2", "p"),
          FILE_(".wh..wh.aufs", ""), HARD_("a", ".wh..wh.plnk/1.2") } },
      "a=p ",
      0 },
    { "hard link", { { FILE_("a", "1"), HARD_("b", "a") } }, "a=1 b=1 ", 0 },
    { "hard link with a leading slash, and with dots",
      { { FILE_("a", "1"), HARD_("b", "/a"), HARD_("c", "../a") } },
      "a=1 b=1 c=1 ",
      0 },
    { "hard link, then its target is another file",
      { { FILE_("a", "1"), HARD_("b", "a"), FILE_("a", "2") } },
      "a=2 b=1 ",
      0 },
    { "hard link to a lower layer's file",
      { { FILE_("a", "1") }, { HARD_("b", "a") } },
      "a=1 b=1 ",
      0 },
    { "the same, then the target is replaced",
      { { FILE_("a", "1") }, { HARD_("b", "a"), FILE_("a", "2") } },
      "a=2 b=1 ",
      0 },
    { "the target is replaced, then the link",
      { { FILE_("a", "1") }, { FILE_("a", "2"), HARD_("b", "a") } },
      "a=2 b=2 ",
      0 },
    { "the same, and it is removed in the same layer",
      { { FILE_("a", "1") }, { HARD_("b", "a"), WHITE_(".wh.a") } },
      "b=1 ",
      0 },
    { "over two layers",
      { { FILE_("a", "1") }, { HARD_("b", "a") }, { HARD_("c", "b") } },
      "a=1 b=1 c=1 ",
      0 },
    { "hard link to a later name",
      { { HARD_("b", "a"), FILE_("a", "1") } },
      "a=1 b=1 ",
      0 },
    { "hard links to nothing and to itself",
      { { HARD_("b", "nope"), HARD_("c", "c"), FILE_("a", "1") } },
      "a=1 ",
      0 },
    { "hard link to a symbolic link",
      { { SYM_("s", "x"), HARD_("t", "s") } },
      "s->x t->x ",
      0 },
    { "hard link to a directory",
      { { DIR_("d", 0755), HARD_("b", "d"), HARD_("c", "/") } },
      "d/ ",
      2 },
    { "device 0:0",
      { { FILE_("a", "1") }, { { .name = "a", .type = '3' } } },
      "a:20000,0,0 ",
      0 },
    { "parent is a symbolic link of this layer",
      { { DIR_("real", 0755), SYM_("lnk", "real"), FILE_("lnk/x", "1") } },
      "lnk->real real/ real/x=1 ",
      0 },
    { "the same, absolute, and out of the root",
      { { SYM_("lnk", "/a/b"), FILE_("lnk/x", "1"), SYM_("up", "../../../../a"),
          FILE_("up/y", "2") } },
      "a/ a/b/ a/b/x=1 a/y=2 lnk->/a/b up->../../../../a ",
      0 },
    { "links in a circle",
      { { SYM_("p", "q"), SYM_("q", "p"), FILE_("p/x", "1"),
          FILE_("a", "2") } },
      "a=2 p->q q->p ",
      1 },
    { "parent is a symbolic link of a lower layer",
      { { FILE_("real/old", "0"), SYM_("lnk", "real") },
        { FILE_("lnk/new", "1") } },
      "lnk/ lnk/new=1 real/ real/old=0 ",
      0 },
    { "whiteout below a link of a lower layer",
      { { FILE_("real/x", "0"), SYM_("lnk", "real") },
        { WHITE_("lnk/.wh.x") } },
      "lnk->real real/ real/x=0 ",
      0 },
    { "names out of the root",
      { { FILE_("d/../../../esc", "1"), FILE_("/abs", "2"),
          FILE_("a//b/./c", "3"), FILE_("file/", "4") } },
      "a/ a/b/ a/b/c=3 abs=2 esc=1 file=4 ",
      0 },
    { "the root as a file",
      { { FILE_("./", "x"), FILE_("a", "1") } },
      "a=1 ",
      1 },
    { "names by bytes, not by letters",
      { { FILE_("b", ""), FILE_("B", ""), FILE_("b.c", ""), FILE_("b/", "") },
        { FILE_("a\xff", ""), FILE_("a", "") } },
      "B= a= a\xff= b= b.c= ",
      0 },
};

static void open_row(size_t row, struct opened *o)
{
    for (size_t k = 0; k < MAX_LAYERS && rows[row].layers[k][0].name; k++) {
        ofs_buf_init(&o->tars[k], MIB);
        for (size_t e = 0; e < MAX_ENTRIES && rows[row].layers[k][e].name; e++)
            tw_add(&o->tars[k], &rows[row].layers[k][e]);
        tw_end(&o->tars[k]);
        add_layer(o, &o->tars[k]);
    }
    merge(o);
}

static void odd_layers_look_as_they_should(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(MIB);
        struct opened o = { 0 };
        uint64_t skipped = 0;

        open_row(i, &o);
        list(&o, ofs_image_root(o.image), "", &text);
        for (size_t k = 0; k < o.n; k++)
            skipped += o.skipped[k].n;
        if (strcmp(ofs_buf_str(&text), rows[i].want) != 0)
            fail_msg("%s: %s, not %s", rows[i].what, ofs_buf_str(&text),
                     rows[i].want);
        if (skipped != rows[i].skipped && o.n == 1)
            fail_msg("%s: %d left out", rows[i].what, (int)skipped);
        opened_done(&o);
    }
}

static void stat_of(struct opened *o, const char *path,
                    struct ofs_image_stat *ret)
{
    struct ofs_image_node node;

    assert_int_equal(find(o, path, &node), 0);
    assert_int_equal(ofs_image_stat(o->image, node, ret), 0);
}

/* Lower: 0700 of uid 5; above it only files in it, or an opaque mark. */
static void implied_directories_have_the_lower_ones_attributes(void **state)
{
    struct opened o = { .tars = { OFS_BUF_INIT(MIB), OFS_BUF_INIT(MIB) } };
    struct ofs_image_stat st;

    (void)state;
    tw_add(&o.tars[0],
           &(struct tw){
               .name = "d", .type = '5', .mode = 0700, .uid = 5, .mtime = 9 });
    tw_add(&o.tars[0], &(struct tw){ .name = "o/x", .data = "1" });
    tw_add(&o.tars[1], &(struct tw){ .name = "d/x", .data = "1" });
    tw_add(&o.tars[1], &(struct tw){ .name = "d/.wh..wh..opq" });
    tw_add(&o.tars[1], &(struct tw){ .name = "e/x", .data = "1" });
    add_layer(&o, &o.tars[0]);
    add_layer(&o, &o.tars[1]);
    merge(&o);
    stat_of(&o, "d", &st);
    assert_int_equal(st.mode, S_IFDIR | 0700);
    assert_int_equal(st.uid, 5);
    assert_int_equal(st.mtime_s, 9);
    stat_of(&o, "e", &st);
    assert_int_equal(st.mode, S_IFDIR | 0755);
    assert_int_equal(st.uid, 0);
    assert_int_equal(st.mtime_s, 77); /* when the image was made */
    opened_done(&o);
}

static void hard_links_have_one_number_and_numbers_are_stable(void **state)
{
    struct ofs_image_stat a, b, again;
    struct opened o = { .tars = { OFS_BUF_INIT(MIB), OFS_BUF_INIT(MIB) } };

    (void)state;
    tw_add(&o.tars[0], &(struct tw){ .name = "a", .data = "1" });
    tw_add(&o.tars[0], &(struct tw){ .name = "b", .type = '1', .link = "a" });
    tw_add(&o.tars[1], &(struct tw){ .name = "c", .data = "other" });
    add_layer(&o, &o.tars[0]);
    merge(&o);
    stat_of(&o, "a", &a);
    stat_of(&o, "b", &b);
    assert_int_equal(a.ino, b.ino);
    assert_int_equal(a.nlink, 2);
    assert_int_equal(a.ino >> 62, 0);
    ofs_image_free(o.image);
    add_layer(&o, &o.tars[1]);
    merge(&o);
    stat_of(&o, "a", &again); /* in another image: the same file */
    assert_int_equal(again.ino, a.ino);
    stat_of(&o, "c", &b);
    assert_int_not_equal(b.ino, a.ino);
    opened_done(&o);
}

static void attributes_are_those_that_can_be_there(void **state)
{
    OFS_AUTOBUF struct ofs_buf names = OFS_BUF_INIT(1000);
    OFS_AUTOBUF struct ofs_buf value = OFS_BUF_INIT(1000);
    struct opened o = { .tars = { OFS_BUF_INIT(MIB) } };
    struct ofs_image_node node;

    (void)state;
    tw_pax(&o.tars[0], "SCHILY.xattr.security.capability", "cap",
           "SCHILY.xattr.user.k", "v", NULL);
    tw_add(&o.tars[0], &(struct tw){ .name = "f", .data = "1" });
    tw_pax(&o.tars[0], "SCHILY.xattr.user.k", "v", "SCHILY.xattr.trusted.t",
           "x", NULL);
    tw_add(&o.tars[0], &(struct tw){ .name = "s", .type = '2', .link = "f" });
    add_layer(&o, &o.tars[0]);
    merge(&o);
    assert_int_equal(find(&o, "f", &node), 0);
    assert_int_equal(
        ofs_image_xattr(o.image, node, "security.capability", &value), 0);
    assert_string_equal(ofs_buf_str(&value), "cap");
    assert_int_equal(ofs_image_xattr(o.image, node, "user.none", &value),
                     -ENODATA);
    assert_int_equal(find(&o, "s", &node), 0);
    assert_int_equal(ofs_image_xattr(o.image, node, "user.k", &value),
                     -ENODATA);
    assert_int_equal(ofs_image_xattr_names(o.image, node, &names), 0);
    assert_int_equal(names.len, sizeof("trusted.t"));
    assert_string_equal(names.data, "trusted.t");
    opened_done(&o);
}

static void what_is_no_file_cannot_be_read(void **state)
{
    struct opened o = { .tars = { OFS_BUF_INIT(MIB) } };
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(100);
    struct ofs_image_node f, d;
    struct ofs_err err;
    char byte;
    size_t n;

    (void)state;
    tw_add(&o.tars[0], &(struct tw){ .name = "d/f", .data = "1" });
    add_layer(&o, &o.tars[0]);
    merge(&o);
    assert_int_equal(find(&o, "d", &d), 0);
    assert_int_equal(find(&o, "d/f", &f), 0);
    assert_int_equal(ofs_image_read(o.image, d, &call, &byte, 1, 0, &n, &err),
                     -EINVAL);
    assert_int_equal(ofs_image_readlink(o.image, f, &text), -EINVAL);
    assert_int_equal(ofs_image_lookup(o.image, f, "x", &d, &err), -ENOTDIR);
    assert_int_equal(find(&o, "d/g", &d), -ENOENT);
    assert_int_equal(ofs_image_merge(o.at, 0, 0, &o.image, &err), -E2BIG);
    assert_int_equal(ofs_image_merge(o.at, 257, 0, &o.image, &err), -E2BIG);
    opened_done(&o);
}

/* As many layers as a runtime takes, each with one name more and one less. */
static void a_hundred_and_twenty_seven_layers_are_one_tree(void **state)
{
    enum { N = 127 };
    static struct ofs_buf tars[N];
    static struct bytes from[N];
    struct ofs_layer *at[N];
    struct ofs_layer_skipped skipped;
    struct ofs_image_node node;
    struct opened o = { 0 };
    char name[20];

    (void)state;
    for (unsigned i = 0; i < N; i++) {
        struct ofs_layer_cfg cfg = { 0 };

        ofs_buf_init(&tars[i], MIB);
        (void)snprintf(name, sizeof(name), "d/f%03u", i);
        tw_add(&tars[i], &(struct tw){ .name = name, .data = name + 2 });
        (void)snprintf(name, sizeof(name), "d/.wh.f%03u", i - 1);
        tw_add(&tars[i], &(struct tw){ .name = name });
        bytes_init(&from[i], tars[i].data, tars[i].len);
        cfg.packed = from[i].packed;
        cfg.id.blob.alg = OFS_SHA256;
        memcpy(cfg.id.blob.bytes, &i, sizeof(i));
        assert_int_equal(
            ofs_layer_make_index(layers, &cfg, &call, &skipped, NULL), 0);
        assert_int_equal(ofs_layer_open(layers, &cfg, &at[i], NULL), 0);
    }
    assert_int_equal(ofs_image_merge(at, N, 0, &o.image, NULL), 0);
    assert_int_equal(find(&o, "d/f126", &node), 0);
    assert_int_equal(find(&o, "d/f125", &node), -ENOENT);
    ofs_image_free(o.image);
    for (unsigned i = 0; i < N; i++) {
        ofs_layer_close(at[i]);
        ofs_buf_done(&tars[i]);
    }
}

static int set_up(void **state)
{
    (void)state;
    assert_non_null(mkdtemp(dir));
    ofs_call_init(&call, OFS_NEVER);
    assert_int_equal(ofs_layers_open(dir, &layers, NULL), 0);
    return 0;
}

static int tear_down(void **state)
{
    DIR *d = opendir(dir);
    const struct dirent *e;

    (void)state;
    ofs_layers_free(layers);
    ofs_call_done(&call);
    while (d && (e = readdir(d)))
        if (e->d_name[0] != '.')
            (void)unlinkat(dirfd(d), e->d_name, 0);
    if (d)
        (void)closedir(d);
    return rmdir(dir);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(odd_layers_look_as_they_should),
        cmocka_unit_test(implied_directories_have_the_lower_ones_attributes),
        cmocka_unit_test(hard_links_have_one_number_and_numbers_are_stable),
        cmocka_unit_test(attributes_are_those_that_can_be_there),
        cmocka_unit_test(what_is_no_file_cannot_be_read),
        cmocka_unit_test(a_hundred_and_twenty_seven_layers_are_one_tree),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
