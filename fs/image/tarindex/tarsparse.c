/* SPDX-License-Identifier: Apache-2.0 */
#include "tarsparse.h"

#include "tarhead.h"

enum {
    OLD_AT = 386, /* in the header */
    OLD_N = 4,
    OLD_MORE_AT = 482,
    OLD_REAL_AT = 483,
    NEXT_N = 21, /* in each block that follows */
    NEXT_MORE_AT = 504,
    NUMBER_LEN = 12,
    MAX_EXTENTS = 65536,
    LINE_MAX_LEN = 20,
};

static int bad_map(struct ofs_tape *t)
{
    return ofs_err_set(t->err, -EBADMSG, "a sparse file's map is wrong");
}

static int put_extent(struct ofs_tape *t, struct ofs_buf *extents, uint64_t off,
                      uint64_t len)
{
    struct ofs_extent e = { off, len };

    if (extents->len >= MAX_EXTENTS * sizeof(e))
        return bad_map(t);
    return ofs_buf_add(extents, &e, sizeof(e)) < 0
               ? ofs_err_nomem(t->err, "a sparse file")
               : 0;
}

static int old_pairs(struct ofs_tape *t, const uint8_t *at, size_t n,
                     struct ofs_buf *extents)
{
    int64_t off, len;
    int r = 0;

    for (size_t i = 0; r == 0 && i < n; i++, at += 2 * NUMBER_LEN) {
        if (*at == '\0')
            break;
        if (ofs_tar_number(at, NUMBER_LEN, &off) < 0 || off < 0 ||
            ofs_tar_number(at + NUMBER_LEN, NUMBER_LEN, &len) < 0 || len < 0)
            return bad_map(t);
        r = put_extent(t, extents, (uint64_t)off, (uint64_t)len);
    }
    return r;
}

int ofs_sparse_old(struct ofs_tape *t, const uint8_t *block,
                   struct ofs_buf *extents, uint64_t *ret_real)
{
    uint8_t next[OFS_TAR_BLOCK];
    bool more = block[OLD_MORE_AT] != 0;
    int64_t real;
    int r;

    if (ofs_tar_number(block + OLD_REAL_AT, NUMBER_LEN, &real) < 0 || real < 0)
        return bad_map(t);
    r = old_pairs(t, block + OLD_AT, OLD_N, extents);
    while (r == 0 && more) {
        r = ofs_tape_full(t, next, sizeof(next));
        if (r == 0)
            r = old_pairs(t, next, NEXT_N, extents);
        more = next[NEXT_MORE_AT] != 0;
    }
    *ret_real = (uint64_t)real;
    return r;
}

/* One of the numbers at the head of the data. */
static int read_line(struct ofs_tape *t, uint64_t *ret)
{
    uint64_t value = 0;
    uint8_t c = 0;
    int r;

    for (size_t i = 0; i < LINE_MAX_LEN; i++) {
        r = ofs_tape_full(t, &c, 1);
        if (r < 0)
            return r;
        if (c == '\n' && i > 0) {
            *ret = value;
            return 0;
        }
        if (c < '0' || c > '9' || value > INT64_MAX / 10 - 1)
            break;
        value = value * 10 + (uint64_t)(c - '0');
    }
    return bad_map(t);
}

int ofs_sparse_in_data(struct ofs_tape *t, uint64_t limit,
                       struct ofs_buf *extents)
{
    uint64_t begin = t->off, n = 0, off = 0, len = 0, used;
    int r;

    extents->len = 0;
    r = read_line(t, &n);
    if (r == 0 && n > MAX_EXTENTS)
        r = bad_map(t);
    for (; r == 0 && n > 0; n--) {
        r = read_line(t, &off);
        if (r == 0)
            r = read_line(t, &len);
        if (r == 0)
            r = put_extent(t, extents, off, len);
        if (r == 0 && t->off - begin > limit)
            r = bad_map(t);
    }
    used = (t->off - begin) % OFS_TAR_BLOCK;
    return r == 0 && used > 0 ? ofs_tape_skip(t, OFS_TAR_BLOCK - used) : r;
}

bool ofs_sparse_valid(const struct ofs_buf *extents, uint64_t real,
                      uint64_t stored)
{
    const struct ofs_extent *e = (const void *)extents->data;
    size_t n = extents->len / sizeof(*e);
    uint64_t end = 0, sum = 0;

    for (size_t i = 0; i < n; i++) {
        if (e[i].off < end || e[i].off > real || e[i].len > real - e[i].off)
            return false;
        end = e[i].off + e[i].len;
        sum += e[i].len;
    }
    return sum == stored;
}
