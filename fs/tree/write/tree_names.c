/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Changing names.  A name that exists here only changes here; one of the
 * registry changes by what the registry can do, and without allow_delete
 * nothing that it has is lost.
 */
#include "ocirfs/push.h"
#include "ocirfs/tree_write.h"

#include "failures.h"
#include "flush.h"
#include "manage.h"
#include "new_repos.h"
#include "view_dir.h"
#include "view_local.h"

#include <stdio.h>
#include <sys/stat.h>

/* The directory `ino`, on a mount that writes. */
static struct ofs_node *dir_to_change(struct ofs_tree *t, uint64_t ino,
                                      int *ret_code, struct ofs_err *err)
{
    struct ofs_node *dir = ofs_dir_use(t, ino, ret_code);

    if (*ret_code == 0)
        *ret_code = ofs_need_writable(t, err);
    return dir;
}

/* Ordinary answers are nobody's trouble; the rest is remembered by name. */
static int finish(struct ofs_tree *t, const struct ofs_node *dir,
                  const char *name, int r, struct ofs_err *err)
{
    struct ofs_spot spot = { .dir = dir ? dir->ino : 0 };

    (void)ofs_told(r, err, name);
    if (r >= 0 || r == -EAGAIN || r == -ENOENT || r == -EINTR || r == -EXDEV ||
        !dir)
        return r;
    (void)snprintf(spot.name, sizeof(spot.name), "%s", name);
    ofs_failure_note(&t->failures, &spot, err);
    return r;
}

/* ---- rename ---- */

static int rename_scratch_dir(struct ofs_tree *t, struct ofs_local *s,
                              const struct ofs_node *to_dir, const char *to,
                              struct ofs_err *err)
{
    OFS_LOCAL_HOLD(there, &t->overlay,
                   ofs_local_at(&t->overlay, to_dir->ino, to));
    struct ofs_destination m;
    struct ofs_found found;

    ofs_destination_of_dir(t, to_dir, to, &m);
    if (m.target.kind == OFS_TARGET_NONE)
        return ofs_destination_refused(&m, err);
    if (m.target.kind != OFS_TARGET_SCRATCH_DIR)
        return -EXDEV;
    if (there.s) {
        ofs_local_found(there.s, &found);
        if (!ofs_local_is_empty(&t->overlay, ofs_ino_of(&found.spec, 0)))
            return ofs_err_set(err, -ENOTEMPTY, "'%s' is not empty", to);
    }
    return ofs_local_move(&t->overlay, s, &m.spot, m.repo, &m.target);
}

/*
 * A file that exists here only.  To be called by a name that is pushed is to be
 * pushed, unless it is being written under such a name already: then close()
 * does it.
 */
static int rename_scratch(struct ofs_tree *t, struct ofs_call *call,
                          struct ofs_local *s, const struct ofs_node *to_dir,
                          const char *to, struct ofs_err *err)
{
    struct ofs_local_now now;
    struct ofs_destination m;

    if (ofs_local_is_dir(s))
        return rename_scratch_dir(t, s, to_dir, to, err);
    ofs_destination_of_file(t, to_dir, to, &m);
    if (m.target.kind == OFS_TARGET_NONE)
        return ofs_destination_refused(&m, err);
    ofs_local_look(&t->overlay, s, &now);
    if (!ofs_target_is_final(m.target.kind) ||
        ofs_target_is_final(now.target.kind))
        return ofs_local_move(&t->overlay, s, &m.spot, m.repo, &m.target);
    return ofs_flush_as(t, call, s, &m, err);
}

/* A name that the registry has. */
static int rename_real(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_node *from_dir, const char *from,
                       const struct ofs_node *to_dir, const char *to,
                       struct ofs_err *err)
{
    struct ofs_found found = { 0 };
    const struct ofs_named what = { from_dir, from, &found.spec };
    int r = ofs_dir_find(t, call, from_dir, from, &found, err);

    if (r < 0)
        return r;
    if (!found.spec.view->rename)
        return ofs_err_set(err, -EPERM, "'%s' cannot be renamed", from);
    return found.spec.view->rename(t, call, &what, to_dir, to, err);
}

