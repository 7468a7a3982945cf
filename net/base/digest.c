/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The SHA256_* and SHA512_* calls are deprecated since OpenSSL 3.0 in favour
 * of EVP; EVP hides the inner state, which ofs_hash_midstate() is about.
 * They run the same code (SHA-NI where the machine has it).
 */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "ocirfs/digest.h"

#include <assert.h>
#include <openssl/sha.h>

enum { STATE_WORDS = 8, SHA256_LEN = 32, SHA512_LEN = 64, BORDER = 128 };

struct ofs_hash {
    enum ofs_digest_alg alg;
    union {
        SHA256_CTX c256;
        SHA512_CTX c512;
    } u;
};

static const struct {
    const char *name;
    enum ofs_digest_alg alg;
} algs[] = {
    { "sha256", OFS_SHA256 },
    { "sha512", OFS_SHA512 },
};

size_t ofs_digest_len(enum ofs_digest_alg alg)
{
    switch (alg) {
    case OFS_SHA256:
        return SHA256_LEN;
    case OFS_SHA512:
        return SHA512_LEN;
    default:
        return 0;
    }
}

const char *ofs_digest_alg_name(const struct ofs_digest *d)
{
    for (size_t i = 0; i < OFS_COUNT_OF(algs); i++)
        if (d->alg == algs[i].alg)
            return algs[i].name;
    return "";
}

/* Lower case only: the spec knows no other, and two spellings of one digest
 * would be two names of one file. */
static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int parse_bytes(enum ofs_digest_alg alg, const char *hex,
                       struct ofs_digest *ret)
{
    struct ofs_digest d = { .alg = (uint8_t)alg };
    size_t len = ofs_digest_len(alg);

    if (strlen(hex) != len * 2)
        return -EBADMSG;
    for (size_t i = 0; i < len; i++) {
        int high = nibble(hex[2 * i]), low = nibble(hex[2 * i + 1]);

        if (high < 0 || low < 0)
            return -EBADMSG;
        d.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = d;
    return 0;
}

int ofs_digest_parse_hex(const char *alg, const char *hex,
                         struct ofs_digest *ret)
{
    for (size_t i = 0; i < OFS_COUNT_OF(algs); i++)
        if (strcmp(alg, algs[i].name) == 0)
            return parse_bytes(algs[i].alg, hex, ret);
    return -EBADMSG;
}

static int parse_text(const char *text, struct ofs_digest *ret)
{
    for (size_t i = 0; i < OFS_COUNT_OF(algs); i++) {
        size_t len = strlen(algs[i].name);

        if (strncmp(text, algs[i].name, len) == 0 && text[len] == ':')
            return parse_bytes(algs[i].alg, text + len + 1, ret);
    }
    return -EBADMSG;
}

int ofs_digest_parse(const char *text, struct ofs_digest *ret,
                     struct ofs_err *err)
{
    int r = parse_text(text, ret);

    if (r < 0)
        return ofs_err_set(err, r, "'%.140s' is no digest", text);
    return 0;
}

const char *ofs_digest_format(const struct ofs_digest *d,
                              char text[OFS_DIGEST_TEXT_MAX])
{
    static const char hex[] = "0123456789abcdef";
    size_t len = ofs_digest_len(d->alg);
    char *p = text;

    if (len > 0) {
        p = stpcpy(p, ofs_digest_alg_name(d));
        *p++ = ':';
    }
    for (size_t i = 0; i < len; i++) {
        *p++ = hex[d->bytes[i] >> 4];
        *p++ = hex[d->bytes[i] & 15];
    }
    *p = '\0';
    return text;
}

bool ofs_digest_eq(const struct ofs_digest *a, const struct ofs_digest *b)
{
    return a->alg == b->alg && memcmp(a->bytes, b->bytes, OFS_DIGEST_MAX) == 0;
}

uint64_t ofs_digest_hash(const struct ofs_digest *d)
{
    uint64_t hash;

    memcpy(&hash, d->bytes, sizeof(hash));
    return hash;
}

int ofs_digest_of(enum ofs_digest_alg alg, const void *data, size_t len,
                  struct ofs_digest *ret)
{
    struct ofs_hash h = { .alg = alg };

