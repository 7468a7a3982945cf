/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `ls -l` asks for one tag after the other; nobody tells us that it will ask
 * for all.  So the second tag that is asked for after a listing makes all be
 * fetched side by side, while each caller goes on fetching its own: whoever
 * comes first to a tag does it, the other finds it done (a flight).  Nobody
 * waits for a tag that he did not ask for.
 */
#include "prefetch.h"

#include "ocirfs/clock.h"
#include "ocirfs/errclass.h"
#include "ocirfs/metrics.h"

#include "batch.h"
#include "left_out.h"
#include "pending_save.h"
#include "repo_list.h"
#include "repo_state.h"
#include "tags_note.h"

enum {
    MAX_PASSES = 3,
    /* So many refusals without an answer between them are a registry's, or a
     * repository's; twice what is asked for side by side. */
    MAX_BAD = 128,
};

static struct ofs_metric prefetches = OFS_COUNTER(
    "ocirfs_tree_prefetches_total", "Times all tags of a repository were "
                                    "fetched side by side.");

struct prefetch {
    struct ofs_repos *repos;
    struct ofs_repo *repo; /* a reference */
    struct ofs_strv names;
    int64_t item_ms;   /* that one of them may take */
    atomic_uint n_bad; /* in a row; together with those at work */
};

static int get_tag(struct prefetch *p, size_t i, struct ofs_call *call,
                   struct ofs_err *err)
{
    OFS_AUTO(ofs_tag_seen_done) struct ofs_tag_seen seen = { 0 };
    const struct ofs_tag_of of = {
        .repos = p->repos,
        .repo = p->repo,
        .tag = p->names.at[i],
        .how = OFS_TAG_BATCH,
    };

    ofs_call_hurry(call, p->item_ms);
    return p->repos->hooks->get_tag(&of, call, &seen, err);
}

/*
 * One tag that is gone, broken, blocked or slow is no reason to do without the
 * others.  These concern them all: the caller's own failures, a registry that
 * is away or wants us to come later, and one that gives out nothing.
 */
static bool concerns_all(struct prefetch *p, int code,
                         const struct ofs_err *err)
{
    return ofs_err_is(code, OFS_ERR_OWN) ||
           ofs_is_trouble_of_all(p->repos, code, err) ||
           atomic_fetch_add(&p->n_bad, 1) >= MAX_BAD;
}

/* Show the others without it, for as long as an answer is good. */
static void leave_out(struct prefetch *p, const char *name, int code,
                      const struct ofs_err *err)
{
    struct ofs_repo *repo = p->repo;
    const struct ofs_tag_no no = {
        .code = code,
        .at_ms = ofs_sync_now(p->repos->sync),
        .for_ms = p->repos->sync->ttl_ms,
        .why = err->text,
    };
    struct ofs_tag *tag;
    bool news;

    {
        OFS_GUARD(&repo->mtx);
        tag = ofs_tags_find(&repo->tags, name);
        if (!tag)
            return;
        repo->version +=
            ofs_tag_is_shown(tag) && !ofs_err_is(code, OFS_ERR_AWAY);
        ofs_tag_refuse(tag, &no);
        news = !tag->told && !ofs_tag_is_shown(tag);
        tag->told |= news;
    }
    if (news)
        ofs_left_out(p->repos, repo, name,
                     "is left out of index.json and blobs/", err);
}

static int fetch_one(void *arg, size_t i, struct ofs_call *call,
                     struct ofs_err *err)
{
    struct prefetch *p = arg;
    int r = get_tag(p, i, call, err);

    if (r < 0 && r != -ENOENT) {
        if (concerns_all(p, r, err))
            return r;
        leave_out(p, p->names.at[i], r, err);
    } else {
        atomic_store(&p->n_bad, 0);
    }
    return 0;
}

static bool every_error(int code)
{
    return code < 0;
}

static bool is_wanted(void *arg)
{
    struct prefetch *p = arg;

    OFS_GUARD(&p->repo->mtx);
    return ofs_mono_ms() - p->repo->wanted_ms < OFS_PREFETCH_IDLE_MS;
}

static void ended(void *arg)
{
    struct prefetch *p = arg;
    struct ofs_batch *b;

    {
        OFS_GUARD(&p->repo->mtx);
        b = ofs_take(&p->repo->prefetch);
    }
    ofs_batch_unref(b);
    ofs_pending_save_resume(p->repos->pending);
    ofs_note_tags(p->repos, p->repo, /* now= */ true);
}

