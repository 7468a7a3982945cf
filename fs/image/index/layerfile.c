/* SPDX-License-Identifier: Apache-2.0 */
#include "layerfile.h"

#include "decoder.h"
#include "layercheck.h"

_Static_assert(sizeof(struct ofs_inode) == 64, "it lies on disk");
_Static_assert(sizeof(struct ofs_dent) == 12, "it lies on disk");
_Static_assert(sizeof(struct ofs_extent) == 16, "it lies on disk");
_Static_assert(sizeof(struct ofs_layer_head) % 8 == 0,
               "what follows is aligned");

static const char layer_magic[8] = "OFSLAY1\n";

enum {
    ORDER = 0x01020304,
    ALIGNMENT = 8,
};

static const uint64_t max_section = UINT64_C(1) << 32; /* numbers of 32 bits */

static const size_t record[OFS_N_SECTIONS] = {
    [OFS_SECTION_INODES] = sizeof(struct ofs_inode),
    [OFS_SECTION_DENTS] = sizeof(struct ofs_dent),
    [OFS_SECTION_TEXTS] = 1,
    [OFS_SECTION_XATTRS] = 1,
    [OFS_SECTION_EXTENTS] = sizeof(struct ofs_extent),
    [OFS_SECTION_POINTS] = sizeof(struct ofs_point_rec),
    [OFS_SECTION_WINDOWS] = 1,
};

void ofs_layer_parts_init(struct ofs_layer_parts *p)
{
    *p = (struct ofs_layer_parts){ 0 };
    for (size_t i = 0; i < OFS_N_SECTIONS; i++)
        ofs_buf_init(&p->sections[i], max_section - 1);
}

void ofs_layer_parts_done(struct ofs_layer_parts *p)
{
    for (size_t i = 0; i < OFS_N_SECTIONS; i++)
        ofs_buf_done(&p->sections[i]);
}

static int hash_file(const uint8_t *data, size_t len, uint8_t ret[32])
{
    OFS_AUTO(ofs_hash_freep) struct ofs_hash *h = ofs_hash_new(OFS_SHA256);
    struct ofs_layer_head head;
    struct ofs_digest digest;

    if (!h)
        return -ENOMEM;
    memcpy(&head, data, sizeof(head));
    memset(head.check, 0, sizeof(head.check));
    ofs_hash_update(h, &head, sizeof(head));
    ofs_hash_update(h, data + sizeof(head), len - sizeof(head));
    ofs_hash_final(h, &digest);
    memcpy(ret, digest.bytes, 32);
    return 0;
}

static void add_section(struct ofs_buf *ret, const struct ofs_buf *section)
{
    static const char zeros[ALIGNMENT];

    (void)ofs_buf_add(ret, section->data, section->len);
    (void)ofs_buf_add(ret, zeros, -ret->len % ALIGNMENT);
}

int ofs_layer_encode(struct ofs_layer_parts *p, struct ofs_buf *ret,
                     struct ofs_err *err)
{
    struct ofs_layer_head head = p->head;
    uint64_t at = sizeof(head);

    memcpy(head.magic, layer_magic, sizeof(head.magic));
    head.order = ORDER;
    memset(head.check, 0, sizeof(head.check));
    for (size_t i = 0; i < OFS_N_SECTIONS; i++) {
        head.sections[i].at = at;
        head.sections[i].len = p->sections[i].len;
        at += p->sections[i].len + -p->sections[i].len % ALIGNMENT;
    }
    (void)ofs_buf_add(ret, &head, sizeof(head));
    for (size_t i = 0; i < OFS_N_SECTIONS; i++)
        add_section(ret, &p->sections[i]);
    if (!ret->failed &&
        hash_file((const uint8_t *)ret->data, ret->len, head.check) == 0) {
        memcpy(ret->data, &head, sizeof(head));
        return 0;
    }
    return ofs_err_set(err, ret->failed ? ret->failed : -ENOMEM,
                       "no room for a layer's index");
}

static bool is_digest(const struct ofs_digest *d)
{
    return d->alg == OFS_SHA256 || d->alg == OFS_SHA512;
}

static bool is_head(const struct ofs_layer_head *h, size_t len)
{
    uint64_t at = sizeof(*h);

    if (memcmp(h->magic, layer_magic, sizeof(h->magic)) != 0 ||
        h->order != ORDER || h->packing >= OFS_N_PACKINGS ||
        !is_digest(&h->blob) || !is_digest(&h->diff) || h->size > INT64_MAX)
        return false;
    for (size_t i = 0; i < OFS_N_SECTIONS; i++) {
        uint64_t n = h->sections[i].len;

        if (h->sections[i].at != at || n >= max_section || n % record[i] != 0)
            return false;
        at += n + -n % ALIGNMENT;
    }
    return at == len;
}

static size_t count_in(const struct ofs_layer_head *h, size_t section)
{
    return (size_t)h->sections[section].len / record[section];
}

static struct ofs_layer_view view_of(const uint8_t *data)
{
    const struct ofs_layer_head *h = (const void *)data;
    const uint8_t *at[OFS_N_SECTIONS];

    for (size_t i = 0; i < OFS_N_SECTIONS; i++)
        at[i] = data + h->sections[i].at;
    return (struct ofs_layer_view){
        .head = h,
        .inodes = (const void *)at[OFS_SECTION_INODES],
        .dents = (const void *)at[OFS_SECTION_DENTS],
        .texts = (const void *)at[OFS_SECTION_TEXTS],
        .xattrs = at[OFS_SECTION_XATTRS],
        .extents = (const void *)at[OFS_SECTION_EXTENTS],
        .n_inodes = (uint32_t)count_in(h, OFS_SECTION_INODES),
        .n_dents = (uint32_t)count_in(h, OFS_SECTION_DENTS),
        .n_extents = (uint32_t)count_in(h, OFS_SECTION_EXTENTS),
        .texts_len = count_in(h, OFS_SECTION_TEXTS),
        .xattrs_len = count_in(h, OFS_SECTION_XATTRS),
        .points = { .at = (const void *)at[OFS_SECTION_POINTS],
                    .n = count_in(h, OFS_SECTION_POINTS),
                    .windows = at[OFS_SECTION_WINDOWS],
                    .windows_len = count_in(h, OFS_SECTION_WINDOWS) },
    };
}

int ofs_layer_decode(const uint8_t *data, size_t len,
                     struct ofs_layer_view *ret)
{
    const struct ofs_layer_head *h = (const void *)data;
    struct ofs_layer_view v;
    uint8_t hash[32];

    if (len < sizeof(*h) || !is_head(h, len))
        return -EBADMSG;
    if (hash_file(data, len, hash) < 0)
        return -ENOMEM;
    if (memcmp(hash, h->check, sizeof(hash)) != 0)
        return -EBADMSG;
    v = view_of(data);
    if (!ofs_layer_is_sound(&v) ||
        !ofs_points_valid(&v.points, h->packed_size, h->size))
        return -EBADMSG;
    *ret = v;
    return 0;
}
