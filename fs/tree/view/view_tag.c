/* SPDX-License-Identifier: Apache-2.0 */
/* Tags: a manifest under a name that can be moved, set anew and taken away. */
#include "ocirfs/process.h"
#include "ocirfs/push.h"

#include "attrs.h"
#include "destination.h"
#include "manage.h"
#include "names.h"
#include "repo_pushed.h"
#include "repo_state.h"
#include "tag_ask.h"
#include "view_manifest.h"
#include "xattrs.h"

#include <sys/stat.h>

/* What the control plane calls immutable has no write bit; it may become so
 * at any time. */
static void tag_attr(struct ofs_tree *t, const struct ofs_node *node,
                     struct ofs_attr *ret)
{
    if (ofs_manage_is_immutable(&t->space, node->path))
        ret->mode &= ~(mode_t)OFS_OWNER_WRITES;
    if (t->space.backend->ops->is_mutable && t->push)
        ret->valid_ms = t->sync.ttl_ms;
}

/* Is the tag still this manifest?  Asked anew when that is not fresh. */
static int open_tag(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTO(ofs_tag_seen_done) struct ofs_tag_seen seen = { 0 };
    OFS_REPO_HOLD(held, &t->repos, f->node->path);
    const struct ofs_tag_of of = {
        .repos = &t->repos,
        .repo = held.repo,
        .tag = f->node->name,
        .how = OFS_TAG_OPEN,
    };
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a tag");
    r = ofs_tag_get(&of, call, &seen, err);
    if (r < 0)
        return r;
    if (!ofs_digest_eq(&seen.info.digest, &f->node->digest))
        return ofs_err_set(err, -ESTALE, "tag '%s' has moved", f->node->name);
    return ofs_manifest_open(t, call, f, err);
}

/* What is listed as NAME@tag must be written as that. */
static void tag_escape(struct ofs_tree *t, const struct ofs_node *node,
                       char name[NAME_MAX + 1])
{
    char path[NAME_MAX + 1];
    struct ofs_ns ns = { 0 };
    size_t len = strlen(name);

    if (ofs_path_join(node->path, node->name, path) == 0)
        ofs_ns_guess(&t->space, ofs_ns_scope_of(&t->space, node->path), path,
                     &ns);
    if ((ofs_name_is_layout(node->name) ||
         (ns.flags & (OFS_NS_REPO | OFS_NS_PARENT))) &&
        len + strlen("@tag") <= NAME_MAX)
        memcpy(name + len, "@tag", sizeof("@tag"));
}

/* ---- changing ---- */

/* What the tag names now, not what it named when somebody looked. */
static int tag_now(struct ofs_tree *t, struct ofs_call *call, const char *path,
                   const char *tag, struct ofs_digest *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_tag_seen_done) struct ofs_tag_seen seen = { 0 };
    OFS_REPO_HOLD(held, &t->repos, path);
    const struct ofs_tag_of of = {
        .repos = &t->repos, .repo = held.repo, .tag = tag, .how = OFS_TAG_OPEN
    };
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "a tag");
    r = ofs_tag_get(&of, call, &seen, err);
    if (r == 0)
        *ret = seen.info.digest;
    return r;
}

static int untag(struct ofs_tree *t, struct ofs_call *call, const char *repo,
                 const char *tag, struct ofs_err *err)
{
    struct ofs_digest digest;
    int r = ofs_manage_untag(&t->space, call, repo, tag, err);

    /* "Not there", and the registry has it: then it is not for us. */
    if (r == -ENOENT && err && err->http_status == 404 &&
        tag_now(t, call, repo, tag, &digest, NULL) == 0) {
        err->code = -EACCES;
        return -EACCES;
    }
    if (r == 0 || r == -ENOENT)
        ofs_repo_untagged(&t->repos, repo, tag);
    return r;
}

/* The new tag first: whatever happens then, the image has a name. */
static int retag(struct ofs_tree *t, struct ofs_call *call,
                 const struct ofs_node_spec *from,
                 const struct ofs_destination *m, struct ofs_err *err)
{
    struct ofs_digest digest;
    int r = call->may_wait ? 0 : -EAGAIN;

    if (strcmp(from->path, m->repo) == 0 &&
        strcmp(from->name, m->target.name) == 0)
        return 0;
    if (r == 0)
        r = tag_now(t, call, from->path, from->name, &digest, err);
    if (r == 0)
        r = ofs_push_copy(t->push, call, from->path, &digest, m->repo,
                          m->target.name, err);
    if (r < 0)
        return r;
    if (t->space.allow_delete)
        ofs_runs_set(&t->runs, m->repo, m->target.name,
                     ofs_process_of(call->who));
    r = untag(t, call, from->path, from->name, err);
    if (r == -ENOTSUP)
        return ofs_err_set(err, -EPERM,
                           "'%s' is tagged '%s' now, but the registry does "
                           "not take tags away, so it is '%s' as well",
                           m->repo, m->target.name, from->name);
    return r == -ENOENT ? 0 : r;
}

static int tag_rename(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_named *what,
                      const struct ofs_node *to_dir, const char *to,
                      struct ofs_err *err)
{
    struct ofs_destination m;

    ofs_destination_of_file(t, to_dir, to, &m);
    if (m.target.kind == OFS_TARGET_NONE)
        return ofs_destination_refused(&m, err);
    if (m.target.kind != OFS_TARGET_TAG)
        return -EXDEV;
    return retag(t, call, what->spec, &m, err);
}

/* It is no accident that `rm` passes: runs.h says who does not. */
static int check_run(struct ofs_tree *t, const struct ofs_call *call,
                     const struct ofs_node_spec *tag, struct ofs_err *err)
{
    switch (ofs_runs_may_remove(&t->runs, tag->path, tag->name,
                                ofs_process_of(call->who),
                                ofs_process_parent)) {
    case OFS_RUNS_STALE:
        return ofs_err_set(err, -EPERM,
                           "tag '%s' was set since this program has listed the "
                           "directory; rm it, or list it again",
                           tag->name);
    case OFS_RUNS_OWN:
        return ofs_err_set(err, -EPERM,
                           "tag '%s' was set by this run, through index.json; "
                           "rm it if it is not wanted",
                           tag->name);
    default:
        return 0;
    }
}

static int tag_remove(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_named *what, struct ofs_err *err)
{
    int r;

    if (!t->space.allow_delete)
        return ofs_err_set(err, -EPERM, "deleting tags needs -o allow_delete");
    if (!call->may_wait)
        return -EAGAIN;
    r = check_run(t, call, what->spec, err);
    if (r == 0)
        r = untag(t, call, what->spec->path, what->spec->name, err);
    if (r == -ENOTSUP)
        return ofs_err_set(err, -EPERM, "this registry takes no tags away");
    return r;
}

static int tag_xattrs(struct ofs_tree *t, struct ofs_call *call,
                      const struct ofs_node *tag, struct ofs_xattrs *ret,
                      struct ofs_err *err)
{
    return ofs_manage_tag_xattrs(&t->space, call, tag, ret, err);
}

const struct ofs_view ofs_view_tag = {
    .kind = "tag",
    .type = S_IFREG,
    .path = "%n",
    .place = OFS_PLACE_REPO,
    .content = OFS_CONTENT_MANIFEST,
    .attr = tag_attr,
    .open = open_tag,
    .remove = tag_remove,
    .rename = tag_rename,
    .escape = tag_escape,
    .xattrs = ofs_xattrs_of_manifest,
    .service_xattrs = tag_xattrs,
};
