/* SPDX-License-Identifier: Apache-2.0 */
#include "flush.h"

#include "ocirfs/manifest.h"
#include "ocirfs/process.h"
#include "ocirfs/push.h"

#include "failures.h"
#include "new_repos.h"
#include "readings.h"

int ofs_need_writable(const struct ofs_tree *t, struct ofs_err *err)
{
    if (t->push)
        return 0;
    return ofs_err_set(err, -EROFS, "this mount is read-only");
}

/* oci-layout: nothing is to be pushed, but what it says must be so. */
static int check_header(struct ofs_call *call, struct ofs_draft *d,
                        struct ofs_err *err)
{
    char text[OFS_LAYOUT_HEADER_MAX_BYTES + 1];
    size_t n = 0;
    int r = ofs_draft_read(d, call, text, sizeof(text), 0, &n, err);

    return r < 0 ? r : ofs_layout_header_check(text, n, err);
}

static int push_tag(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_draft *d, const char *repo, const char *tag,
                    struct ofs_err *err)
{
    int r = ofs_push_tag(t->push, call, d, repo, tag, NULL, err);

    if (r == 0 && t->space.allow_delete)
        ofs_runs_set(&t->runs, repo, tag, ofs_process_of(call->who));
    return r;
}

/* With what its writer has read before. */
static int push_index(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_local *s, const char *repo,
                      struct ofs_err *err)
{
    OFS_REPO_HOLD(held, &t->repos, repo);
    OFS_AUTO(ofs_bytes_unrefp) struct ofs_bytes *read = NULL;
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(SIZE_MAX);
    struct ofs_local_now now;
    struct ofs_reader who;
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a repository");
    ofs_local_look(&t->overlay, s, &now);
    who = (struct ofs_reader){ now.thread, now.process };
    read = ofs_reading_get(held.repo, &who);
    if (read && ofs_buf_add(&text, read->data, read->len) < 0)
        return ofs_err_nomem(err, "index.json");
    r = ofs_push_index(t->push, call, ofs_local_draft(s), repo,
                       read ? &text : NULL, err);
    if (r == 0)
        ofs_reading_note(held.repo, &who, NULL);
    return r;
}

static int push(struct ofs_tree *t, struct ofs_call *call, struct ofs_local *s,
                const char *repo, const struct ofs_target *target,
                struct ofs_err *err)
{
    struct ofs_draft *d = ofs_local_draft(s);

    switch (target->kind) {
    case OFS_TARGET_TAG:
        return push_tag(t, call, d, repo, target->name, err);
    case OFS_TARGET_BLOB:
        return ofs_push_blob(t->push, call, d, repo, &target->digest, err);
    case OFS_TARGET_INDEX:
        return push_index(t, call, s, repo, err);
    case OFS_TARGET_HEADER:
        return check_header(call, d, err);
    default:
        return 0;
    }
}

/* Whoever made the directory sees what he has written in it. */
static void show_part(struct ofs_tree *t, const char *repo,
                      enum ofs_target_kind kind)
{
    unsigned part = kind == OFS_TARGET_INDEX    ? OFS_NEW_REPO_INDEX
                    : kind == OFS_TARGET_HEADER ? OFS_NEW_REPO_HEADER
                                                : 0;

    /* Without memory he sees it a little later. */
    if (part && ofs_new_repo_has(&t->new_repos, repo))
        (void)!ofs_new_repo_show(&t->new_repos, repo, part);
}

static void conclude(struct ofs_tree *t, const struct ofs_spot *spot,
                     const char *repo, enum ofs_target_kind kind, int r,
                     const struct ofs_err *err)
{
    if (r == 0) {
        show_part(t, repo, kind);
        ofs_failure_clear(&t->failures, spot);
    } else if (r != -EINTR) {
        ofs_failure_note(&t->failures, spot, err);
    }
}

