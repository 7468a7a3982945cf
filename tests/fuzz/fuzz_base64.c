/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/base64.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LIMIT = 1 << 20 };

/* Encoding gives a text that stands for the same bytes. */
static void check_round_trip(const void *data, size_t size)
{
    OFS_AUTOBUF struct ofs_buf coded = OFS_BUF_INIT(2 * LIMIT);
    OFS_AUTOBUF struct ofs_buf again = OFS_BUF_INIT(LIMIT);

    if (ofs_base64_encode(&coded, data, size) < 0 || coded.len % 4 != 0 ||
        ofs_base64_decode(&again, ofs_buf_str(&coded), coded.len) < 0)
        abort();
    if (again.len != size || (size > 0 && memcmp(again.data, data, size) != 0))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOBUF struct ofs_buf plain = OFS_BUF_INIT(LIMIT);
    int r;

    if (size > LIMIT)
        return 0;
    check_round_trip(data, size);
    r = ofs_base64_decode(&plain, (const char *)data, size);
    if (r == 0)
        check_round_trip(ofs_buf_str(&plain), plain.len);
    else if (r != -EBADMSG || plain.len != 0)
        abort();
    return 0;
}
