/* SPDX-License-Identifier: Apache-2.0 */
/* Notes lie on a disk that may be damaged, or written by another version. */
#include "catalog.h"
#include "tags_note.h"
#include "tenancy_priv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void repo_done(struct ofs_repo *repo)
{
    ofs_tags_done(&repo->tags);
}

/* What was understood is written as something that is understood the same. */
static void tags(const char *text, size_t len)
{
    OFS_AUTO(repo_done) struct ofs_repo a = { 0 };
    OFS_AUTO(repo_done) struct ofs_repo b = { 0 };
    OFS_AUTOBUF struct ofs_buf first = OFS_BUF_INIT(1 << 24);
    OFS_AUTOBUF struct ofs_buf second = OFS_BUF_INIT(1 << 24);

    if (ofs_note_parse_tags(text, len, &a) < 0)
        return;
    if (ofs_note_format_tags(&a, &first) < 0 ||
        ofs_note_parse_tags(first.data, first.len, &b) < 0 ||
        ofs_note_format_tags(&b, &second) < 0 || a.tags.n != b.tags.n ||
        strcmp(ofs_buf_str(&first), ofs_buf_str(&second)) != 0)
        abort();
}

static void names(const char *text, size_t len)
{
    OFS_AUTOSTRV struct ofs_strv a = { 0 };
    OFS_AUTOSTRV struct ofs_strv b = { 0 };
    OFS_AUTOBUF struct ofs_buf note = OFS_BUF_INIT(1 << 24);
    bool none, same;

    if (ofs_note_parse_names(text, len, &a, &none) < 0)
        return;
    if (ofs_note_format_names(&a, none, &note) < 0 ||
        ofs_note_parse_names(note.data, note.len, &b, &same) < 0 ||
        a.n != b.n || none != same)
        abort();
}

/* Whatever is in it becomes a tree in which everything has a place. */
static void tenancy(const char *text, size_t len)
{
    OFS_AUTO(ofs_tenancy_note_done) struct ofs_tenancy_note n = { 0 };
    OFS_AUTO(ofs_comptree_done) struct ofs_comptree tree = { 0 };

    if (ofs_note_parse_tenancy(text, len, &n) < 0)
        return;
    if (ofs_comptree_build(&n.known.compartments, "ocid1.t", NULL, &tree) < 0 ||
        tree.n > n.known.compartments.n + 1)
        abort();
    for (size_t i = 0; i < tree.n; i++)
        if (tree.at[i].parent >= tree.n || !tree.at[i].name)
            abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    tenancy((const char *)data, size);
    tags((const char *)data, size);
    names((const char *)data, size);
    return 0;
}
