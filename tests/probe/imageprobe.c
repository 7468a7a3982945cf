/* SPDX-License-Identifier: Apache-2.0 */
/*
 * imageprobe INDEXDIR LAYER...: what an image of these layer files, the lowest
 * first, looks like, for the system tests.  A line for each path:
 *
 *     TYPE MODE UID GID MTIME.NS NLINK INO WHAT PATH
 *
 * WHAT is a file's digest, a link's target (percent-encoded, as PATH is) or a
 * device's numbers.  Attributes follow a path as lines " NAME=VALUE".
 */
#include "ocirfs/file.h"
#include "ocirfs/image.h"
#include "ocirfs/str.h"

#include <fcntl.h>
#include <inttypes.h>
#include <sys/stat.h>

enum { MAX = 200 };

struct probe {
    struct ofs_layers *layers;
    struct ofs_layer *at[MAX];
    int fds[MAX];
    struct ofs_image *image;
    struct ofs_call call;
};

struct walk {
    struct probe *p;
    struct ofs_buf path;
};

static int give_up(const char *what, const struct ofs_err *err)
{
    (void)fprintf(stderr, "imageprobe: %s: %s\n", what, err->text);
    return -1;
}

static int read_layer(void *arg, struct ofs_call *call, void *buf, size_t len,
                      uint64_t off, size_t *ret_n, struct ofs_err *err)
{
    ssize_t n = pread(*(const int *)arg, buf, len, (off_t)off);

    (void)call;
    if (n < 0)
        return ofs_err_errno(err, errno, "a layer");
    *ret_n = (size_t)n;
    return 0;
}

static int hash_layer(int fd, uint64_t size, struct ofs_digest *ret)
{
    OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(OFS_SHA256);
    char buf[65536];

    for (uint64_t off = 0; h && off < size; off += sizeof(buf)) {
        size_t n =
            size - off < sizeof(buf) ? (size_t)(size - off) : sizeof(buf);

        if (ofs_pread_full(fd, buf, n, off) < 0)
            return -1;
        ofs_hash_update(h, buf, n);
    }
    if (h)
        ofs_hash_final(h, ret);
    return h ? 0 : -1;
}

static int open_layer(struct probe *p, int i, const char *path)
{
    struct ofs_layer_cfg cfg = { 0 };
    struct ofs_layer_skipped skipped = { 0 };
    struct ofs_err err = { 0 };
    struct stat st;

    p->fds[i] = open(path, O_RDONLY | O_CLOEXEC);
    if (p->fds[i] < 0 || fstat(p->fds[i], &st) < 0)
        return give_up(path, &err);
    cfg.packed =
        (struct ofs_packed){ read_layer, &p->fds[i], (uint64_t)st.st_size };
    if (hash_layer(p->fds[i], cfg.packed.size, &cfg.id.blob) < 0)
        return give_up(path, &err);
    if (ofs_layer_open(p->layers, &cfg, &p->at[i], &err) == 0)
        return 0;
    if (ofs_layer_make_index(p->layers, &cfg, &p->call, &skipped, &err) < 0)
        return give_up(path, &err);
    if (skipped.n > 0)
        (void)fprintf(stderr, "left out %" PRIu64 ", %s\n", skipped.n,
                      skipped.first);
    return ofs_layer_open(p->layers, &cfg, &p->at[i], &err) < 0
               ? give_up(path, &err)
               : 0;
}

static int digest_file(struct probe *p, struct ofs_image_node node,
                       struct ofs_buf *ret)
{
    OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(OFS_SHA256);
    static char buf[1 << 20];
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_err err = { 0 };
    struct ofs_digest d;
    uint64_t off = 0;
    size_t n = 1;

    for (; h && n > 0; off += n) {
        if (ofs_image_read(p->image, node, &p->call, buf, sizeof(buf), off, &n,
                           &err) < 0)
            return give_up("read", &err);
        ofs_hash_update(h, buf, n);
    }
    if (!h)
        return -1;
    ofs_hash_final(h, &d);
    return ofs_buf_adds(ret, ofs_digest_format(&d, text));
}

