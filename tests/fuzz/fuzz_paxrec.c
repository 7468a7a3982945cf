/* SPDX-License-Identifier: Apache-2.0 */
#include "paxrec.h"
#include "xattrlist.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool what)
{
    if (!what)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct ofs_pax pax;

    ofs_pax_init(&pax);
    if (ofs_pax_parse((const char *)data, size, &pax) == 0) {
        must(ofs_xattr_is_list((const uint8_t *)pax.xattrs.data,
                               pax.xattrs.len));
        must(pax.mtime_ns < 1000000000);
        must(strlen(ofs_buf_str(&pax.path)) == pax.path.len);
        must(strlen(ofs_buf_str(&pax.link)) == pax.link.len);
        must(pax.extents.len % sizeof(struct ofs_extent) == 0);
    }
    ofs_pax_done(&pax);
    return 0;
}
