/* SPDX-License-Identifier: Apache-2.0 */
#include "publish.h"

/* How long it may be relied on what a tag was seen to name. */
enum { FRESH_MS = 2000 };

int ofs_publisher_init(struct ofs_publisher *p, const struct ofs_remote *remote,
                       const struct ofs_push_cfg *cfg)
{
    p->remote = remote;
    p->hooks = &cfg->hooks;
    p->no_overwrite = cfg->no_overwrite;
    ofs_mutex_init(&p->mtx, OFS_RANK_PUSH);
    return ofs_known_init(&p->known);
}

void ofs_publisher_done(struct ofs_publisher *p)
{
    ofs_known_done(&p->known);
    ofs_mutex_done(&p->mtx);
}

/* ---- what is where ---- */

void ofs_publish_known(struct ofs_publisher *p, const char *repo,
                       const struct ofs_digest *digest, bool is_manifest)
{
    OFS_GUARD(&p->mtx);
    ofs_known_add(&p->known, repo, digest, is_manifest);
}

void ofs_publish_doubt(struct ofs_publisher *p)
{
    OFS_GUARD(&p->mtx);
    ofs_known_forget(&p->known);
}

static bool is_known(struct ofs_publisher *p, const char *repo,
                     const struct ofs_digest *digest, bool is_manifest)
{
    OFS_GUARD(&p->mtx);
    return ofs_known_has(&p->known, repo, digest, is_manifest);
}

static int head(struct ofs_publisher *p, struct ofs_call *call,
                const char *repo, const char *ref, struct ofs_digest *ret,
                struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    int r = ofs_registry_manifest_now(p->remote->registry, call, repo, ref,
                                      &info, err);

    if (r == 0)
        *ret = info.digest;
    return r;
}

