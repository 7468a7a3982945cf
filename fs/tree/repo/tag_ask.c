/* SPDX-License-Identifier: Apache-2.0 */
#include "tag_ask.h"

#include "ocirfs/errclass.h"
#include "ocirfs/mediatype.h"
#include "ocirfs/metrics.h"
#include "ocirfs/registry.h"

#include "backend.h"
#include "content.h"
#include "created.h"
#include "left_out.h"
#include "pending_save.h"
#include "prefetch.h"
#include "repo_pushed.h"
#include "repo_state.h"
#include "tags_note.h"

static struct ofs_metric asked = OFS_COUNTER(
    "ocirfs_tree_tags_asked_total", "Times the registry was asked for a tag.");
static struct ofs_metric stale = OFS_COUNTER(
    "ocirfs_tree_stale_tags_total", "Tags shown as last seen because the "
                                    "registry did not answer.");

/* ---- what is known ---- */

/* Beside 0 and negative errnos. */
enum {
    MISS = 1, /* what was looked at does not know */
    AGAIN,    /* the answer is of no use any more */
};

/* With repo.mtx held: is it known that there is no such tag? */
static bool is_absent(struct ofs_repos *repos, const struct ofs_repo *repo)
{
    return repo->list.state == OFS_LIST_KNOWN &&
           ofs_fresh_left(repo->list.at_ms, ofs_sync_now(repos->sync),
                          repos->sync->negative_ttl_ms) > 0;
}

/* With repo.mtx held: for how long it is still good that it was refused. */
static int64_t refused_left(const struct ofs_tag_of *q,
                            const struct ofs_tag *tag, int64_t now)
{
    int64_t ms = tag->refused_ms;

    if (q->how == OFS_TAG_OPEN && ms > q->repos->sync->negative_ttl_ms)
        ms = q->repos->sync->negative_ttl_ms;
    return tag->refused ? ofs_fresh_left(tag->refused_at, now, ms) : 0;
}

/* 0 and *ret when it is known and fresh, a refusal, or MISS. */
static int look(const struct ofs_tag_of *q, struct ofs_tag_seen *ret,
                struct ofs_err *err)
{
    int64_t now = ofs_sync_now(q->repos->sync), left;
    const struct ofs_tag *tag;

    OFS_GUARD(&q->repo->mtx);
    tag = ofs_tags_find(&q->repo->tags, q->tag);
    if (!tag)
        return is_absent(q->repos, q->repo) ? -ENOENT : MISS;
    left = refused_left(q, tag, now);
    if (left > 0 && !ofs_tag_is_shown(tag))
        return ofs_err_set(err, tag->refused, "%s", tag->why ? tag->why : "");
    if (left == 0 && tag->known)
        left = ofs_fresh_left(tag->at_ms, now, q->repos->sync->ttl_ms);
    if (left == 0 || (tag->hinted && q->how == OFS_TAG_OPEN))
        return MISS;
    ret->left_ms = left;
    return ofs_tag_info_copy(&tag->info, &ret->info);
}

/* What was last seen, however long ago; -ENOENT: nothing. */
static int look_back(const struct ofs_tag_of *q, struct ofs_tag_seen *ret)
{
    const struct ofs_tag *tag;

    OFS_GUARD(&q->repo->mtx);
    tag = ofs_tags_find(&q->repo->tags, q->tag);
    if (!tag || !tag->known)
        return -ENOENT;
    ret->left_ms = ofs_fresh_left(tag->at_ms, ofs_sync_now(q->repos->sync),
                                  q->repos->sync->ttl_ms);
    ret->left_ms = ofs_sync_valid(q->repos->sync, ret->left_ms);
    return ofs_tag_info_copy(&tag->info, &ret->info);
}

/* ---- asking ---- */

static int remember(const struct ofs_tag_of *q, int64_t asked_ms,
                    struct ofs_tag_info *info, struct ofs_err *err)
{
    const struct ofs_digest digest = info->digest;
    uint64_t size = info->size;
    struct ofs_tag *tag;

    {
        OFS_GUARD(&q->repo->mtx);
        tag = ofs_tags_need(&q->repo->tags, q->tag);
        if (!tag)
            return ofs_err_nomem(err, "a tag");
        if (!ofs_tag_is_shown(tag) || !ofs_tag_info_eq(&tag->info, info)) {
            q->repo->version++;
            q->repo->dirty = true;
        }
        ofs_tag_set(tag, asked_ms, info);
    }
    ofs_repo_learn(q->repo, &digest, size, NULL);
    ofs_note_tags(q->repos, q->repo, /* now= */ false);
    return 0;
}

