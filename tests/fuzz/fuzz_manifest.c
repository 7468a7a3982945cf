/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An index.json made of what was read must be one that we read, too. */
static void make_index(const struct ofs_manifest *m)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(64 * 1024 * 1024);
    OFS_AUTOMANIFEST struct ofs_manifest index = { 0 };
    struct ofs_layout_entry *entries =
        calloc(m->n_layers + 1, sizeof(*entries));

    if (!entries)
        abort();
    for (size_t i = 0; i < m->n_layers; i++)
        entries[i] = (struct ofs_layout_entry){
            .media_type = m->layers[i].media_type,
            .tag = m->media_type,
            .digest = m->layers[i].digest,
            .size = m->layers[i].size,
        };
    if (ofs_layout_index(entries, m->n_layers, &b) < 0 ||
        ofs_manifest_decode(b.data, b.len, OFS_MT_OCI_INDEX, &index, NULL) < 0)
        abort();
    if (index.n_layers != m->n_layers)
        abort();
    for (size_t i = 0; i < m->n_layers; i++)
        if (!ofs_digest_eq(&index.layers[i].digest, &m->layers[i].digest) ||
            strcmp(index.layers[i].media_type, m->layers[i].media_type) != 0)
            abort();
    free(entries);
}

/* The first line is what the server called it; empty: nothing. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = memchr(data, '\n', size);
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_AUTOFREE char *type = NULL;
    struct ofs_err err = { 0 };
    size_t skip;
    int r;

    if (!end)
        return 0;
    type = strndup((const char *)data, (size_t)(end - data));
    skip = (size_t)(end - data) + 1;
    r = ofs_manifest_decode((const char *)data + skip, size - skip,
                            type && *type ? type : NULL, &m, &err);
    if (r != err.code || (r < 0 && (m.layers || !err.text[0])))
        abort();
    if (r < 0)
        return 0;
    if (!m.media_type || m.n_layers > OFS_MANIFEST_MAX_ENTRIES)
        abort();
    make_index(&m);
    return 0;
}
