/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_list.h"

#include "ocirfs/clock.h"
#include "ocirfs/registry.h"

#include "new_repos.h"
#include "refresh.h"
#include "repo_pushed.h"
#include "repo_state.h"
#include "tags_note.h"

static void hold(void *arg, void *owner)
{
    (void)ofs_repo_ref(arg, owner);
}

static void release(void *arg, void *owner)
{
    ofs_repo_put(arg, owner);
}

/* With repo.mtx held. */
static int take_names(struct ofs_repo *repo, const struct ofs_strv *names,
                      bool *ret_changed)
{
    int r = ofs_tags_set_names(&repo->tags, names, ret_changed);

    if (r == 0 && *ret_changed) {
        repo->version++;
        repo->dirty = true;
    }
    return r;
}

static int take_answer(struct ofs_repo *repo, int64_t asked_ms, int code,
                       const struct ofs_strv *names)
{
    bool changed = false;
    int r = 0;

    OFS_GUARD(&repo->mtx);
    /* A repository that is gone keeps nothing; one that may not be listed
     * may still be read. */
    if (code != -EACCES)
        r = take_names(repo, names, &changed);
    if (r < 0)
        return r;
    /* What was known before was an answer, too, not just a note. */
    if (changed && repo->list.state != OFS_LIST_UNKNOWN &&
        repo->list.at_ms != OFS_LONG_AGO)
        repo->changed_s = ofs_wall_s();
    repo->dirty |= code == 0 && repo->list.state == OFS_LIST_UNKNOWN;
    ofs_listing_said(&repo->list, asked_ms, code);
    return code;
}

/* An answer to what was asked before we wrote a tag says nothing of that. */
static int ask_tags(struct ofs_repos *repos, struct ofs_repo *repo,
                    struct ofs_call *call, int64_t *ret_asked_ms,
                    struct ofs_strv *names, struct ofs_err *err)
{
    uint64_t n_written;
    int r;

    do {
        ofs_strv_done(names);
        n_written = ofs_repo_written(repo);
        *ret_asked_ms = ofs_sync_now(repos->sync);
        r = ofs_registry_tags(repos->registry, call, repo->path, names, err);
    } while (ofs_repo_written(repo) != n_written &&
             ofs_call_check(call, NULL) == 0);
    return r;
}

/* A registry may say that there is no repository as long as it has no tags. */
static bool is_there_without_tags(struct ofs_repos *repos,
                                  struct ofs_repo *repo)
{
    {
        OFS_GUARD(&repo->mtx);
        if (repo->fed)
            return true;
    }
    return repos->hooks->vouches(repos->hooks_arg, repo->path);
}

static int fetch_tags(void *arg, void *owner, struct ofs_call *call,
                      struct ofs_err *err)
{
    struct ofs_repos *repos = arg;
    OFS_AUTOSTRV struct ofs_strv names = { 0 };
    struct ofs_repo *repo = owner;
    int64_t asked_ms;
    int r = ask_tags(repos, repo, call, &asked_ms, &names, err);

    if (r < 0 && r != -ENOENT && r != -EACCES)
        return r;
    if (r == -ENOENT && is_there_without_tags(repos, repo))
        r = 0;
    r = take_answer(repo, asked_ms, r, &names);
    if (r == 0 && names.n > 0)
        ofs_new_repo_listed(repos->new_repos, repo->path);
    ofs_note_tags(repos, repo, /* now= */ false);
    return r;
}

static const struct ofs_listing_ops tags_ops = {
    .fetch = fetch_tags,
    .hold = hold,
    .release = release,
};

int ofs_repo_list(struct ofs_repos *repos, struct ofs_call *call,
                  struct ofs_repo *repo, struct ofs_err *err)
{
    const struct ofs_listing_of of = {
        .sync = repos->sync,
        .arg = repos,
        .ops = &tags_ops,
        .owner = repo,
        .mtx = &repo->mtx,
        .listing = &repo->list,
        .key = repo->list_key,
    };

    int r = ofs_listing_want(&of, call, err);

    /* One that was made here has no tags before its first push. */
    return r == -ENOENT && ofs_new_repo_is_new(repos->new_repos, repo->path)
               ? 0
               : r;
}
