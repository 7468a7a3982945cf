/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DIGEST_H
#define OFS_DIGEST_H

/*
 * Content digests: "sha256:<64 lower-case hex>" and "sha512:<128>".  Plain
 * data, passed by value or pointer, compared with ofs_digest_eq().
 *
 * Source: OCI image-spec v1.1, descriptor.md, "Digests".
 */

#include "ocirfs/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum ofs_digest_alg {
    OFS_SHA256 = 1,
    OFS_SHA512 = 2,
};

enum {
    OFS_DIGEST_MAX = 64, /* bytes of the longest digest */
    OFS_DIGEST_TEXT_MAX = 7 + 128 + 1,
};

struct ofs_digest {
    uint8_t alg;                   /* enum ofs_digest_alg; 0: none */
    uint8_t bytes[OFS_DIGEST_MAX]; /* unused ones are zero */
};

/* "sha256:<hex>".  -EBADMSG: malformed, or an algorithm we do not know. */
int ofs_digest_parse(const char *text, struct ofs_digest *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
/* Algorithm and hex given apart, as in "blobs/sha256/<hex>". */
int ofs_digest_parse_hex(const char *alg, const char *hex,
                         struct ofs_digest *ret) OFS_MUST_CHECK;

/* Fills `text` and returns it; "" for none. */
const char *ofs_digest_format(const struct ofs_digest *d,
                              char text[OFS_DIGEST_TEXT_MAX]);
const char *ofs_digest_alg_name(const struct ofs_digest *d); /* "sha256" */
size_t ofs_digest_len(enum ofs_digest_alg alg);              /* bytes */
bool ofs_digest_eq(const struct ofs_digest *a, const struct ofs_digest *b);
uint64_t ofs_digest_hash(const struct ofs_digest *d); /* for hash tables */

/* Digest of `len` bytes at once.  -ENOMEM. */
int ofs_digest_of(enum ofs_digest_alg alg, const void *data, size_t len,
                  struct ofs_digest *ret) OFS_MUST_CHECK;

/*
 * A running hash that can be asked for its inner state between blocks.  The
 * state at a chunk border, with the state at the next one, proves the chunk
 * between them by itself: that is what fs/store keeps as its chunk hashes.
 *
 * SHA-256 and SHA-512 are Merkle-Damgard chains, so for whole blocks the
 * state after a chunk depends on the state before it and the chunk alone; to
 * find another chunk that leads from the one state to the other is a second
 * preimage of the compression function.  It costs nothing beside the hash
 * that runs anyway, where a second hash per chunk would double the work.
 *
 * Chunk length: a multiple of 128 bytes.  Source: FIPS 180-4, 6.2.2, 6.4.2.
 */
struct ofs_hash;

struct ofs_hash *ofs_hash_new(enum ofs_digest_alg alg); /* NULL: no memory */
/* One that goes on from the same point; NULL: no memory. */
struct ofs_hash *ofs_hash_copy(const struct ofs_hash *h);
void ofs_hash_free(struct ofs_hash *h);
OFS_DEFINE_AUTO(struct ofs_hash, ofs_hash_free)
void ofs_hash_reset(struct ofs_hash *h);
void ofs_hash_update(struct ofs_hash *h, const void *data, size_t len);
void ofs_hash_final(struct ofs_hash *h, struct ofs_digest *ret); /* ends it */

enum { OFS_MIDSTATE_MAX = 64 }; /* bytes: 32 for SHA-256, 64 for SHA-512 */

/* The inner state; only after a multiple of 128 bytes. */
void ofs_hash_midstate(const struct ofs_hash *h,
                       uint8_t state[OFS_MIDSTATE_MAX]);
/* Go on from such a state, after `done` bytes (a multiple of 128). */
void ofs_hash_resume(struct ofs_hash *h, const uint8_t state[OFS_MIDSTATE_MAX],
                     uint64_t done);

#endif