static int say_what(struct probe *p, struct ofs_image_node node,
                    const struct ofs_image_stat *st, struct ofs_buf *ret)
{
    OFS_AUTOBUF struct ofs_buf target = OFS_BUF_INIT(5000);

    if (S_ISREG(st->mode))
        return digest_file(p, node, ret);
    if (S_ISLNK(st->mode))
        return ofs_image_readlink(p->image, node, &target) < 0
                   ? -1
                   : ofs_str_percent(ret, ofs_buf_str(&target));
    return ofs_buf_addf(ret, "%u,%u", st->major, st->minor);
}

static int say_xattrs(struct probe *p, struct ofs_image_node node)
{
    OFS_AUTOBUF struct ofs_buf names = OFS_BUF_INIT(65536);

    if (ofs_image_xattr_names(p->image, node, &names) < 0)
        return -1;
    for (size_t at = 0; at < names.len; at += strlen(names.data + at) + 1) {
        OFS_AUTOBUF struct ofs_buf value = OFS_BUF_INIT(65536);

        if (ofs_image_xattr(p->image, node, names.data + at, &value) < 0)
            return -1;
        printf(" %s=%s\n", names.data + at, ofs_buf_str(&value));
    }
    return 0;
}

static int visit(void *arg, const char *name, size_t len,
                 struct ofs_image_node node)
{
    OFS_AUTOBUF struct ofs_buf line = OFS_BUF_INIT(65536);
    struct walk *w = arg;
    size_t before = w->path.len;
    struct ofs_image_stat st;
    struct ofs_err err = { 0 };

    (void)ofs_buf_addc(&w->path, '/');
    (void)ofs_buf_add(&w->path, name, len);
    if (ofs_image_stat(w->p->image, node, &st) < 0 ||
        say_what(w->p, node, &st, &line) < 0)
        return -1;
    (void)ofs_buf_addc(&line, ' ');
    (void)ofs_str_percent(&line, ofs_buf_str(&w->path));
    printf("%o %o %u %u %" PRId64 ".%09u %u %" PRIu64 " %s\n",
           (unsigned)(st.mode & S_IFMT), (unsigned)(st.mode & 07777), st.uid,
           st.gid, st.mtime_s, st.mtime_ns, st.nlink, st.ino,
           ofs_buf_str(&line));
    if (say_xattrs(w->p, node) < 0)
        return -1;
    if (S_ISDIR(st.mode) &&
        ofs_image_list(w->p->image, node, visit, w, &err) < 0)
        return give_up(ofs_buf_str(&w->path), &err);
    w->path.len = before;
    return 0;
}

static int run(struct probe *p, int n, char **paths)
{
    struct walk w = { .p = p, .path = OFS_BUF_INIT(1 << 20) };
    struct ofs_err err = { 0 };
    int r = 0;

    for (int i = 0; r == 0 && i < n; i++)
        r = open_layer(p, i, paths[i]);
    if (r == 0 && ofs_image_merge(p->at, (size_t)n, 0, &p->image, &err) < 0)
        r = give_up("merge", &err);
    if (r == 0)
        r = ofs_image_list(p->image, ofs_image_root(p->image), visit, &w, &err);
    ofs_buf_done(&w.path);
    return r;
}

int main(int argc, char **argv)
{
    struct probe p = { 0 };
    struct ofs_err err = { 0 };
    int r;

    if (argc < 3 || argc - 2 > MAX)
        return EXIT_FAILURE;
    ofs_call_init(&p.call, OFS_NEVER);
    r = ofs_layers_open(argv[1], &p.layers, &err);
    r = r < 0 ? give_up(argv[1], &err) : run(&p, argc - 2, argv + 2);
    ofs_image_free(p.image);
    for (int i = 0; i < argc - 2; i++) {
        ofs_layer_close(p.at[i]);
        if (p.fds[i] > 0)
            (void)close(p.fds[i]);
    }
    ofs_layers_free(p.layers);
    ofs_call_done(&p.call);
    return r == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
