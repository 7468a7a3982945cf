/* SPDX-License-Identifier: Apache-2.0 */
#include "tagcard.h"

enum { KEPT = 16 };

struct ofs_tagcards {
    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_tagcard *at[KEPT];
    size_t next; /* to be replaced */
};

void ofs_tagcard_unref(struct ofs_tagcard *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) > 1)
        return;
    ofs_ora_image_done(&c->image);
    free(c->uri);
    free(c);
}

struct ofs_tagcards *ofs_tagcards_new(void)
{
    struct ofs_tagcards *cards = calloc(1, sizeof(*cards));

    if (cards)
        ofs_mutex_init(&cards->mtx, OFS_RANK_NODE);
    return cards;
}

void ofs_tagcards_free(struct ofs_tagcards *cards)
{
    if (!cards)
        return;
    for (size_t i = 0; i < KEPT; i++)
        ofs_tagcard_unref(cards->at[i]);
    ofs_mutex_done(&cards->mtx);
    free(cards);
}

static struct ofs_tagcard *ref(struct ofs_tagcard *c)
{
    (void)atomic_fetch_add(&c->refs, 1);
    return c;
}

/* One that is fresh; NULL: none. */
static struct ofs_tagcard *find(struct ofs_tree *t, const char *uri)
{
    OFS_GUARD(&t->tagcards->mtx);
    for (size_t i = 0; i < KEPT; i++) {
        struct ofs_tagcard *c = t->tagcards->at[i];

        if (c && strcmp(c->uri, uri) == 0 &&
            ofs_fresh_left(c->at_ms, ofs_tree_now(t), t->sync.ttl_ms) > 0)
            return ref(c);
    }
    return NULL;
}

/* In the place of the one that was put first. */
static void put(struct ofs_tagcards *cards, struct ofs_tagcard *c)
{
    struct ofs_tagcard *old;

    {
        OFS_GUARD(&cards->mtx);
        old = cards->at[cards->next];
        cards->at[cards->next] = ref(c);
        cards->next = (cards->next + 1) % KEPT;
    }
    ofs_tagcard_unref(old);
}

int ofs_tagcard_get(struct ofs_tree *t, struct ofs_call *call, const char *path,
                    const char *tag, struct ofs_tagcard **ret,
                    struct ofs_err *err)
{
    OFS_AUTO(ofs_tagcard_unrefp) struct ofs_tagcard *fresh = NULL;
    OFS_AUTOFREE char *uri = ofs_strf("%s:%s", path, tag);
    int r;

    if (!uri)
        return ofs_err_nomem(err, "attributes");
    *ret = find(t, uri);
    if (*ret)
        return 0;
    fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return ofs_err_nomem(err, "attributes");
    atomic_init(&fresh->refs, 1);
    fresh->at_ms = ofs_tree_now(t);
    fresh->uri = ofs_take(&uri);
    r = ofs_ora_lookup_image(t->ora, call, fresh->uri, &fresh->image, err);
    if (r < 0)
        return r;
    put(t->tagcards, fresh);
    *ret = ofs_take(&fresh);
    return 0;
}
