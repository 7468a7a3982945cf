/* SPDX-License-Identifier: Apache-2.0 */
#include "image_ask.h"

#include "card.h"
#include "tenancy.h"

static int ask(struct ofs_tree *t, struct ofs_call *call, struct ofs_repo *repo,
               struct ofs_imagetable *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_repo_ocids_done) struct ofs_repo_ocids ocids = { 0 };
    OFS_AUTO(ofs_ora_images_done) struct ofs_ora_images images = { 0 };
    int r = ofs_tenancy_find(t, call, repo->path, &ocids, err);

    /* Whoever may write wants to know whether tags can be moved. */
    if (r == 0 && t->push && !ofs_card_look(t, repo->path, NULL, NULL))
        (void)!ofs_card_want(t, call, repo->path, NULL);
    if (r == 0)
        r = ofs_ora_list_images(t->ora, call, ocids.compartment, ocids.id,
                                &images, err);
    if (r == 0 && ofs_imagetable_build(&images, ret) < 0)
        r = ofs_err_nomem(err, "a list of images");
    return r;
}

/*
 * Whatever the service says, nobody needs to ask again for a while; what an
 * earlier list said of times stays true.
 */
static int fetch(struct ofs_tree *t, struct ofs_repo *repo,
                 struct ofs_call *call, struct ofs_err *err)
{
    OFS_AUTO(ofs_imagetable_done) struct ofs_imagetable table = { 0 };
    int64_t asked_ms = ofs_tree_now(t);
    struct ofs_imagetable old;
    int r = ask(t, call, repo, &table, err);

    if (ofs_fresh_is_own(r))
        return r;
    OFS_GUARD(&repo->mtx);
    repo->images_list.ttl_ms = r < 0 && t->sync.ttl_ms < OFS_NO_CATALOG_MS
                                   ? OFS_NO_CATALOG_MS
                                   : t->sync.ttl_ms;
    ofs_listing_said(&repo->images_list, asked_ms, 0);
    if (r < 0)
        return 0;
    old = repo->images;
    repo->images = table;
    table = old;
    repo->images_at_ms = asked_ms;
    return 0;
}

static bool was_asked(struct ofs_tree *t, struct ofs_repo *repo)
{
    const struct ofs_listing *l = &repo->images_list;

    OFS_GUARD(&repo->mtx);
    return l->state == OFS_LIST_KNOWN &&
           ofs_fresh_left(l->at_ms, ofs_tree_now(t), l->ttl_ms) > 0;
}

struct asking {
    struct ofs_tree *t;
    struct ofs_repo *repo;
};

static int fly(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    const struct asking *a = arg;

    return was_asked(a->t, a->repo) ? 0 : fetch(a->t, a->repo, call, err);
}

int ofs_images_want(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_repo *repo, struct ofs_err *err)
{
    OFS_AUTOFREE char *key = NULL;
    struct asking a = { .t = t, .repo = repo };

    if (!t->tenancy || was_asked(t, repo))
        return 0;
    if (!call->may_wait)
        return -EAGAIN;
    key = ofs_strf("images %s", repo->path);
    return key ? ofs_flights_run(t->sync.flights, key, call, fly, &a, err)
               : ofs_err_nomem(err, "a list of images");
}

bool ofs_images_hint(struct ofs_tree *t, struct ofs_repo *repo, const char *tag,
                     struct ofs_image_hint *ret)
{
    const struct ofs_digest *digest;

    OFS_GUARD(&repo->mtx);
    if (ofs_fresh_left(repo->images_at_ms, ofs_tree_now(t), t->sync.ttl_ms) ==
        0)
        return false;
    digest = ofs_imagetable_of_tag(&repo->images, tag);
    if (!digest)
        return false;
    ret->digest = *digest;
    ret->at_ms = repo->images_at_ms;
    return true;
}

static int64_t created(struct ofs_repo *repo, const struct ofs_digest *digest)
{
    OFS_GUARD(&repo->mtx);
    return ofs_imagetable_created(&repo->images, digest);
}

int ofs_images_time(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_repo *repo, const struct ofs_digest *digest,
                    int64_t *ret_s, struct ofs_err *err)
{
    int r;

    *ret_s = created(repo, digest);
    if (*ret_s > 0 || !t->tenancy)
        return 0;
    r = ofs_images_want(t, call, repo, err);
    if (r == 0)
        *ret_s = created(repo, digest);
    return r;
}
