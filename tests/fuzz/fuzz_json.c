/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* A target with one member of each kind. */
struct target {
    char *str;
    uint64_t u64;
    bool yes;
    struct ofs_strv strv;
    json_t *obj;
};

static const struct ofs_json_field fields[] = {
    { "mediaType", OFS_JSON_STR, offsetof(struct target, str), true },
    { "size", OFS_JSON_U64, offsetof(struct target, u64), false },
    { "yes", OFS_JSON_BOOL, offsetof(struct target, yes), false },
    { "tags", OFS_JSON_STRV, offsetof(struct target, strv), false },
    { "config", OFS_JSON_OBJ, offsetof(struct target, obj), false },
    { 0 },
};

static void target_done(struct target *t)
{
    free(t->str);
    ofs_strv_done(&t->strv);
}

static void decode(const json_t *doc)
{
    OFS_AUTO(target_done) struct target t = { 0 };
    struct ofs_err err = { 0 };
    int r = ofs_json_decode(doc, fields, &t, &err);

    if (r == 0 ? !t.str || err.code : err.code != r || !err.text[0])
        abort();
    if (t.obj)
        decode(t.obj); /* borrowed from a document of limited depth */
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOJSON json_t *doc = NULL;
    struct ofs_err err = { 0 };
    int r = ofs_json_parse((const char *)data, size, &doc, &err);

    if ((r == 0) != (doc != NULL) || err.code != r)
        abort();
    if (doc)
        decode(doc);
    return 0;
}
