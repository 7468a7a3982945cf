/* SPDX-License-Identifier: Apache-2.0 */
#include "layerpack.h"

#include "tarball.h"

#include <archive.h>
#include <archive_entry.h>

enum { CHUNK_BYTES = 128 * 1024, PEEK_BYTES = 6 };

/* Both ends of a pack: what was read of the member, what goes to the sink. */
struct pack {
    struct ofs_tarball *in;
    const struct ofs_archive_sink *sink;
    struct ofs_hash *plain, *packed;
    uint64_t size;
    struct ofs_err failed; /* of a callback; code 0: nothing */
    size_t n_ahead;        /* bytes in `chunk` that were read to look at */
    char chunk[CHUNK_BYTES];
};

static void pack_free(struct pack *p)
{
    if (!p)
        return;
    ofs_hash_free(p->plain);
    ofs_hash_free(p->packed);
    free(p);
}
OFS_DEFINE_AUTO(struct pack, pack_free)

static struct pack *pack_new(struct ofs_tarball *in,
                             const struct ofs_archive_sink *sink)
{
    OFS_AUTO(pack_freep) struct pack *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->in = in;
    p->sink = sink;
    p->plain = ofs_hash_new(OFS_SHA256);
    p->packed = ofs_hash_new(OFS_SHA256);
    return p->plain && p->packed ? ofs_take(&p) : NULL;
}

/* The next bytes of the member into p->chunk; 0 at its end. */
static int take(struct pack *p, size_t *ret_n, struct ofs_err *err)
{
    *ret_n = p->n_ahead;
    p->n_ahead = 0;
    if (*ret_n > 0)
        return 0;
    return ofs_tarball_read(p->in, p->chunk, sizeof(p->chunk), ret_n, err);
}

static int look_ahead(struct pack *p, struct ofs_err *err)
{
    size_t n = 1;

    while (n > 0 && p->n_ahead < PEEK_BYTES) {
        int r = ofs_tarball_read(p->in, p->chunk + p->n_ahead,
                                 sizeof(p->chunk) - p->n_ahead, &n, err);

        if (r < 0)
            return r;
        p->n_ahead += n;
    }
    return 0;
}

static int send(struct pack *p, const void *data, size_t len,
                struct ofs_err *err)
{
    ofs_hash_update(p->packed, data, len);
    p->size += len;
    return p->sink->write(p->sink->arg, data, len, err);
}

static int explain(const struct pack *p, struct archive *a, struct ofs_err *err)
{
    const char *why = archive_error_string(a);

    if (p->failed.code < 0) {
        if (err)
            *err = p->failed;
        return p->failed.code;
    }
    return ofs_err_set(err, -EINVAL, "a layer is damaged: %s",
                       why ? why : "no reason given");
}

/* ---- a plain tar: compress it ---- */

static la_ssize_t send_packed(struct archive *a, void *arg, const void *data,
                              size_t len)
{
    struct pack *p = arg;
    int r = send(p, data, len, &p->failed);

    if (r == 0)
        return (la_ssize_t)len;
    archive_set_error(a, -r, "%s", p->failed.text);
    return -1;
}

/* One unnamed file, no time in it, no padding behind it. */
static int begin_gzip(struct archive *a, struct pack *p)
{
    struct archive_entry *e;
    int r = archive_write_set_format_raw(a);

    if (r == ARCHIVE_OK)
        r = archive_write_add_filter_gzip(a);
    if (r == ARCHIVE_OK)
        r = archive_write_set_filter_option(a, "gzip", "timestamp", NULL);
    if (r == ARCHIVE_OK)
        r = archive_write_set_bytes_in_last_block(a, 1);
    if (r == ARCHIVE_OK)
        r = archive_write_open(a, p, NULL, send_packed, NULL);
    if (r != ARCHIVE_OK)
        return r;
    e = archive_entry_new();
    if (!e)
        return ARCHIVE_FATAL;
    archive_entry_set_filetype(e, AE_IFREG);
    r = archive_write_header(a, e);
    archive_entry_free(e);
    return r;
}

static void write_freep(struct archive **a)
{
    (void)archive_write_free(*a);
}