struct commit {
    struct ofs_tree *t;
    struct ofs_local *s;
    const struct ofs_destination *as; /* NULL: as what it is */
    bool early;                       /* it may not be complete yet */
};

/* What is to be pushed, where. */
static void describe(const struct commit *c, struct ofs_local_now *ret)
{
    ofs_local_look(&c->t->overlay, c->s, ret);
    if (!c->as)
        return;
    ret->spot = c->as->spot;
    ret->target = c->as->target;
    memcpy(ret->repo, c->as->repo, sizeof(ret->repo));
}

static int run(const struct commit *c, struct ofs_call *call,
               struct ofs_err *err)
{
    struct ofs_local_now what;
    int r;

    describe(c, &what);
    if (what.settled && !c->as) {
        *err = what.why;
        return what.result;
    }
    r = push(c->t, call, c->s, what.repo, &what.target, err);
    if (c->early && (r == -EINVAL || r == -EBADMSG))
        return 0;
    conclude(c->t, &what.spot, what.repo, what.target.kind, r, err);
    /* Given up is not refused: the next close tries again. */
    if (r == -EINTR || r == -EAGAIN || (r < 0 && c->as))
        return r;
    ofs_local_pushed(&c->t->overlay, c->s, &what, r, err);
    return r;
}

/* Whoever comes second finds it done. */
static int commit(const struct commit *c, struct ofs_call *call,
                  struct ofs_err *err)
{
    int r = call->may_wait ? 0 : -EAGAIN;

    if (r == 0)
        r = ofs_local_begin_push(&c->t->overlay, call, c->s, err);
    if (r < 0)
        return r;
    r = run(c, call, err);
    ofs_local_end_push(&c->t->overlay, c->s);
    return r;
}

/* `cp` of an empty file writes nothing and means it. */
static bool is_empty_blob(const struct ofs_target *target)
{
    struct ofs_digest nothing;

    return target->kind == OFS_TARGET_BLOB &&
           ofs_digest_of(target->digest.alg, "", 0, &nothing) == 0 &&
           ofs_digest_eq(&nothing, &target->digest);
}

static int commit_news(const struct commit *c, struct ofs_call *call,
                       struct ofs_err *err)
{
    struct ofs_local_now now;

    ofs_local_look(&c->t->overlay, c->s, &now);
    if (now.gone || !ofs_target_is_final(now.target.kind))
        return 0;
    if (now.n_changes == 0 && !is_empty_blob(&now.target))
        return 0;
    if (now.settled) {
        *err = now.why;
        return now.result;
    }
    return commit(c, call, err);
}

int ofs_flush(struct ofs_tree *t, struct ofs_call *call, struct ofs_local *s,
              struct ofs_err *err)
{
    const struct commit c = { .t = t, .s = s };

    return commit_news(&c, call, err);
}

int ofs_commit_early(struct ofs_tree *t, struct ofs_call *call,
                     struct ofs_local *s, struct ofs_err *err)
{
    const struct commit c = { .t = t, .s = s, .early = true };

    return commit_news(&c, call, err);
}

int ofs_flush_as(struct ofs_tree *t, struct ofs_call *call, struct ofs_local *s,
                 const struct ofs_destination *to, struct ofs_err *err)
{
    const struct commit c = { .t = t, .s = s, .as = to };

    return commit(&c, call, err);
}

int ofs_flush_copy(struct ofs_tree *t, struct ofs_call *call,
                   struct ofs_local *s, const struct ofs_destination *to,
                   struct ofs_err *err)
{
    int r = call->may_wait ? 0 : -EAGAIN;

    if (r == 0)
        r = ofs_local_begin_push(&t->overlay, call, s, err);
    if (r < 0)
        return r;
    r = push(t, call, s, to->repo, &to->target, err);
    ofs_local_end_push(&t->overlay, s);
    conclude(t, &to->spot, to->repo, to->target.kind, r, err);
    return r;
}