int ofs_tree_rename(struct ofs_tree *t, struct ofs_call *call,
                    uint64_t from_dir, const char *from, uint64_t to_dir,
                    const char *to, unsigned flags, struct ofs_err *err)
{
    int r, r_to;
    OFS_NODE_HOLD(above, t, dir_to_change(t, from_dir, &r, err));
    OFS_NODE_HOLD(below, t, dir_to_change(t, to_dir, &r_to, err));
    OFS_LOCAL_HOLD(
        held, &t->overlay,
        r == 0 ? ofs_local_seen(&t->overlay, from_dir, from, call->who) : NULL);

    if (r == 0)
        r = r_to;
    if (r == 0 && (flags & ~(unsigned)RENAME_NOREPLACE))
        r = ofs_err_set(err, -EINVAL, "names cannot be exchanged here");
    if (r == 0 && held.s)
        r = rename_scratch(t, call, held.s, below.node, to, err);
    else if (r == 0)
        r = rename_real(t, call, above.node, from, below.node, to, err);
    return finish(t, below.node, to, r, err);
}

/* ---- link ---- */

static int link_manifest(struct ofs_tree *t, struct ofs_call *call,
                         const struct ofs_node *node,
                         const struct ofs_destination *m, struct ofs_err *err)
{
    if (!ofs_node_is_manifest(node) || m->target.kind != OFS_TARGET_TAG)
        return ofs_err_set(err, -EPERM,
                           "only a manifest gets one more name, "
                           "and only as a tag");
    if (!call->may_wait)
        return -EAGAIN;
    return ofs_push_copy(t->push, call, node->path, &node->digest, m->repo,
                         m->target.name, err);
}

static int link_to(struct ofs_tree *t, struct ofs_call *call,
                   const struct ofs_node *node, const struct ofs_node *dir,
                   const char *name, struct ofs_err *err)
{
    OFS_LOCAL_HOLD(held, &t->overlay, ofs_local_of(t, node));
    struct ofs_destination m;

    ofs_destination_of_file(t, dir, name, &m);
    if (m.target.kind == OFS_TARGET_NONE)
        return ofs_destination_refused(&m, err);
    if (!held.s)
        return link_manifest(t, call, node, &m, err);
    if (!ofs_target_is_final(m.target.kind))
        return ofs_err_set(err, -EPERM,
                           "a file that is being written has one "
                           "name");
    return ofs_flush_copy(t, call, held.s, &m, err);
}

int ofs_tree_link(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                  uint64_t dir, const char *name, struct ofs_entry *ret,
                  struct ofs_err *err)
{
    int r;
    OFS_NODE_HOLD(above, t, dir_to_change(t, dir, &r, err));
    OFS_NODE_HOLD(held, t, ofs_nodes_use(&t->nodes, ino));

    if (r == 0 && !held.node)
        r = -ESTALE;
    if (r == 0)
        r = link_to(t, call, held.node, above.node, name, err);
    r = finish(t, above.node, name, r, err);
    if (r == 0)
        r = ofs_tree_lookup(t, call, dir, name, ret, err);
    /* Somebody may have taken it away again. */
    return r == 0 && !ret->attr.ino ? ofs_told(-ENOENT, err, name) : r;
}

/* ---- unlink ---- */

/* What the registry has; `type` is S_IFDIR for rmdir. */
static int remove_real(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_node *dir, const char *name,
                       mode_t type, struct ofs_err *err)
{
    struct ofs_found found = { 0 };
    const struct ofs_named what = { dir, name, &found.spec };
    int r = ofs_dir_find(t, call, dir, name, &found, err);

    if (r < 0)
        return r;
    if (found.spec.view->type != type)
        return type == S_IFDIR ? -ENOTDIR : -EISDIR;
    if (!found.spec.view->remove)
        return ofs_err_set(err, -EPERM, "'%s' cannot be taken away", name);
    return found.spec.view->remove(t, call, &what, err);
}