static void prefetch_free(void *arg)
{
    struct prefetch *p = arg;

    ofs_strv_done(&p->names);
    ofs_repo_put(p->repos, p->repo);
    free(p);
}

static const struct ofs_batch_ops prefetch_ops = {
    .item = fetch_one,
    .is_end = every_error,
    .is_wanted = is_wanted,
    .ended = ended,
    .free = prefetch_free,
};

/*
 * With repo.mtx held: could more be known of it?  What was asked `since` then
 * is good, whatever the ttl.
 */
static bool is_missing(struct ofs_repos *repos, const struct ofs_tag *tag,
                       int64_t since)
{
    int64_t now = ofs_sync_now(repos->sync);

    if (tag->refused &&
        (tag->refused_at >= since ||
         ofs_fresh_left(tag->refused_at, now, tag->refused_ms) > 0))
        return false;
    return !tag->known ||
           (tag->at_ms < since &&
            ofs_fresh_left(tag->at_ms, now, repos->sync->ttl_ms) == 0);
}

/* With repo.mtx held. */
static int missing(struct ofs_repos *repos, struct ofs_repo *repo,
                   int64_t since, struct ofs_strv *ret)
{
    for (size_t i = 0; i < repo->tags.n; i++)
        if (is_missing(repos, &repo->tags.at[i], since) &&
            ofs_strv_add(ret, repo->tags.at[i].name) < 0)
            return -ENOMEM;
    return 0;
}

static struct prefetch *prefetch_new(struct ofs_repos *repos,
                                     struct ofs_repo *repo, int64_t item_ms)
{
    struct prefetch *p = calloc(1, sizeof(*p));

    if (!p)
        return NULL;
    p->repos = repos;
    p->repo = ofs_repo_ref(repos, repo);
    p->item_ms = item_ms;
    atomic_init(&p->n_bad, 0);
    return p;
}

/* What to fetch: one tag, or all that were not asked for since then. */
struct wish {
    const char *only;
    int64_t since;
    int64_t item_ms; /* that one of them may take */
};

/* The names `p` is to fetch; false: there are none (or no memory). */
static bool choose_names(struct prefetch *p, const struct wish *wish)
{
    struct ofs_repo *repo = p->repo;

    OFS_GUARD(&repo->mtx);
    repo->wanted_ms = ofs_mono_ms();
    if (repo->prefetch)
        return false;
    if (wish->only)
        return ofs_strv_add(&p->names, wish->only) == 0;
    return missing(p->repos, repo, wish->since, &p->names) == 0 &&
           p->names.n > 0;
}

/*
 * The prefetch of `repo` that is under way, begun if need be.  *ret NULL:
 * there is nothing to do.
 */
static int begin(struct ofs_repos *repos, struct ofs_repo *repo,
                 const struct wish *wish, struct ofs_batch **ret,
                 struct ofs_err *err)
{
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *fresh = NULL;
    struct prefetch *p = prefetch_new(repos, repo, wish->item_ms);
    int r;

    if (!p)
        return ofs_err_nomem(err, "a list of tags");
    if (choose_names(p, wish))
        fresh =
            ofs_batch_new(repos->sync->batches, &prefetch_ops, p, p->names.n);
    else
        prefetch_free(p);
    {
        OFS_GUARD(&repo->mtx);
        if (repo->prefetch || !fresh) {
            *ret = repo->prefetch ? ofs_batch_ref(repo->prefetch) : NULL;
            return 0;
        }
        repo->prefetch = ofs_batch_ref(fresh);
    }
    ofs_metric_add(&prefetches, 1);
    ofs_pending_save_hold(repos->pending);
    r = ofs_batch_go(fresh, err);
    *ret = ofs_take(&fresh);
    return r;
}

void ofs_prefetch_listed(struct ofs_repos *repos, struct ofs_repo *repo)
{
    OFS_GUARD(&repo->mtx);
    repo->listed_ms = ofs_sync_now(repos->sync);
    repo->n_misses = 0;
}

