/* SPDX-License-Identifier: Apache-2.0 */
/* What the catalog last said, for a day when it cannot be asked. */
#include "catalog.h"

#include "ocirfs/ref.h"
#include "ocirfs/registry.h"
#include "ocirfs/store.h"

#include "notelines.h"

static const char catalog_full[] = "ocirfs catalog 1 listed";
static const char catalog_none[] = "ocirfs catalog 1 none";

int ofs_note_format_names(const struct ofs_strv *names, bool none,
                          struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "%s\n", none ? catalog_none : catalog_full);
    for (size_t i = 0; i < names->n; i++)
        (void)ofs_buf_addf(b, "%s\n", names->at[i]);
    return b->failed;
}

int ofs_note_parse_names(const char *text, size_t len, struct ofs_strv *ret,
                         bool *ret_none)
{
    OFS_AUTOBUF struct ofs_buf line = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);

    if (!ofs_note_line(&text, &len, &line))
        return -EBADMSG;
    *ret_none = strcmp(ofs_buf_str(&line), catalog_none) == 0;
    if (!*ret_none && strcmp(ofs_buf_str(&line), catalog_full) != 0)
        return -EBADMSG;
    while (ofs_note_line(&text, &len, &line))
        if (ofs_repo_is_valid(ofs_buf_str(&line)) &&
            ofs_strv_add(ret, line.data) < 0)
            return -ENOMEM;
    ofs_strv_sort(ret);
    ofs_strv_unique(ret);
    return 0;
}

/* Of whoever we are, as those of tags. */
static char *catalog_key(const struct ofs_catalog *c)
{
    char who[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d;

    if (ofs_registry_who(c->registry, NULL, "", &d) < 0)
        return NULL;
    return ofs_strf("catalog %s of %s", c->url, ofs_digest_format(&d, who));
}

void ofs_note_catalog(struct ofs_catalog *c)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    OFS_AUTOFREE char *key = catalog_key(c);
    int r;

    {
        OFS_GUARD(&c->mtx);
        r = ofs_note_is_of(&c->note_key, key)
                ? ofs_note_format_names(&c->names, c->none, &b)
                : -EPERM;
    }
    if (r == 0)
        r = ofs_store_note_put(c->store, key, b.data, b.len);
    (void)r; /* a note less */
}

void ofs_note_load_catalog(struct ofs_catalog *c)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    OFS_AUTOFREE char *key = catalog_key(c);
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    int64_t age_s;
    bool none;

    if (!ofs_note_is_of(&c->note_key, key) ||
        ofs_store_note_get(c->store, key, &b, &age_s) < 0 ||
        ofs_note_parse_names(b.data, b.len, &names, &none) < 0)
        return;
    OFS_GUARD(&c->mtx);
    c->names = names;
    c->none = none;
    memset(&names, 0, sizeof(names));
    ofs_listing_said(&c->list, OFS_LONG_AGO, 0);
}
