/* SPDX-License-Identifier: Apache-2.0 */
#include "layerpath.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int what)
{
    if (!what)
        abort();
}

/* No part of a clean path leads out of the image, or cannot be listed. */
static void check_parts(const char *path)
{
    for (const char *p = path; *p;) {
        size_t n = strcspn(p, "/");

        must(n > 0 && n <= OFS_LAYER_NAME_MAX);
        must(!(n == 1 && p[0] == '.'));
        must(!(n == 2 && p[0] == '.' && p[1] == '.'));
        (void)ofs_layer_mark(p, n);
        p += n;
        must(*p == '\0' || p[1] != '\0');
        p += *p == '/';
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOBUF struct ofs_buf once = OFS_BUF_INIT(1 << 20);
    OFS_AUTOBUF struct ofs_buf twice = OFS_BUF_INIT(1 << 20);

    if (size == 0 || ofs_layer_path((const char *)data, size, &once) < 0)
        return 0;
    must(once.len <= OFS_LAYER_PATH_MAX);
    check_parts(ofs_buf_str(&once));
    must(ofs_layer_path(ofs_buf_str(&once), once.len, &twice) == 0);
    must(strcmp(ofs_buf_str(&once), ofs_buf_str(&twice)) == 0);
    return 0;
}