int ofs_tree_unlink(struct ofs_tree *t, struct ofs_call *call, uint64_t dir,
                    const char *name, struct ofs_err *err)
{
    int r;
    OFS_NODE_HOLD(above, t, dir_to_change(t, dir, &r, err));
    OFS_LOCAL_HOLD(held, &t->overlay,
                   r == 0 ? ofs_local_seen(&t->overlay, dir, name, call->who)
                          : NULL);

    if (r == 0 && held.s && ofs_local_is_dir(held.s))
        r = -EISDIR;
    else if (r == 0 && held.s)
        ofs_local_unlink(&t->overlay, held.s);
    else if (r == 0)
        r = remove_real(t, call, above.node, name, S_IFREG, err);
    return finish(t, above.node, name, r, err);
}

/* ---- directories ---- */

static int make_scratch_dir(struct ofs_tree *t, const struct ofs_destination *m,
                            mode_t mode, struct ofs_found *ret)
{
    const struct ofs_local_spec spec = {
        .spot = m->spot,
        .repo = m->repo,
        .target = &m->target,
        .mode = mode & 0777,
    };
    struct ofs_local *s = NULL;
    int r = ofs_local_add(&t->overlay, &spec, &s);

    if (r < 0)
        return r;
    ofs_local_found(s, ret);
    ofs_local_put(&t->overlay, s);
    return 0;
}

static int make_dir(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *dir, const struct ofs_destination *m,
                    mode_t mode, struct ofs_found *ret, struct ofs_err *err)
{
    struct ofs_node_spec made;
    int r;

    switch (m->target.kind) {
    case OFS_TARGET_SCRATCH_DIR:
        return make_scratch_dir(t, m, mode, ret);
    case OFS_TARGET_REPO:
        r = ofs_manage_mkdir(&t->space, call, dir, m->target.name, &made, err);
        if (r == 0)
            ofs_found_dir(ret, made.scope, made.path);
        return r;
    case OFS_TARGET_LAYOUT_DIR:
        r = ofs_new_repo_show(&t->new_repos, m->repo,
                              ofs_new_repo_part(m->spot.name));
        return r < 0 ? r : ofs_dir_find(t, call, dir, m->spot.name, ret, err);
    default:
        return ofs_destination_refused(m, err);
    }
}

int ofs_tree_mkdir(struct ofs_tree *t, struct ofs_call *call, uint64_t dir,
                   const char *name, mode_t mode, struct ofs_entry *ret,
                   struct ofs_err *err)
{
    struct ofs_found found = { 0 };
    struct ofs_destination m;
    int r;
    OFS_NODE_HOLD(above, t, dir_to_change(t, dir, &r, err));

    if (r == 0) {
        ofs_destination_of_dir(t, above.node, name, &m);
        r = make_dir(t, call, above.node, &m, mode, &found, err);
    }
    if (r == 0)
        r = ofs_enter(t, &found, ret);
    ret->valid_ms = 0;
    return finish(t, above.node, name, r, err);
}

static int remove_scratch_dir(struct ofs_tree *t, struct ofs_local *s,
                              struct ofs_err *err)
{
    struct ofs_found found;

    if (!ofs_local_is_dir(s))
        return -ENOTDIR;
    ofs_local_found(s, &found);
    if (!ofs_local_is_empty(&t->overlay, ofs_ino_of(&found.spec, 0)))
        return ofs_err_set(err, -ENOTEMPTY, "the directory is not empty");
    ofs_local_unlink(&t->overlay, s);
    return 0;
}

int ofs_tree_rmdir(struct ofs_tree *t, struct ofs_call *call, uint64_t dir,
                   const char *name, struct ofs_err *err)
{
    int r;
    OFS_NODE_HOLD(above, t, dir_to_change(t, dir, &r, err));
    OFS_LOCAL_HOLD(held, &t->overlay,
                   r == 0 ? ofs_local_seen(&t->overlay, dir, name, call->who)
                          : NULL);

    if (r == 0 && held.s)
        r = remove_scratch_dir(t, held.s, err);
    else if (r == 0)
        r = remove_real(t, call, above.node, name, S_IFDIR, err);
    return finish(t, above.node, name, r, err);
}
