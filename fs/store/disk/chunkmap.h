/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CHUNKMAP_H
#define OFS_CHUNKMAP_H

/*
 * The bytes of the two files that lie beside a blob's data.  Pure; numbers
 * are big-endian, lengths in bytes.
 *
 *   <hex>.map   0   8  magic "OFSMAP1\n"
 *               8   4  length of a chunk
 *              12   4  zero
 *              16   8  length of the blob
 *              24  16  boot id of the kernel that its marks belong to
 *              40   8  zero
 *              48  16  check: SHA-256 of bytes 0 to 47, its first half
 *              64   n  one mark for each chunk
 *            64+n  64  the seal, or nothing:
 *                  0   8  magic "OFSSEAL\n"
 *                  8   4  length of a chunk
 *                 12   4  zero
 *                 16  32  the data file's length, inode number, mtime, ctime
 *                         (nanoseconds)
 *                 48  16  check: SHA-256 of its bytes 0 to 47, first half
 *
 *   <hex>.sums  0   8  magic "OFSSUM1\n"
 *               8   4  length of a chunk
 *              12   4  algorithm: 1 SHA-256, 2 SHA-512
 *              16   8  length of the blob
 *              24  64  digest of the blob, zero beyond its length
 *              88   8  zero
 *              96  16  check: SHA-256 of bytes 0 to 95, its first half
 *             112   n  the hash's state after each chunk but the last
 *           112+n  32  SHA-256 of these n bytes
 *
 * A map whose header does not check is the same as no map.
 */

#include "ocirfs/digest.h"

enum { OFS_CHUNK_BYTES = 256 * 1024 };

/* No larger blob is opened: what is kept of one in memory grows with it. */
#define OFS_BLOB_MAX_BYTES ((uint64_t)1 << 40)

enum {
    OFS_BOOT_ID_LEN = 16,
    OFS_MAP_HEAD_LEN = 64,
    OFS_SEAL_LEN = 64,
    OFS_SUMS_HEAD_LEN = 112,
    OFS_SUMS_TAIL_LEN = 32,
};

/* What a byte of the map says of its chunk; others are MARK_ABSENT. */
enum ofs_mark {
    OFS_MARK_ABSENT = 0,
    OFS_MARK_PLAIN = 1,  /* here, as the source sent it */
    OFS_MARK_PROVEN = 2, /* here, and part of what has the digest */
};

struct ofs_map_head {
    uint64_t size; /* of the blob */
    uint8_t boot_id[OFS_BOOT_ID_LEN];
};

void ofs_map_head_encode(const struct ofs_map_head *head,
                         uint8_t out[OFS_MAP_HEAD_LEN]);
/* -EBADMSG: too short, or not such a header. */
int ofs_map_head_decode(const uint8_t *data, size_t len,
                        struct ofs_map_head *ret) OFS_MUST_CHECK;

/* What a whole file of data looked like when all of it was known to be right:
 * whoever changes the file changes one of these. */
struct ofs_seal {
    uint64_t size, ino;
    int64_t mtime_ns, ctime_ns;
};

void ofs_seal_encode(const struct ofs_seal *seal, uint8_t out[OFS_SEAL_LEN]);
int ofs_seal_decode(const uint8_t *data, size_t len,
                    struct ofs_seal *ret) OFS_MUST_CHECK;

struct ofs_sums_head {
    uint64_t size; /* of the blob */
    struct ofs_digest digest;
};

void ofs_sums_head_encode(const struct ofs_sums_head *head,
                          uint8_t out[OFS_SUMS_HEAD_LEN]);
int ofs_sums_head_decode(const uint8_t *data, size_t len,
                         struct ofs_sums_head *ret) OFS_MUST_CHECK;

/* A whole file: 0 and where its states are (n bytes), or -EBADMSG. */
int ofs_sums_decode(const uint8_t *data, size_t len, struct ofs_sums_head *ret,
                    const uint8_t **ret_states) OFS_MUST_CHECK;

uint32_t ofs_chunk_count(uint64_t size);
/* Bytes of states of such a blob. */
size_t ofs_sums_len(uint64_t size, enum ofs_digest_alg alg);

/* -ENOMEM. */
int ofs_sha256(const void *data, size_t len, uint8_t ret[32]) OFS_MUST_CHECK;

/* "0f8fad5b-d9cb-469f-a165-70867728950e\n", as the kernel writes it. */
int ofs_boot_id_parse(const char *text,
                      uint8_t ret[OFS_BOOT_ID_LEN]) OFS_MUST_CHECK;

#endif
