/* SPDX-License-Identifier: Apache-2.0 */
#include "tarpass.h"

#include "layerpath.h"
#include "tape.h"
#include "tarhead.h"
#include "tarsparse.h"

enum {
    MAX_DOC = 1 << 20,      /* a long name, or an extended header */
    MAX_ENTRIES = 16000000, /* and headers of any other kind */
    NOBODY = 65534,
    WHY_SKIPPED = 64,
};

struct pass {
    const struct ofs_tar_in *in;
    struct ofs_tape tape;
    struct ofs_err *err;
    /* For the next entry, from headers before it. */
    struct ofs_pax pax;
    struct ofs_buf long_name, long_link, doc;
    bool has_name, has_link;
    uint64_t n;
};

static int damaged(struct pass *p, const char *what)
{
    return ofs_err_set(p->err, -EBADMSG, "%s, %llu bytes into the archive",
                       what, (unsigned long long)p->tape.off);
}

static void forget_names(struct pass *p)
{
    ofs_pax_done(&p->pax);
    ofs_pax_init(&p->pax);
    p->has_name = p->has_link = false;
}

static void skipped(struct pass *p, const char *path, const char *why)
{
    if (p->in->skipped)
        p->in->skipped(p->in->arg, path, why);
}

static uint64_t padded(uint64_t size)
{
    return (size + OFS_TAR_BLOCK - 1) / OFS_TAR_BLOCK * OFS_TAR_BLOCK;
}

/* What lies between this header and the next, as text. */
static int read_doc(struct pass *p, const struct ofs_tar_head *h)
{
    OFS_AUTOFREE char *text = NULL;
    int r;

    if (h->size > MAX_DOC)
        return damaged(p, "a header of more than 1 MiB");
    text = malloc((size_t)h->size + 1);
    if (!text)
        return ofs_err_nomem(p->err, "an archive");
    r = ofs_tape_full(&p->tape, text, (size_t)h->size);
    if (r == 0)
        r = ofs_tape_skip(&p->tape, padded(h->size) - h->size);
    ofs_buf_reset(&p->doc);
    if (r == 0 && ofs_buf_add(&p->doc, text, (size_t)h->size) < 0)
        r = ofs_err_nomem(p->err, "an archive");
    return r;
}

static int take_pax(struct pass *p, const struct ofs_tar_head *h)
{
    int r = read_doc(p, h);

    if (r < 0)
        return r;
    ofs_pax_done(&p->pax); /* of several the last counts */
    ofs_pax_init(&p->pax);
    r = ofs_pax_parse(p->doc.data, p->doc.len, &p->pax);
    return r == -EBADMSG ? damaged(p, "a wrong extended header")
           : r < 0       ? ofs_err_nomem(p->err, "an archive")
                         : 0;
}

static int take_long(struct pass *p, const struct ofs_tar_head *h,
                     struct ofs_buf *to, bool *has)
{
    int r = read_doc(p, h);

    if (r < 0)
        return r;
    ofs_buf_reset(to);
    if (p->doc.len > 0)
        r = ofs_buf_add(to, p->doc.data, strnlen(p->doc.data, p->doc.len));
    *has = true;
    return r < 0 ? ofs_err_nomem(p->err, "an archive") : 0;
}

/* -1 cannot be an owner, and no number of more than 32 bits. */
static uint32_t owner(int64_t id)
{
    return id >= 0 && id < UINT32_MAX ? (uint32_t)id : NOBODY;
}

static void apply_pax(const struct ofs_pax *pax, const struct ofs_tar_head *h,
                      struct ofs_tar_entry *e)
{
    e->uid = owner(pax->has_uid ? pax->uid : h->uid);
    e->gid = owner(pax->has_gid ? pax->gid : h->gid);
    e->mtime_s = pax->has_mtime ? pax->mtime_s : h->mtime;
    e->mtime_ns = pax->has_mtime ? pax->mtime_ns : 0;
    e->xattrs = (const uint8_t *)pax->xattrs.data;
    e->xattrs_len = pax->xattrs.len;
}