/* With repo.mtx held. */
static void refuse(const struct ofs_tag_of *q, struct ofs_tag *tag, int code,
                   const struct ofs_err *err)
{
    const struct ofs_tag_no no = {
        .code = code,
        .at_ms = ofs_sync_now(q->repos->sync),
        .for_ms = tag->refused == code ? tag->refused_ms
                                       : q->repos->sync->negative_ttl_ms,
        .why = err->text,
    };

    q->repo->version += tag->known && tag->refused != code;
    ofs_tag_refuse(tag, &no);
}

/* It cannot be had: `code`.  What is only away may be there as last seen. */
static int remember_no(const struct ofs_tag_of *q, int code,
                       const struct ofs_err *err)
{
    bool of_all = ofs_is_trouble_of_all(q->repos, code, err);
    struct ofs_tag *tag;

    if (of_all || ofs_err_is(code, OFS_ERR_OWN))
        return code;
    OFS_GUARD(&q->repo->mtx);
    tag = ofs_tags_find(&q->repo->tags, q->tag);
    if (!tag || (tag->known && ofs_err_is(code, OFS_ERR_AWAY)))
        return code;
    if (code == -ENOENT) {
        ofs_tags_remove(&q->repo->tags, q->tag);
        q->repo->version++;
        q->repo->dirty = true;
    } else {
        refuse(q, tag, code, err);
    }
    return code;
}

/*
 * When that manifest was pushed: it is the same at all times, so an old list
 * will do, and one is asked for when it does not say.  *ret_s 0: nobody knows.
 */
static int pushed_s(const struct ofs_tag_of *q, struct ofs_call *call,
                    const struct ofs_digest *digest, int64_t *ret_s,
                    struct ofs_err *err)
{
    struct ofs_backend *b = q->repos->backend;
    int r;

    *ret_s = 0;
    if (!b->ops->images_time)
        return 0;
    *ret_s = b->ops->images_time(b, q->repo->path, digest);
    if (*ret_s > 0)
        return 0;
    r = b->ops->images_want(b, call, q->repo->path, err);
    if (r == 0)
        *ret_s = b->ops->images_time(b, q->repo->path, digest);
    return r;
}

/* When it was pushed, where somebody knows, else when it was created. */
static int time_of(const struct ofs_tag_of *q, struct ofs_call *call,
                   const struct ofs_digest *digest,
                   const struct ofs_manifest *m, struct ofs_date *ret,
                   struct ofs_err *err)
{
    int r;

    *ret = (struct ofs_date){ .s = 0 };
    r = pushed_s(q, call, digest, &ret->s, err);
    if (r < 0 || ret->s > 0 || !m)
        return r;
    return ofs_created_of(q->repos, call, q->repo, q->tag, m, ret, err);
}

/* Name, size and type from the registry, time from the image itself. */
static int info_of(const struct ofs_tag_of *q, struct ofs_call *call,
                   const struct ofs_manifest_info *from,
                   const struct ofs_manifest *m, struct ofs_tag_info *ret,
                   struct ofs_err *err)
{
    const char *type = m && m->media_type ? m->media_type : from->media_type;
    struct ofs_date created;
    int r = time_of(q, call, &from->digest, m, &created, err);

    if (r < 0)
        return r;
    if (created.s == 0 && from->modified_s > 0)
        created.s = from->modified_s;
    ret->digest = from->digest;
    ret->size = from->size;
    ret->mtime_s = created.s;
    ret->undated = created.undated;
    ret->media_type = strdup(type);
    return ret->media_type ? 0 : ofs_err_nomem(err, "a tag");
}

static int from_bytes(const struct ofs_tag_of *q, struct ofs_call *call,
                      const char *bytes, const struct ofs_manifest_info *info,
                      struct ofs_tag_info *ret, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    int r =
        ofs_manifest_decode_odd(bytes, info->size, info->media_type, &m, NULL);
    /* What we cannot read is a tag all the same: of a type of its own. */
    const struct ofs_manifest *known = r >= 0 ? &m : NULL;

    ofs_repo_learn(q->repo, &info->digest, info->size, known);
    return info_of(q, call, info, known, ret, err);
}