    ofs_hash_reset(&h);
    ofs_hash_update(&h, data, len);
    ofs_hash_final(&h, ret);
    return 0;
}

struct ofs_hash *ofs_hash_new(enum ofs_digest_alg alg)
{
    struct ofs_hash *h = malloc(sizeof(*h));

    if (!h)
        return NULL;
    h->alg = alg;
    ofs_hash_reset(h);
    return h;
}

struct ofs_hash *ofs_hash_copy(const struct ofs_hash *h)
{
    struct ofs_hash *copy = malloc(sizeof(*copy));

    if (copy)
        *copy = *h;
    return copy;
}

void ofs_hash_free(struct ofs_hash *h)
{
    free(h);
}

void ofs_hash_reset(struct ofs_hash *h)
{
    assert(h->alg == OFS_SHA256 || h->alg == OFS_SHA512);
    if (h->alg == OFS_SHA256)
        (void)SHA256_Init(&h->u.c256);
    else
        (void)SHA512_Init(&h->u.c512);
}

void ofs_hash_update(struct ofs_hash *h, const void *data, size_t len)
{
    if (h->alg == OFS_SHA256)
        (void)SHA256_Update(&h->u.c256, data, len);
    else
        (void)SHA512_Update(&h->u.c512, data, len);
}

void ofs_hash_final(struct ofs_hash *h, struct ofs_digest *ret)
{
    *ret = (struct ofs_digest){ .alg = (uint8_t)h->alg };
    if (h->alg == OFS_SHA256)
        (void)SHA256_Final(ret->bytes, &h->u.c256);
    else
        (void)SHA512_Final(ret->bytes, &h->u.c512);
}

/* Big-endian, as a digest is, so that a state on disk fits every machine. */
static void put_word(uint8_t *out, uint64_t word, size_t len)
{
    for (size_t i = len; i-- > 0; word >>= 8)
        out[i] = (uint8_t)(word & 255);
}

static uint64_t get_word(const uint8_t *in, size_t len)
{
    uint64_t word = 0;

    for (size_t i = 0; i < len; i++)
        word = word << 8 | in[i];
    return word;
}

void ofs_hash_midstate(const struct ofs_hash *h,
                       uint8_t state[OFS_MIDSTATE_MAX])
{
    memset(state, 0, OFS_MIDSTATE_MAX);
    if (h->alg == OFS_SHA256) {
        assert(h->u.c256.num == 0 && h->u.c256.Nl / 8 % BORDER == 0);
        for (size_t i = 0; i < STATE_WORDS; i++)
            put_word(state + 4 * i, h->u.c256.h[i], 4);
    } else {
        assert(h->u.c512.num == 0);
        for (size_t i = 0; i < STATE_WORDS; i++)
            put_word(state + 8 * i, h->u.c512.h[i], 8);
    }
}

void ofs_hash_resume(struct ofs_hash *h, const uint8_t state[OFS_MIDSTATE_MAX],
                     uint64_t done)
{
    assert(done % BORDER == 0);
    ofs_hash_reset(h);
    /* Both count bits, in two words: low and high. */
    if (h->alg == OFS_SHA256) {
        for (size_t i = 0; i < STATE_WORDS; i++)
            h->u.c256.h[i] = (SHA_LONG)get_word(state + 4 * i, 4);
        h->u.c256.Nl = (SHA_LONG)(done << 3 & UINT32_MAX);
        h->u.c256.Nh = (SHA_LONG)(done >> 29);
    } else {
        for (size_t i = 0; i < STATE_WORDS; i++)
            h->u.c512.h[i] = get_word(state + 8 * i, 8);
        h->u.c512.Nl = done << 3;
        h->u.c512.Nh = done >> 61;
    }
}