static void choose_names(struct pass *p, const struct ofs_tar_head *h,
                         struct ofs_tar_entry *e)
{
    e->path = p->has_name           ? ofs_buf_str(&p->long_name)
              : p->pax.path.len > 0 ? p->pax.path.data
                                    : h->name;
    e->link = p->has_link           ? ofs_buf_str(&p->long_link)
              : p->pax.link.len > 0 ? p->pax.link.data
                                    : h->link;
    e->link_len = strlen(e->link);
}

/* Old writers mark a directory by the end of its name alone. */
static int type_of(const struct ofs_tar_head *h, const char *name,
                   enum ofs_tar_type *ret)
{
    static const enum ofs_tar_type types[] = {
        OFS_TAR_REG, OFS_TAR_LINK, OFS_TAR_SYM,  OFS_TAR_CHR,
        OFS_TAR_BLK, OFS_TAR_DIR,  OFS_TAR_PIPE, OFS_TAR_REG,
    };
    size_t len = strlen(name);

    if (h->type == '\0')
        *ret = len > 0 && name[len - 1] == '/' ? OFS_TAR_DIR : OFS_TAR_REG;
    else if (h->type == 'S')
        *ret = OFS_TAR_REG;
    else if (h->type >= '0' && h->type <= '7')
        *ret = types[h->type - '0'];
    else
        return -ENOTSUP;
    return 0;
}

static const struct ofs_extent no_extent; /* of a file that is one hole */

/* Which bytes are the file's, and how many lie in the archive for it. */
static int find_data(struct pass *p, const uint8_t *block,
                     const struct ofs_tar_head *h, struct ofs_tar_entry *e,
                     uint64_t *ret_stored)
{
    struct ofs_buf *extents = &p->pax.extents;
    uint64_t stored = p->pax.has_size ? p->pax.size : h->size;
    uint64_t begin = p->tape.off;
    int r = 0;

    e->size = stored;
    if (h->type == 'S') {
        r = ofs_sparse_old(&p->tape, block, extents, &e->size);
        begin = p->tape.off;
    } else if (p->pax.sparse) {
        e->size = p->pax.real_size;
        if (p->pax.map_in_data)
            r = ofs_sparse_in_data(&p->tape, stored, extents);
    }
    if (r < 0)
        return r;
    if (p->tape.off - begin > stored)
        return damaged(p, "a sparse file's map is wrong");
    stored -= p->tape.off - begin;
    e->data = p->tape.off;
    *ret_stored = stored;
    if (h->type != 'S' && !p->pax.sparse)
        return 0;
    e->extents = extents->len > 0 ? (const void *)extents->data : &no_extent;
    e->n_extents = extents->len / sizeof(*e->extents);
    return ofs_sparse_valid(extents, e->size, stored)
               ? 0
               : damaged(p, "a sparse file's map is wrong");
}

/* Both names as they are below the image's root. */
static int deliver(struct pass *p, struct ofs_tar_entry *e)
{
    OFS_AUTOBUF struct ofs_buf path = OFS_BUF_INIT(MAX_DOC);
    OFS_AUTOBUF struct ofs_buf link = OFS_BUF_INIT(MAX_DOC);
    const char *raw = e->path;
    int r = ofs_layer_path(raw, strlen(raw), &path);

    if (r == 0 && e->type == OFS_TAR_LINK) {
        r = ofs_layer_path(e->link, e->link_len, &link);
        e->link = ofs_buf_str(&link);
        e->link_len = link.len;
    }
    if (r == 0 && e->type == OFS_TAR_SYM && e->link_len > OFS_LAYER_PATH_MAX)
        r = -ENAMETOOLONG;
    if (r == -ENAMETOOLONG) {
        skipped(p, raw, "a name that is too long");
        return 0;
    }
    if (r < 0)
        return ofs_err_nomem(p->err, "an archive");
    e->path = ofs_buf_str(&path);
    e->path_len = path.len;
    return p->in->entry(p->in->arg, e, p->err);
}

