/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/manifest.h"

#include "ocirfs/mediatype.h"

#include <inttypes.h>

/* A JSON string with its quotes.  Media types are a server's words. */
static void add_string(struct ofs_buf *b, const char *s)
{
    (void)ofs_buf_addc(b, '"');
    for (; *s; s++) {
        unsigned char c = (unsigned char)*s;

        if (c == '"' || c == '\\')
            (void)ofs_buf_addf(b, "\\%c", c);
        else if (c < 0x20 || c == 0x7f)
            (void)ofs_buf_addf(b, "\\u%04x", c);
        else
            (void)ofs_buf_addc(b, *s);
    }
    (void)ofs_buf_addc(b, '"');
}

static void add_entry(struct ofs_buf *b, const struct ofs_layout_entry *e)
{
    char digest[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_adds(b, "{\"mediaType\":");
    add_string(b, e->media_type);
    (void)ofs_buf_addf(b, ",\"digest\":\"%s\",\"size\":%" PRIu64,
                       ofs_digest_format(&e->digest, digest), e->size);
    if (e->tag) {
        (void)ofs_buf_adds(b, ",\"annotations\":{"
                              "\"org.opencontainers.image.ref.name\":");
        add_string(b, e->tag);
        (void)ofs_buf_addc(b, '}');
    }
    (void)ofs_buf_addc(b, '}');
}

int ofs_layout_index(const struct ofs_layout_entry *entries, size_t n,
                     struct ofs_buf *b)
{
    (void)ofs_buf_adds(b,
                       "{\"schemaVersion\":2,\"mediaType\":\"" OFS_MT_OCI_INDEX
                       "\",\"manifests\":[");
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            (void)ofs_buf_addc(b, ',');
        add_entry(b, &entries[i]);
    }
    return ofs_buf_adds(b, "]}");
}