int ofs_publish_is_there(struct ofs_publisher *p, struct ofs_call *call,
                         const char *repo, const struct ofs_digest *digest,
                         bool is_manifest, struct ofs_err *err)
{
    char ref[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest is;
    int r;

    if (is_known(p, repo, digest, is_manifest))
        return 0;
    r = is_manifest
            ? head(p, call, repo, ofs_digest_format(digest, ref), &is, err)
            : ofs_registry_blob_has(p->remote->registry, call, repo, digest,
                                    err);
    if (r == 0)
        ofs_publish_known(p, repo, digest, is_manifest);
    return r;
}

int ofs_publish_where(struct ofs_publisher *p, const char *repo,
                      const char *first, const struct ofs_digest *digest,
                      struct ofs_strv *ret)
{
    const struct ofs_push_hooks *hooks = p->hooks;
    OFS_AUTOSTRV struct ofs_strv more = { 0 };
    int r = first && strcmp(first, repo) != 0 ? ofs_strv_add(ret, first) : 0;

    if (r == 0 && hooks->where)
        r = hooks->where(hooks->arg, digest, &more);
    for (size_t i = 0; i < more.n && r == 0; i++)
        if (strcmp(more.at[i], repo) != 0 &&
            (!first || strcmp(more.at[i], first) != 0))
            r = ofs_strv_add(ret, more.at[i]);
    return r;
}

/* ---- may the tag be set? ---- */

int ofs_publish_find(struct ofs_publisher *p, struct ofs_call *call,
                     const char *repo, const char *tag, struct ofs_digest *ret,
                     struct ofs_err *err)
{
    int r = head(p, call, repo, tag, ret, err);

    if (r != -ENOENT)
        return r;
    *ret = (struct ofs_digest){ 0 };
    return 0;
}

static int ask_guards(struct ofs_publisher *p, struct ofs_call *call,
                      const char *repo, const char *tag,
                      const struct ofs_digest *old, struct ofs_err *err)
{
    const struct ofs_push_hooks *hooks = p->hooks;

    if (old->alg && p->no_overwrite)
        return ofs_err_set(err, -EPERM,
                           "tag '%s' of '%.100s' is there already, and "
                           "no_overwrite is set",
                           tag, repo);
    if (!hooks->may_move)
        return 0;
    return hooks->may_move(hooks->arg, call, repo, tag, old->alg ? old : NULL,
                           err);
}

/* To set it to what it is moves nothing. */
static int check_move(struct ofs_publisher *p, struct ofs_call *call,
                      const struct ofs_manifest_put *put, struct ofs_err *err)
{
    if (ofs_digest_eq(put->old, put->digest))
        return 0;
    return ask_guards(p, call, put->repo, put->tag, put->old, err);
}

int ofs_publish_guard(struct ofs_publisher *p, struct ofs_call *call,
                      const char *repo, const char *tag,
                      const struct ofs_digest *digest, struct ofs_err *err)
{
    struct ofs_digest old;
    const struct ofs_manifest_put put = {
        .repo = repo,
        .tag = tag,
        .digest = digest,
        .old = &old,
    };
    int r = ofs_publish_find(p, call, repo, tag, &old, err);

    return r < 0 ? r : check_move(p, call, &put, err);
}

/* ---- publishing ---- */

/* That a tag is never overwritten is not left to an answer of before. */
static bool is_fresh(const struct ofs_publisher *p,
                     const struct ofs_manifest_put *put)
{
    return put->old && !p->no_overwrite &&
           ofs_mono_ms() - put->old_ms < FRESH_MS;
}

/* ---- one at a time ---- */

static bool is_free(const struct ofs_publisher *p,
                    const struct ofs_tag_turn *turn)
{
    for (const struct ofs_tag_turn *at = p->turns; at; at = at->next)
        if (strcmp(at->tag, turn->tag) == 0 &&
            strcmp(at->repo, turn->repo) == 0)
            return false;
    return true;
}

static bool take_turn(void *arg)
{
    struct ofs_tag_turn *turn = arg;

    if (!is_free(turn->p, turn))
        return false;
    turn->next = turn->p->turns;
    turn->p->turns = turn;
    return true;
}

static void leave_turn(struct ofs_tag_turn *turn)
{
    struct ofs_tag_turn **at = &turn->p->turns;

    OFS_GUARD(&turn->p->mtx);
    while (*at != turn)
        at = &(*at)->next;
    *at = turn->next;
    ofs_waitlist_wake(&turn->p->waiters);
}

/* The registry is told what was seen there, so it need not look once more. */
static int put_tag(struct ofs_publisher *p, struct ofs_call *call,
                   const struct ofs_manifest_put *put, struct ofs_err *err)
{
    struct ofs_manifest_put seen = *put;
    struct ofs_digest old;
    int r = 0;

    if (!is_fresh(p, put)) {
        r = ofs_publish_find(p, call, put->repo, put->tag, &old, err);
        seen.old = &old;
    }
    if (r == 0)
        r = check_move(p, call, &seen, err);
    return r < 0 ? r
                 : ofs_registry_manifest_put(p->remote->registry, call, &seen,
                                             err);
}

/* Two who both saw that the tag is not there would both set it. */
static int put_tag_in_turn(struct ofs_publisher *p, struct ofs_call *call,
                           const struct ofs_manifest_put *put,
                           struct ofs_err *err)
{
    struct ofs_tag_turn turn = { .repo = put->repo, .tag = put->tag, .p = p };
    int r =
        ofs_waitlist_wait(&p->waiters, &p->mtx, call, take_turn, &turn, err);

    if (r < 0)
        return r;
    r = put_tag(p, call, put, err);
    leave_turn(&turn);
    return r;
}

int ofs_publish(struct ofs_publisher *p, struct ofs_call *call,
                const struct ofs_manifest_put *put, struct ofs_err *err)
{
    const struct ofs_push_hooks *hooks = p->hooks;
    int r = put->tag ? put_tag_in_turn(p, call, put, err)
                     : ofs_registry_manifest_put(p->remote->registry, call, put,
                                                 err);

    if (r < 0)
        return r;
    ofs_publish_known(p, put->repo, put->digest, /* is_manifest= */ true);
    ofs_remote_keep(p->remote, put->digest, put->bytes, put->len);
    if (hooks->published)
        hooks->published(hooks->arg, put->repo, put->tag, put->digest, put->len,
                         put->media_type);
    return 0;
}
