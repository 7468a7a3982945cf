/* SPDX-License-Identifier: Apache-2.0 */
#include "card.h"

#include "refresh.h"
#include "tenancy.h"

/* Lives as long as the tree; found by its path. */
struct card {
    char *path, *key; /* immutable */
    /* Guarded by cards.mtx: */
    struct ofs_listing list;
    struct ofs_ora_repository repo; /* id NULL: not known */
};

struct ofs_cards {
    struct ofs_mutex mtx; /* rank NODE; guards the map, too */
    struct ofs_map *map;
};

static void card_free(void *arg)
{
    struct card *c = arg;

    if (!c)
        return;
    ofs_ora_repository_done(&c->repo);
    free(c->path);
    free(c->key);
    free(c);
}
OFS_DEFINE_AUTO(struct card, card_free)

struct ofs_cards *ofs_cards_new(void)
{
    struct ofs_cards *cards = calloc(1, sizeof(*cards));

    if (!cards)
        return NULL;
    ofs_mutex_init(&cards->mtx, OFS_RANK_NODE);
    cards->map = ofs_map_new();
    if (cards->map)
        return cards;
    ofs_cards_free(cards);
    return NULL;
}

void ofs_cards_free(struct ofs_cards *cards)
{
    if (!cards)
        return;
    if (cards->map)
        ofs_map_free(cards->map, card_free);
    ofs_mutex_done(&cards->mtx);
    free(cards);
}

/* With mtx held: the card, made when there is none; NULL: no memory. */
static struct card *card_need(struct ofs_tree *t, const char *path)
{
    OFS_AUTO(card_freep) struct card *fresh = NULL;
    struct card *c = ofs_map_get(t->cards->map, path);

    if (c)
        return c;
    fresh = calloc(1, sizeof(*fresh));
    if (!fresh)
        return NULL;
    fresh->list.ttl_ms = t->sync.ttl_ms;
    fresh->path = strdup(path);
    fresh->key = ofs_strf("card %s", path);
    if (!fresh->path || !fresh->key ||
        ofs_map_put(t->cards->map, path, fresh, NULL) < 0)
        return NULL;
    return ofs_take(&fresh);
}

static int fetch(void *arg, void *owner, struct ofs_call *call,
                 struct ofs_err *err)
{
    struct ofs_tree *t = arg;
    OFS_AUTO(ofs_repo_ocids_done) struct ofs_repo_ocids ocids = { 0 };
    OFS_AUTO(ofs_ora_repository_done) struct ofs_ora_repository repo = { 0 };
    int64_t asked_ms = ofs_tree_now(t);
    struct ofs_ora_repository old;
    struct card *c = owner;
    int r = ofs_tenancy_find(t, call, c->path, &ocids, err);

    if (r == 0)
        r = ofs_ora_get_repository(t->ora, call, ocids.id, &repo, err);
    if (r < 0)
        return r;
    OFS_GUARD(&t->cards->mtx);
    old = c->repo;
    c->repo = repo;
    repo = old;
    ofs_listing_said(&c->list, asked_ms, 0);
    return 0;
}

static const struct ofs_listing_ops card_ops = {
    .fetch = fetch,
};

static struct card *find_card(struct ofs_tree *t, const char *path)
{
    OFS_GUARD(&t->cards->mtx);
    return card_need(t, path);
}

int ofs_card_want(struct ofs_tree *t, struct ofs_call *call, const char *path,
                  struct ofs_err *err)
{
    struct card *c = find_card(t, path);
    const struct ofs_listing_of of = {
        .sync = &t->sync,
        .ops = &card_ops,
        .arg = t,
        .owner = c,
        .mtx = &t->cards->mtx,
        .listing = c ? &c->list : NULL,
        .key = c ? c->key : NULL,
    };

    return c ? ofs_listing_want(&of, call, err)
             : ofs_err_nomem(err, "a repository");
}

int ofs_card_ask(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_err *err)
{
    struct card *c = find_card(t, path);

    return c ? fetch(t, c, call, err) : ofs_err_nomem(err, "a repository");
}

void ofs_card_forget(struct ofs_tree *t, const char *path)
{
    struct card *c;

    OFS_GUARD(&t->cards->mtx);
    c = ofs_map_get(t->cards->map, path);
    if (c)
        c->list.state = OFS_LIST_UNKNOWN;
}

bool ofs_card_look(struct ofs_tree *t, const char *path,
                   void (*fn)(const struct ofs_ora_repository *repo, void *arg),
                   void *arg)
{
    const struct card *c;

    OFS_GUARD(&t->cards->mtx);
    c = ofs_map_get(t->cards->map, path);
    if (!c || !c->repo.id)
        return false;
    if (fn)
        fn(&c->repo, arg);
    return true;
}

static void look_immutable(const struct ofs_ora_repository *repo, void *arg)
{
    *(bool *)arg = repo->is_immutable == 1;
}

bool ofs_card_is_immutable(struct ofs_tree *t, const char *path)
{
    bool immutable = false;

    return ofs_card_look(t, path, look_immutable, &immutable) && immutable;
}