static int take_entry(struct pass *p, const uint8_t *block,
                      const struct ofs_tar_head *h)
{
    struct ofs_tar_entry e = { .mode = h->mode,
                               .major = h->major,
                               .minor = h->minor };
    char why[WHY_SKIPPED];
    uint64_t stored = 0;
    int r = 0;

    choose_names(p, h, &e);
    if (type_of(h, e.path, &e.type) < 0) {
        (void)snprintf(why, sizeof(why), "of type '%c'",
                       h->type > ' ' && h->type < 127 ? h->type : '?');
        skipped(p, e.path, why);
        stored = p->pax.has_size ? p->pax.size : h->size;
    } else {
        apply_pax(&p->pax, h, &e);
        if (e.type == OFS_TAR_REG)
            r = find_data(p, block, h, &e, &stored);
        if (r == 0)
            r = deliver(p, &e);
    }
    forget_names(p);
    if (r == 0 && stored > INT64_MAX - OFS_TAR_BLOCK)
        r = damaged(p, "a file of more than 8 EiB");
    return r < 0 ? r : ofs_tape_skip(&p->tape, padded(stored));
}

static int take_header(struct pass *p, const uint8_t *block)
{
    struct ofs_tar_head h;

    if (ofs_tar_head_parse(block, &h) < 0)
        return damaged(p, "no tar header");
    if (++p->n > MAX_ENTRIES)
        return ofs_err_set(p->err, -EFBIG, "more than %d entries", MAX_ENTRIES);
    switch (h.type) {
    case 'x':
        return take_pax(p, &h);
    case 'g':
        return read_doc(p, &h); /* for no runtime does it mean anything */
    case 'L':
        return take_long(p, &h, &p->long_name, &p->has_name);
    case 'K':
        return take_long(p, &h, &p->long_link, &p->has_link);
    default:
        return take_entry(p, block, &h);
    }
}

/* After one block of zeros: the other, or nothing at all. */
static int end_of_archive(struct pass *p)
{
    uint8_t block[OFS_TAR_BLOCK];
    size_t n = 0;
    int r = ofs_tape_read(&p->tape, block, sizeof(block), &n);

    if (r < 0)
        return r;
    if (n > 0 && (n < sizeof(block) || !ofs_tar_is_zero(block)))
        return damaged(p, "a single block of zeros");
    return ofs_tape_drain(&p->tape);
}

static int pass_headers(struct pass *p)
{
    uint8_t block[OFS_TAR_BLOCK];
    size_t n = 0;
    int r = 0;

    while (r == 0) {
        r = ofs_tape_read(&p->tape, block, sizeof(block), &n);
        if (r < 0 || n == 0)
            break;
        if (n < sizeof(block))
            return damaged(p, "the archive is cut short");
        if (ofs_tar_is_zero(block))
            return end_of_archive(p);
        r = take_header(p, block);
    }
    return r;
}

int ofs_tar_pass(const struct ofs_tar_in *in, uint64_t *ret_size,
                 struct ofs_err *err)
{
    struct pass p = {
        .in = in,
        .err = err,
        .tape = { .read = in->read, .arg = in->arg, .err = err },
        .long_name = OFS_BUF_INIT(MAX_DOC),
        .long_link = OFS_BUF_INIT(MAX_DOC),
        .doc = OFS_BUF_INIT(MAX_DOC),
    };
    int r = ofs_tape_init(&p.tape);

    ofs_pax_init(&p.pax);
    if (r == 0)
        r = pass_headers(&p);
    if (r == 0)
        *ret_size = p.tape.off;
    ofs_pax_done(&p.pax);
    ofs_buf_done(&p.long_name);
    ofs_buf_done(&p.long_link);
    ofs_buf_done(&p.doc);
    ofs_tape_done(&p.tape);
    return r;
}