/* One request brings digest, size, type and annotations. */
static int ask_whole(const struct ofs_tag_of *q, struct ofs_call *call,
                     struct ofs_tag_info *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    int r = ofs_registry_manifest_get(q->repos->registry, call, q->repo->path,
                                      q->tag, &info, err);

    if (r < 0)
        return r;
    ofs_pending_save_add(q->repos->pending, &info.digest, info.bytes,
                         info.size);
    return from_bytes(q, call, info.bytes, &info, ret, err);
}

/* It has not moved, but its configuration could not be had the last time. */
static int redate(const struct ofs_tag_of *q, struct ofs_call *call,
                  struct ofs_tag_info *info, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_date created;
    int r;

    if (!info->undated ||
        ofs_manifest_read(q->repos, call, q->repo, &info->digest, &m, NULL) < 0)
        return 0;
    r = time_of(q, call, &info->digest, &m, &created, err);
    if (r == 0 && created.s > 0)
        info->mtime_s = created.s;
    info->undated &= r < 0 || created.undated;
    return r;
}

/* It was known: has it moved?  If not, all that was known still holds. */
static int ask_head(const struct ofs_tag_of *q, struct ofs_call *call,
                    struct ofs_tag_info *known, struct ofs_tag_info *ret,
                    struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int r = ofs_registry_manifest_head(q->repos->registry, call, q->repo->path,
                                       q->tag, &info, err);

    if (r < 0)
        return r;
    if (ofs_digest_eq(&info.digest, &known->digest)) {
        *ret = *known;
        memset(known, 0, sizeof(*known));
        return redate(q, call, ret, err);
    }
    r = ofs_manifest_load(q->repos, call, q->repo, &info.digest, &bytes, err);
    if (r < 0)
        return r;
    info.size = bytes.len;
    return from_bytes(q, call, ofs_buf_str(&bytes), &info, ret, err);
}

/* ---- what the control plane's list of images says ---- */

static bool is_ours(const struct ofs_tag_of *q)
{
    const struct ofs_tag *tag;

    OFS_GUARD(&q->repo->mtx);
    tag = ofs_tags_find(&q->repo->tags, q->tag);
    return tag && tag->ours;
}

/* A list for one tag alone would not pay. */
static bool are_all_wanted(const struct ofs_tag_of *q)
{
    if (q->how == OFS_TAG_BATCH)
        return true;
    OFS_GUARD(&q->repo->mtx);
    return q->repo->prefetch != NULL;
}

/* A tag that was never seen names a manifest that is here. */
static int by_manifest(const struct ofs_tag_of *q, struct ofs_call *call,
                       const struct ofs_digest *digest,
                       struct ofs_tag_info *ret, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    struct ofs_manifest_info info = { .digest = *digest };
    int r = ofs_manifest_load(q->repos, call, q->repo, digest, &bytes, err);

    if (r < 0)
        return r;
    /* Only the registry knows the type of one that does not say. */
    if (ofs_manifest_decode(ofs_buf_str(&bytes), bytes.len, NULL, &m, NULL) <
            0 ||
        !m.media_type)
        return MISS;
    info.size = bytes.len;
    ofs_repo_learn(q->repo, digest, bytes.len, &m);
    return info_of(q, call, &info, &m, ret, err);
}

/*
 * The list may be older than what the registry says, so it only confirms what
 * is known, or stands in for a tag that was never seen; whoever opens a tag
 * asks the registry.  MISS: it does not help.
 */
static int by_hint(const struct ofs_tag_of *q, struct ofs_call *call,
                   struct ofs_tag_seen *known, struct ofs_tag_info *ret,
                   int64_t *ret_at_ms, struct ofs_err *err)
{
    struct ofs_backend *b = q->repos->backend;
    struct ofs_image_hint hint;
    int r = 0;

    if (q->how == OFS_TAG_OPEN || !b->ops->images_want)
        return MISS;
    if (are_all_wanted(q))
        r = b->ops->images_want(b, call, q->repo->path, err);
    if (r < 0)
        return r;
    if (!b->ops->images_hint(b, q->repo->path, q->tag, &hint))
        return MISS;
    *ret_at_ms = hint.at_ms;
    if (!known)
        return is_ours(q) || !ofs_content_is_here(q->repos, &hint.digest)
                   ? MISS
                   : by_manifest(q, call, &hint.digest, ret, err);
    if (!ofs_digest_eq(&hint.digest, &known->info.digest))
        return MISS;
    *ret = known->info;
    memset(&known->info, 0, sizeof(known->info));
    return 0;
}

