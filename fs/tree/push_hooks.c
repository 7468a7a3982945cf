/* SPDX-License-Identifier: Apache-2.0 */
/* What push asks the tree, and what it tells. */
#include "ocirfs/process.h"
#include "ocirfs/push.h"
#include "ocirfs/tree_write.h"

#include "content.h"
#include "manage.h"
#include "nameless.h"
#include "new_repos.h"
#include "repo_pushed.h"
#include "repo_state.h"
#include "tree_priv.h"

/* ---- what is in the registry now ---- */

static void on_published(void *arg, const char *path, const char *tag,
                         const struct ofs_digest *digest, uint64_t size,
                         const char *media_type)
{
    struct ofs_tree *t = arg;
    OFS_REPO_HOLD(held, &t->repos, path);

    (void)media_type;
    if (tag) {
        ofs_new_repo_pushed(&t->new_repos, path);
        ofs_nameless_drop(&t->repos, path, digest);
    }
    if (!held.repo)
        return;
    ofs_repo_learn(held.repo, digest, size, NULL);
    if (tag)
        ofs_repo_tagged(held.repo, tag);
}

static void on_arrived(void *arg, const char *path,
                       const struct ofs_digest *digest, uint64_t size)
{
    struct ofs_tree *t = arg;
    OFS_REPO_HOLD(held, &t->repos, path);

    if (held.repo)
        ofs_repo_fed(held.repo, digest, size);
}

/* ---- questions ---- */

static int find_where(void *arg, const struct ofs_digest *digest,
                      struct ofs_strv *ret)
{
    struct ofs_tree *t = arg;

    return ofs_repos_with(&t->repos, digest, ret);
}

static int tag_names(void *arg, const char *path, const char *name,
                     struct ofs_digest *ret)
{
    struct ofs_tree *t = arg;
    OFS_REPO_HOLD(held, &t->repos, path);

    return held.repo ? ofs_repo_tag_names(held.repo, name, ret) : -ENOENT;
}

static void on_untagged(void *arg, const char *path,
                        const struct ofs_descriptor *d)
{
    struct ofs_tree *t = arg;

    ofs_new_repo_pushed(&t->new_repos, path);
    ofs_nameless_add(&t->repos, path, d);
}

static void on_left_out(void *arg, const char *path,
                        const struct ofs_digest *digest)
{
    struct ofs_tree *t = arg;

    ofs_nameless_drop(&t->repos, path, digest);
}

static void on_named(void *arg, struct ofs_call *call, const char *path,
                     const char *tag)
{
    struct ofs_tree *t = arg;
    int process;

    if (!t->space.allow_delete)
        return;
    process = ofs_process_of(call->who);
    ofs_runs_named(&t->runs, path, tag, process, ofs_process_parent(process));
}

static int may_move(void *arg, struct ofs_call *call, const char *repo,
                    const char *tag, const struct ofs_digest *old,
                    struct ofs_err *err)
{
    struct ofs_tree *t = arg;

    return ofs_manage_may_move(&t->space, call, repo, tag, old, err);
}

void ofs_tree_use_push(struct ofs_tree *t, struct ofs_push *push)
{
    t->push = push;
    t->repos.push = push;
    t->space.backend->writes = push != NULL;
}

void ofs_tree_push_hooks(struct ofs_tree *t, struct ofs_push_hooks *ret)
{
    *ret = (struct ofs_push_hooks){
        .where = find_where,
        .published = on_published,
        .arrived = on_arrived,
        .tag_names = tag_names,
        .untagged = on_untagged,
        .left_out = on_left_out,
        .named = on_named,
        .may_move = may_move,
        .arg = t,
    };
}
