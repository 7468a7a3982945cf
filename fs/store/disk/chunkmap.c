/* SPDX-License-Identifier: Apache-2.0 */
#include "chunkmap.h"

static const char map_magic[8] = "OFSMAP1\n";
static const char seal_magic[8] = "OFSSEAL\n";
static const char sums_magic[8] = "OFSSUM1\n";

enum {
    MAP_CHECKED = 48,  /* bytes before the check; of a seal as well */
    SUMS_CHECKED = 96, /* bytes before the check */
    CHECK_LEN = 16,
};

static void put_be(uint8_t *out, uint64_t value, size_t len)
{
    for (size_t i = len; i-- > 0; value >>= 8)
        out[i] = (uint8_t)(value & 255);
}

static uint64_t get_be(const uint8_t *in, size_t len)
{
    uint64_t value = 0;

    for (size_t i = 0; i < len; i++)
        value = value << 8 | in[i];
    return value;
}

int ofs_sha256(const void *data, size_t len, uint8_t ret[32])
{
    struct ofs_digest d;
    int r = ofs_digest_of(OFS_SHA256, data, len, &d);

    if (r == 0)
        memcpy(ret, d.bytes, 32);
    return r;
}

/* Without memory it stays zero, and the file will not be believed. */
static void add_check(uint8_t *head, size_t len)
{
    uint8_t hash[32] = { 0 };

    if (ofs_sha256(head, len, hash) == 0)
        memcpy(head + len, hash, CHECK_LEN);
}

/* Magic, check and the one chunk length there is. */
static bool is_head(const uint8_t *data, const char *magic, size_t checked)
{
    uint8_t hash[32];

    if (memcmp(data, magic, 8) != 0 ||
        get_be(data + 8, 4) != (uint64_t)OFS_CHUNK_BYTES)
        return false;
    return ofs_sha256(data, checked, hash) == 0 &&
           memcmp(data + checked, hash, CHECK_LEN) == 0;
}

void ofs_map_head_encode(const struct ofs_map_head *head,
                         uint8_t out[OFS_MAP_HEAD_LEN])
{
    memset(out, 0, OFS_MAP_HEAD_LEN);
    memcpy(out, map_magic, sizeof(map_magic));
    put_be(out + 8, OFS_CHUNK_BYTES, 4);
    put_be(out + 16, head->size, 8);
    memcpy(out + 24, head->boot_id, OFS_BOOT_ID_LEN);
    add_check(out, MAP_CHECKED);
}

int ofs_map_head_decode(const uint8_t *data, size_t len,
                        struct ofs_map_head *ret)
{
    if (len < OFS_MAP_HEAD_LEN || !is_head(data, map_magic, MAP_CHECKED))
        return -EBADMSG;
    ret->size = get_be(data + 16, 8);
    memcpy(ret->boot_id, data + 24, OFS_BOOT_ID_LEN);
    return 0;
}

void ofs_seal_encode(const struct ofs_seal *seal, uint8_t out[OFS_SEAL_LEN])
{
    memset(out, 0, OFS_SEAL_LEN);
    memcpy(out, seal_magic, sizeof(seal_magic));
    put_be(out + 8, OFS_CHUNK_BYTES, 4);
    put_be(out + 16, seal->size, 8);
    put_be(out + 24, seal->ino, 8);
    put_be(out + 32, (uint64_t)seal->mtime_ns, 8);
    put_be(out + 40, (uint64_t)seal->ctime_ns, 8);
    add_check(out, MAP_CHECKED);
}

int ofs_seal_decode(const uint8_t *data, size_t len, struct ofs_seal *ret)
{
    if (len < OFS_SEAL_LEN || !is_head(data, seal_magic, MAP_CHECKED))
        return -EBADMSG;
    ret->size = get_be(data + 16, 8);
    ret->ino = get_be(data + 24, 8);
    ret->mtime_ns = (int64_t)get_be(data + 32, 8);
    ret->ctime_ns = (int64_t)get_be(data + 40, 8);
    return 0;
}

void ofs_sums_head_encode(const struct ofs_sums_head *head,
                          uint8_t out[OFS_SUMS_HEAD_LEN])
{
    memset(out, 0, OFS_SUMS_HEAD_LEN);
    memcpy(out, sums_magic, sizeof(sums_magic));
    put_be(out + 8, OFS_CHUNK_BYTES, 4);
    put_be(out + 12, head->digest.alg, 4);
    put_be(out + 16, head->size, 8);
    memcpy(out + 24, head->digest.bytes, OFS_DIGEST_MAX);
    add_check(out, SUMS_CHECKED);
}

int ofs_sums_head_decode(const uint8_t *data, size_t len,
                         struct ofs_sums_head *ret)
{
    uint64_t alg;

    if (len < OFS_SUMS_HEAD_LEN || !is_head(data, sums_magic, SUMS_CHECKED))
        return -EBADMSG;
    alg = get_be(data + 12, 4);
    if (alg != OFS_SHA256 && alg != OFS_SHA512)
        return -EBADMSG;
    ret->size = get_be(data + 16, 8);
    if (ret->size == 0 || ret->size > OFS_BLOB_MAX_BYTES)
        return -EBADMSG;
    ret->digest.alg = (uint8_t)alg;
    memcpy(ret->digest.bytes, data + 24, OFS_DIGEST_MAX);
    return 0;
}

uint32_t ofs_chunk_count(uint64_t size)
{
    return (uint32_t)((size + OFS_CHUNK_BYTES - 1) / OFS_CHUNK_BYTES);
}

size_t ofs_sums_len(uint64_t size, enum ofs_digest_alg alg)
{
    uint32_t n = ofs_chunk_count(size);

    return n > 0 ? (n - 1) * ofs_digest_len(alg) : 0;
}

int ofs_sums_decode(const uint8_t *data, size_t len, struct ofs_sums_head *ret,
                    const uint8_t **ret_states)
{
    struct ofs_sums_head head;
    uint8_t hash[OFS_SUMS_TAIL_LEN];
    const uint8_t *states;
    size_t n;
    int r = ofs_sums_head_decode(data, len, &head);

    if (r < 0)
        return r;
    n = ofs_sums_len(head.size, (enum ofs_digest_alg)head.digest.alg);
    if (len != OFS_SUMS_HEAD_LEN + n + OFS_SUMS_TAIL_LEN)
        return -EBADMSG;
    states = data + OFS_SUMS_HEAD_LEN;
    r = ofs_sha256(states, n, hash);
    if (r < 0)
        return r;
    if (memcmp(states + n, hash, sizeof(hash)) != 0)
        return -EBADMSG;
    *ret = head;
    *ret_states = states;
    return 0;
}

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

int ofs_boot_id_parse(const char *text, uint8_t ret[OFS_BOOT_ID_LEN])
{
    uint8_t id[OFS_BOOT_ID_LEN] = { 0 };
    size_t n = 0;

    for (; *text && *text != '\n'; text++) {
        int value = nibble(*text);

        if (*text == '-')
            continue;
        if (value < 0 || n == 2 * sizeof(id))
            return -EBADMSG;
        id[n / 2] = (uint8_t)(id[n / 2] << 4 | value);
        n++;
    }
    if (n != 2 * sizeof(id))
        return -EBADMSG;
    memcpy(ret, id, sizeof(id));
    return 0;
}