static int remember_hint(const struct ofs_tag_of *q, int64_t at_ms,
                         struct ofs_tag_info *info, struct ofs_err *err)
{
    struct ofs_tag *tag;
    int r = remember(q, at_ms, info, err);

    OFS_GUARD(&q->repo->mtx);
    tag = ofs_tags_find(&q->repo->tags, q->tag);
    if (r == 0 && tag)
        tag->hinted = true;
    return r;
}

/* ---- asking, once for all who want it ---- */

/* AGAIN: we wrote a tag meanwhile, perhaps this one. */
static int ask_once(const struct ofs_tag_of *q, struct ofs_call *call,
                    struct ofs_err *err)
{
    OFS_AUTO(ofs_tag_seen_done) struct ofs_tag_seen seen = { 0 };
    OFS_AUTOTAGINFO struct ofs_tag_info info = { 0 };
    uint64_t n_written = ofs_repo_written(q->repo);
    int64_t asked_ms = ofs_sync_now(q->repos->sync), hinted_ms;
    bool known;
    struct ofs_err no = { 0 };
    int r = look(q, &seen, err);

    if (r != MISS)
        return r;
    known = look_back(q, &seen) == 0;
    r = by_hint(q, call, known ? &seen : NULL, &info, &hinted_ms, err);
    if (r == 0 && ofs_repo_written(q->repo) == n_written)
        return remember_hint(q, hinted_ms, &info, err);
    if (r != MISS)
        return r == 0 ? AGAIN : r;
    ofs_metric_add(&asked, 1);
    if (known)
        r = ask_head(q, call, &seen.info, &info, &no);
    else
        r = ask_whole(q, call, &info, &no);
    if (ofs_repo_written(q->repo) != n_written)
        return AGAIN;
    if (r == 0)
        return remember(q, asked_ms, &info, err);
    if (err)
        *err = no;
    return remember_no(q, r, &no);
}

static int ask(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    int r = AGAIN;

    while (r == AGAIN) {
        r = ofs_call_check(call, err);
        if (r == 0)
            r = ask_once(arg, call, err);
    }
    return r;
}

static int fly(const struct ofs_tag_of *q, struct ofs_call *call,
               struct ofs_err *err)
{
    /* An opener is not to be told what a list says. */
    OFS_AUTOFREE char *key =
        ofs_strf("%s %s %s", q->how == OFS_TAG_OPEN ? "open" : "tag",
                 q->repo->path, q->tag);
    struct ofs_tag_of mine = *q;

    if (!key)
        return ofs_err_nomem(err, "a tag");
    return ofs_flights_run(q->repos->sync->flights, key, call, ask, &mine, err);
}

/* May what was last seen be shown without waiting for the registry? */
static bool shows_last(const struct ofs_tag_of *q)
{
    return q->how == OFS_TAG_STAT && atomic_load(&q->repos->sync->suspect);
}

static int wait_for(const struct ofs_tag_of *q, struct ofs_call *call,
                    struct ofs_err *err)
{
    int r;

    if (!call->may_wait)
        return -EAGAIN;
    if (q->how == OFS_TAG_STAT)
        ofs_prefetch_missed(q->repos, call, q->repo);
    r = fly(q, call, err);
    if (r == 0)
        atomic_store(&q->repos->sync->suspect, false);
    return r;
}

int ofs_tag_get(const struct ofs_tag_of *of, struct ofs_call *call,
                struct ofs_tag_seen *ret, struct ofs_err *err)
{
    int r = look(of, ret, err);

    if (r != MISS)
        return r;
    if (shows_last(of) && look_back(of, ret) == 0) {
        ofs_metric_add(&stale, 1);
        ofs_prefetch_one(of->repos, of->repo, of->tag);
        return 0;
    }
    r = wait_for(of, call, err);
    if (r == 0)
        return look_back(of, ret);
    if (!ofs_err_is(r, OFS_ERR_AWAY) || of->how == OFS_TAG_BATCH ||
        look_back(of, ret) < 0)
        return r;
    ofs_metric_add(&stale, 1);
    return 0;
}
