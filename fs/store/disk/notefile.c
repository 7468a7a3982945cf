/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Notes: one file each, named by the SHA-256 of the key, replaced whole.
 *
 *     0   8  magic "OFSNOT1\n"
 *     8   8  when it was put, seconds since 1970, big-endian
 *    16   8  length of the key
 *    24   k  key
 *  24+k   n  data
 *  end   32  SHA-256 of all before
 */

#include "cachedir.h"

#include "ocirfs/file.h"

static const char magic[8] = "OFSNOT1\n";

enum { HEAD_LEN = 24, TAIL_LEN = 32, NOTE_KEY_MAX = 4096 };

static void put_be(uint8_t out[8], uint64_t value)
{
    for (size_t i = 8; i-- > 0; value >>= 8)
        out[i] = (uint8_t)(value & 255);
}

static uint64_t get_be(const uint8_t in[8])
{
    uint64_t value = 0;

    for (size_t i = 0; i < 8; i++)
        value = value << 8 | in[i];
    return value;
}

/* The hex of the key's digest, within `text`. */
static const char *name_of(const char *key, char text[OFS_DIGEST_TEXT_MAX])
{
    struct ofs_digest d = { .alg = OFS_SHA256 };

    if (ofs_sha256(key, strlen(key), d.bytes) < 0)
        return "none"; /* no memory: a name that nothing has */
    return strchr(ofs_digest_format(&d, text), ':') + 1;
}

static void add_head(struct ofs_buf *b, const char *key)
{
    uint8_t head[HEAD_LEN];

    memcpy(head, magic, sizeof(magic));
    put_be(head + 8, (uint64_t)ofs_wall_s());
    put_be(head + 16, strlen(key));
    (void)ofs_buf_add(b, head, sizeof(head));
    (void)ofs_buf_adds(b, key);
}

int ofs_note_put(struct ofs_cachedir *c, const char *key, const void *data,
                 size_t len)
{
    OFS_AUTOBUF struct ofs_buf b =
        OFS_BUF_INIT(HEAD_LEN + NOTE_KEY_MAX + len + TAIL_LEN);
    char text[OFS_DIGEST_TEXT_MAX];
    uint8_t hash[TAIL_LEN];
    int r;

    if (strlen(key) > NOTE_KEY_MAX)
        return -ENAMETOOLONG;
    add_head(&b, key);
    (void)ofs_buf_add(&b, data, len);
    if (b.failed)
        return b.failed;
    r = ofs_sha256(b.data, b.len, hash);
    if (r < 0 || ofs_buf_add(&b, hash, TAIL_LEN) < 0)
        return r < 0 ? r : b.failed;
    return ofs_file_replace(c->notes_fd, name_of(key, text), b.data, b.len,
                            false);
}

/* Length of the data, which follows the key; -ENOENT: no such note. */
static int64_t check(const struct ofs_buf *b, const char *key)
{
    const uint8_t *p = (const uint8_t *)b->data;
    size_t key_len = strlen(key), around = HEAD_LEN + key_len + TAIL_LEN;
    uint8_t hash[TAIL_LEN];

    if (b->len < around || memcmp(p, magic, sizeof(magic)) != 0 ||
        get_be(p + 16) != key_len || memcmp(p + HEAD_LEN, key, key_len) != 0)
        return -ENOENT;
    if (ofs_sha256(p, b->len - TAIL_LEN, hash) < 0 ||
        memcmp(p + b->len - TAIL_LEN, hash, TAIL_LEN) != 0)
        return -ENOENT;
    return (int64_t)(b->len - around);
}

/* A clock that was set back makes a note young, not negative. */
static int64_t age_s(const struct ofs_buf *b)
{
    uint64_t put = get_be((const uint8_t *)b->data + 8);
    int64_t now = ofs_wall_s();

    return put < (uint64_t)now ? now - (int64_t)put : 0;
}

int ofs_note_get(struct ofs_cachedir *c, const char *key, struct ofs_buf *ret,
                 int64_t *ret_age_s)
{
    OFS_AUTOBUF struct ofs_buf b =
        OFS_BUF_INIT(HEAD_LEN + strlen(key) + ret->limit + TAIL_LEN);
    char text[OFS_DIGEST_TEXT_MAX];
    int64_t len;
    int r;

    if (ofs_file_read(c->notes_fd, name_of(key, text), &b) < 0)
        return -ENOENT;
    len = check(&b, key);
    if (len < 0)
        return (int)len;
    r = ofs_buf_add(ret, b.data + HEAD_LEN + strlen(key), (size_t)len);
    if (r < 0)
        return r;
    *ret_age_s = age_s(&b);
    return 0;
}
