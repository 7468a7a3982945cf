/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int64_t s = -1;
    int r = ofs_config_created((const char *)data, size, &s);

    if ((r == 0) != (s >= 0) || (r != 0 && r != -ENOENT && r != -EBADMSG))
        abort();
    return 0;
}