static int compress_all(struct pack *p, struct ofs_err *err)
{
    OFS_AUTO(write_freep) struct archive *a = archive_write_new();
    size_t n;

    if (!a)
        return ofs_err_nomem(err, "a layer");
    if (begin_gzip(a, p) != ARCHIVE_OK)
        return explain(p, a, err);
    for (;;) {
        int r = take(p, &n, err);

        if (r < 0)
            return r;
        if (n == 0)
            break;
        ofs_hash_update(p->plain, p->chunk, n);
        if (archive_write_data(a, p->chunk, n) != (la_ssize_t)n)
            return explain(p, a, err);
    }
    return archive_write_close(a) == ARCHIVE_OK ? 0 : explain(p, a, err);
}

/* ---- gzip: pass it on, look inside ---- */

static la_ssize_t pass_on(struct archive *a, void *arg, const void **ret)
{
    struct pack *p = arg;
    size_t n = 0;
    int r = take(p, &n, &p->failed);

    if (r == 0 && n > 0)
        r = send(p, p->chunk, n, &p->failed);
    if (r < 0) {
        archive_set_error(a, -r, "%s", p->failed.text);
        return ARCHIVE_FATAL;
    }
    *ret = p->chunk;
    return (la_ssize_t)n;
}

static int begin_gunzip(struct archive *a, struct pack *p)
{
    struct archive_entry *e;
    int r = archive_read_support_format_raw(a);

    if (r == ARCHIVE_OK)
        r = archive_read_support_format_empty(a);
    if (r == ARCHIVE_OK)
        r = archive_read_support_filter_gzip(a);
    if (r == ARCHIVE_OK)
        r = archive_read_open(a, p, NULL, pass_on, NULL);
    return r == ARCHIVE_OK ? archive_read_next_header(a, &e) : r;
}

static void read_freep(struct archive **a)
{
    (void)archive_read_free(*a);
}

static int pass_all(struct pack *p, struct ofs_err *err)
{
    OFS_AUTO(read_freep) struct archive *a = archive_read_new();
    char plain[16 * 1024];
    la_ssize_t n;
    const void *rest;

    if (!a)
        return ofs_err_nomem(err, "a layer");
    if (begin_gunzip(a, p) != ARCHIVE_OK)
        return explain(p, a, err);
    while ((n = archive_read_data(a, plain, sizeof(plain))) > 0)
        ofs_hash_update(p->plain, plain, (size_t)n);
    /* What lies behind the compressed data belongs to the blob. */
    while (n == 0 && (n = pass_on(a, p, &rest)) > 0)
        n = 0;
    return n < 0 ? explain(p, a, err) : 0;
}

int ofs_layerpack(struct ofs_tarball *in, const struct ofs_archive_sink *sink,
                  struct ofs_layerpack *ret, struct ofs_err *err)
{
    static const struct {
        const char *magic;
        size_t len;
        const char *name; /* NULL: gzip */
    } packed[] = {
        { "\x1f\x8b", 2, NULL },
        { "\x28\xb5\x2f\xfd", 4, "zstd" },
        { "\xfd"
          "7zXZ",
          5, "xz" },
        { "BZh", 3, "bzip2" },
    };
    OFS_AUTO(pack_freep) struct pack *p = pack_new(in, sink);
    bool gzip = false;
    int r;

    if (!p)
        return ofs_err_nomem(err, "a layer");
    r = look_ahead(p, err);
    for (size_t i = 0; r == 0 && i < OFS_COUNT_OF(packed); i++) {
        if (p->n_ahead < packed[i].len ||
            memcmp(p->chunk, packed[i].magic, packed[i].len) != 0)
            continue;
        if (packed[i].name)
            return ofs_err_set(err, -EINVAL,
                               "a layer is compressed with %s, which a docker "
                               "image cannot have",
                               packed[i].name);
        gzip = true;
    }
    if (r == 0)
        r = gzip ? pass_all(p, err) : compress_all(p, err);
    if (r < 0)
        return r;
    ofs_hash_final(p->plain, &ret->plain);
    ofs_hash_final(p->packed, &ret->digest);
    ret->size = p->size;
    return 0;
}
