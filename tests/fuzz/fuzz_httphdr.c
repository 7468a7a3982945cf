/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/httphdr.h"
#include "resphead.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(bool holds)
{
    if (!holds)
        abort();
}

static void content_range(const char *text)
{
    struct ofs_content_range r;

    if (ofs_content_range_parse(text, &r) < 0)
        return;
    must(r.satisfiable || r.total_known);
    must(!r.satisfiable || r.first <= r.last);
    must(!r.satisfiable || !r.total_known || r.last < r.total);
}

static void link_next(const char *text)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    int r = ofs_link_next(text, &b);

    must(r == 0 || r == -ENOENT);
    if (r == 0)
        must(strstr(text, ofs_buf_str(&b)) && !strchr(ofs_buf_str(&b), '>'));
    else
        must(b.len == 0);
}

static void media_type(const char *text)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);
    int r = ofs_media_type(text, &b);

    must(r == 0 || r == -EBADMSG);
    if (r == 0)
        must(strchr(ofs_buf_str(&b), '/') &&
             !strpbrk(ofs_buf_str(&b), " \t;,ABCXYZ"));
}

static void head(const char *text)
{
    OFS_AUTO(ofs_resphead_done) struct ofs_resphead h = { 0 };

    while (*text) {
        size_t len = strcspn(text, "\n");
        int r = ofs_resphead_line(&h, text, len);

        must(r == 0 || r == -EFBIG || (r == 1 && h.status >= 200));
        if (r < 0)
            return;
        text += len;
        if (*text == '\n')
            text++;
    }
    for (size_t i = 0; i < h.headers.n; i++)
        must(h.headers.at[i].name[0] && h.headers.at[i].value);
    must(h.headers.n <= OFS_HEADERS_MAX);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *text = strndup((const char *)data, size);

    if (!text)
        return 0;
    content_range(text);
    link_next(text);
    media_type(text);
    must(ofs_retry_after_ms(text, 1700000000) >= -1);
    head(text);
    return 0;
}
