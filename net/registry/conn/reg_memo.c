/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_memo.h"

struct hint {
    int64_t until_ms;
    char text[];
};

int ofs_reg_memo_init(struct reg_memo *m, size_t max)
{
    m->map = ofs_map_new();
    m->max = max;
    return m->map ? 0 : -ENOMEM;
}

void ofs_reg_memo_done(struct reg_memo *m)
{
    ofs_map_free(m->map, free);
    m->map = NULL;
}

/* Without memory for a new one the old stays, full, and takes no more. */
static void start_anew(struct reg_memo *m)
{
    struct ofs_map *fresh = ofs_map_new();

    if (!fresh)
        return;
    ofs_map_free(m->map, free);
    m->map = fresh;
}

void ofs_reg_memo_put(struct reg_memo *m, const char *key, const char *text,
                      int64_t until_ms)
{
    size_t size = strlen(text) + 1;
    OFS_AUTOFREE struct hint *hint = malloc(sizeof(*hint) + size);
    OFS_AUTOFREE void *old = NULL;

    if (!hint)
        return;
    hint->until_ms = until_ms;
    memcpy(hint->text, text, size);
    if (ofs_map_count(m->map) >= m->max)
        start_anew(m);
    if (ofs_map_count(m->map) < m->max &&
        ofs_map_put(m->map, key, hint, &old) == 0)
        (void)ofs_take(&hint);
}

const char *ofs_reg_memo_get(struct reg_memo *m, const char *key,
                             int64_t now_ms)
{
    const struct hint *hint = ofs_map_get(m->map, key);

    if (!hint)
        return NULL;
    if (hint->until_ms > now_ms)
        return hint->text;
    free(ofs_map_remove(m->map, key));
    return NULL;
}

void ofs_reg_memo_forget(struct reg_memo *m, const char *key, const char *text)
{
    const struct hint *hint = ofs_map_get(m->map, key);

    if (hint && (!text || strcmp(hint->text, text) == 0))
        free(ofs_map_remove(m->map, key));
}
