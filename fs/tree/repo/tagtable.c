/* SPDX-License-Identifier: Apache-2.0 */
#include "tagtable.h"

#include "ocirfs/vec.h"

void ofs_tag_info_done(struct ofs_tag_info *info)
{
    free(info->media_type);
    memset(info, 0, sizeof(*info));
}

int ofs_tag_info_copy(const struct ofs_tag_info *from, struct ofs_tag_info *ret)
{
    char *media_type = strdup(from->media_type);

    if (!media_type)
        return -ENOMEM;
    *ret = *from;
    ret->media_type = media_type;
    return 0;
}

bool ofs_tag_info_eq(const struct ofs_tag_info *a, const struct ofs_tag_info *b)
{
    return ofs_digest_eq(&a->digest, &b->digest) && a->size == b->size &&
           strcmp(a->media_type, b->media_type) == 0;
}

static void tag_done(struct ofs_tag *tag)
{
    free(tag->name);
    free(tag->why);
    ofs_tag_info_done(&tag->info);
}

void ofs_tags_done(struct ofs_tags *t)
{
    for (size_t i = 0; i < t->n; i++)
        tag_done(&t->at[i]);
    free(t->at);
    memset(t, 0, sizeof(*t));
}

/* Where `name` is or would be. */
static size_t place_of(const struct ofs_tags *t, const char *name)
{
    size_t low = 0, high = t->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(t->at[mid].name, name) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

static bool is_at(const struct ofs_tags *t, size_t i, const char *name)
{
    return i < t->n && strcmp(t->at[i].name, name) == 0;
}

struct ofs_tag *ofs_tags_find(const struct ofs_tags *t, const char *name)
{
    size_t i = place_of(t, name);

    return is_at(t, i, name) ? &t->at[i] : NULL;
}

/* Room for one more; false: no memory. */
struct ofs_tag *ofs_tags_need(struct ofs_tags *t, const char *name)
{
    size_t i = place_of(t, name);
    char *copy;

    if (is_at(t, i, name))
        return &t->at[i];
    copy = strdup(name);
    if (!copy || ofs_vec_grow(t->at, t->n, t->room) < 0) {
        free(copy);
        return NULL;
    }
    memmove(&t->at[i + 1], &t->at[i], (t->n - i) * sizeof(*t->at));
    t->at[i] = (struct ofs_tag){ .name = copy };
    t->n++;
    return &t->at[i];
}

void ofs_tags_remove(struct ofs_tags *t, const char *name)
{
    size_t i = place_of(t, name);

    if (!is_at(t, i, name))
        return;
    tag_done(&t->at[i]);
    t->n--;
    memmove(&t->at[i], &t->at[i + 1], (t->n - i) * sizeof(*t->at));
}

/* An empty tag for each name; NULL: no memory. */
static struct ofs_tag *tags_named(const struct ofs_strv *names)
{
    struct ofs_tags fresh = { .room = names->n + 1 };

    fresh.at = calloc(fresh.room, sizeof(*fresh.at));
    if (!fresh.at)
        return NULL;
    for (; fresh.n < names->n; fresh.n++) {
        fresh.at[fresh.n].name = strdup(names->at[fresh.n]);
        if (!fresh.at[fresh.n].name) {
            ofs_tags_done(&fresh);
            return NULL;
        }
    }
    return fresh.at;
}

static void swap(struct ofs_tag *a, struct ofs_tag *b)
{
    struct ofs_tag t = *a;

    *a = *b;
    *b = t;
}

int ofs_tags_set_names(struct ofs_tags *t, const struct ofs_strv *names,
                       bool *ret_changed)
{
    struct ofs_tags fresh = { .n = names->n, .room = names->n + 1 };
    bool changed = t->n != names->n;
    size_t old = 0;

    fresh.at = tags_named(names);
    if (!fresh.at)
        return -ENOMEM;
    for (size_t i = 0; i < fresh.n; i++) {
        while (old < t->n && strcmp(t->at[old].name, fresh.at[i].name) < 0)
            old++;
        if (is_at(t, old, fresh.at[i].name))
            swap(&t->at[old], &fresh.at[i]);
        else
            changed = true;
    }
    ofs_tags_done(t);
    *t = fresh;
    *ret_changed = changed;
    return 0;
}

void ofs_tag_set(struct ofs_tag *tag, int64_t at_ms, struct ofs_tag_info *info)
{
    ofs_tag_info_done(&tag->info);
    tag->info = *info;
    memset(info, 0, sizeof(*info));
    tag->known = true;
    tag->at_ms = at_ms;
    tag->hinted = false;
    tag->refused = 0;
    tag->told = false;
    free(ofs_take(&tag->why));
}

void ofs_tag_refuse(struct ofs_tag *tag, const struct ofs_tag_no *no)
{
    free(tag->why);
    tag->why = strdup(no->why);
    tag->told &= tag->refused == no->code;
    tag->refused = no->code;
    tag->refused_at = no->at_ms;
    tag->refused_ms = no->for_ms;
}
