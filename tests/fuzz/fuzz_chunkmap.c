/* SPDX-License-Identifier: Apache-2.0 */
#include "chunkmap.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MAP_CHECKED = 48, SUMS_CHECKED = 96, CHECK_LEN = 16 };

static void must(bool what)
{
    if (!what)
        abort();
}

/* No fuzzer finds a SHA-256: make the check right, so that it gets beyond. */
static void mend(uint8_t *bytes, size_t checked)
{
    uint8_t hash[32];

    must(ofs_sha256(bytes, checked, hash) == 0);
    memcpy(bytes + checked, hash, CHECK_LEN);
}

/* What is believed survives being written anew. */
static void try_map(const uint8_t *data, size_t size)
{
    struct ofs_map_head head, again;
    uint8_t bytes[OFS_MAP_HEAD_LEN];

    if (ofs_map_head_decode(data, size, &head) < 0)
        return;
    ofs_map_head_encode(&head, bytes);
    must(ofs_map_head_decode(bytes, sizeof(bytes), &again) == 0);
    must(again.size == head.size);
    must(memcmp(again.boot_id, head.boot_id, OFS_BOOT_ID_LEN) == 0);
}

static void try_seal(const uint8_t *data, size_t size)
{
    uint8_t bytes[OFS_SEAL_LEN];
    struct ofs_seal seal, again;

    if (ofs_seal_decode(data, size, &seal) < 0)
        return;
    ofs_seal_encode(&seal, bytes);
    must(ofs_seal_decode(bytes, sizeof(bytes), &again) == 0);
    must(memcmp(&seal, &again, sizeof(seal)) == 0);
}

static void try_sums(const uint8_t *data, size_t size)
{
    struct ofs_sums_head head;
    const uint8_t *states = NULL;
    uint8_t sum = 0;
    size_t n;

    if (ofs_sums_decode(data, size, &head, &states) < 0)
        return;
    n = ofs_sums_len(head.size, head.digest.alg);
    must(states == data + OFS_SUMS_HEAD_LEN);
    must(head.size > 0 && head.size <= OFS_BLOB_MAX_BYTES);
    for (size_t i = 0; i < n; i++)
        sum = (uint8_t)(sum + states[i]); /* all of them are there */
    must(sum == 0 || n > 0);
}

static void mend_and_try(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE uint8_t *copy = malloc(size);

    must(copy != NULL);
    memcpy(copy, data, size);
    if (size >= OFS_MAP_HEAD_LEN) {
        mend(copy, MAP_CHECKED);
        try_map(copy, size);
        try_seal(copy, size);
    }
    if (size >= OFS_SUMS_HEAD_LEN + OFS_SUMS_TAIL_LEN) {
        size_t n = size - OFS_SUMS_HEAD_LEN - OFS_SUMS_TAIL_LEN;

        memcpy(copy, data, size);
        mend(copy, SUMS_CHECKED);
        must(ofs_sha256(copy + OFS_SUMS_HEAD_LEN, n,
                        copy + OFS_SUMS_HEAD_LEN + n) == 0);
        try_sums(copy, size);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *text = strndup((const char *)data, size);
    uint8_t id[OFS_BOOT_ID_LEN];

    try_map(data, size);
    try_seal(data, size);
    try_sums(data, size);
    if (size > 0)
        mend_and_try(data, size);
    if (text)
        (void)(ofs_boot_id_parse(text, id) == 0);
    return 0;
}