/* Is it time?  At most once for each listing. */
static bool is_due(struct ofs_repos *repos, struct ofs_repo *repo)
{
    OFS_GUARD(&repo->mtx);
    repo->wanted_ms = ofs_mono_ms();
    repo->n_misses++;
    if (repo->prefetch ||
        !ofs_fresh_prefetch(repo->listed_ms, ofs_sync_now(repos->sync),
                            repo->n_misses))
        return false;
    repo->listed_ms = OFS_LONG_AGO;
    return true;
}

void ofs_prefetch_missed(struct ofs_repos *repos, struct ofs_call *call,
                         struct ofs_repo *repo)
{
    const struct wish all = { .since = INT64_MAX,
                              .item_ms = ofs_share_ms(call) };
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *b = NULL;

    if (is_due(repos, repo))
        (void)begin(repos, repo, &all, &b, NULL); /* else one by one */
}

void ofs_prefetch_one(struct ofs_repos *repos, struct ofs_repo *repo,
                      const char *tag)
{
    const struct wish one = { .only = tag, .item_ms = OFS_NEVER };
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *b = NULL;

    (void)begin(repos, repo, &one, &b, NULL);
}

struct census {
    bool all_fresh; /* nothing is missing */
    bool all_known; /* something is known of each, however old */
    bool any_known; /* of one at least, or there is none */
};

static struct census count(struct ofs_repos *repos, struct ofs_repo *repo)
{
    struct census c = { true, true, false };

    OFS_GUARD(&repo->mtx);
    c.any_known = repo->tags.n == 0;
    for (size_t i = 0; i < repo->tags.n; i++) {
        const struct ofs_tag *tag = &repo->tags.at[i];

        c.all_fresh &= !is_missing(repos, tag, INT64_MAX);
        c.all_known &= tag->known || tag->refused;
        c.any_known |= tag->known;
    }
    return c;
}

/* One round; *ret_done: nothing was left to do. */
static int pass(struct ofs_repos *repos, struct ofs_call *call,
                struct ofs_repo *repo, const struct wish *wish, bool *ret_done,
                struct ofs_err *err)
{
    OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *b = NULL;
    bool over;
    int r;

    r = begin(repos, repo, wish, &b, err);
    *ret_done = r == 0 && !b;
    if (r < 0 || !b)
        return r;
    return ofs_batch_wait(b, call, OFS_NEVER, &over, err);
}

static int fetch_all(struct ofs_repos *repos, struct ofs_call *call,
                     struct ofs_repo *repo, struct ofs_err *err)
{
    const struct wish all = { .since = ofs_sync_now(repos->sync),
                              .item_ms = ofs_share_ms(call) };
    bool done = false;
    int r = 0;

    /* A pass may join a prefetch that began before, or that is given up. */
    for (int i = 0; r == 0 && !done && i < MAX_PASSES; i++)
        r = pass(repos, call, repo, &all, &done, err);
    return r;
}

/*
 * Where nothing is shown because all was refused, an empty list would be a
 * lie.  What came and is broken is nothing that we can show (T11).
 */
static int refusal_of_all(struct ofs_repo *repo, struct ofs_err *err)
{
    const struct ofs_tag *refused = NULL;

    OFS_GUARD(&repo->mtx);
    for (size_t i = 0; i < repo->tags.n; i++) {
        const struct ofs_tag *tag = &repo->tags.at[i];

        if (ofs_tag_is_shown(tag))
            return 0;
        if (tag->refused && tag->refused != -EBADMSG && tag->refused != -EFBIG)
            refused = tag;
    }
    return !refused ? 0
                    : ofs_err_set(err, refused->refused, "%s",
                                  refused->why ? refused->why : "refused");
}

int ofs_tags_want(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_err *err)
{
    struct census c;
    int r = ofs_repo_list(repos, call, repo, err);

    if (r < 0)
        return r;
    c = count(repos, repo);
    if (c.all_fresh)
        return refusal_of_all(repo, err);
    if (c.all_known && atomic_load(&repos->sync->suspect)) {
        const struct wish all = { .since = INT64_MAX, .item_ms = OFS_NEVER };
        OFS_AUTO(ofs_batch_unrefp) struct ofs_batch *b = NULL;

        return begin(repos, repo, &all, &b, err);
    }
    if (!call->may_wait)
        return -EAGAIN;
    r = fetch_all(repos, call, repo, err);
    if (r == 0)
        return refusal_of_all(repo, err);
    return ofs_err_is(r, OFS_ERR_AWAY) && c.any_known ? 0 : r;
}
