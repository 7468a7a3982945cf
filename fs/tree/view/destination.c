/* SPDX-License-Identifier: Apache-2.0 */
#include "destination.h"

#include "nodepath.h"
#include "view_local.h"

uint64_t ofs_ino_above(struct ofs_tree *t, const struct ofs_node *node)
{
    struct ofs_node_spec above;

    if (node->view->above)
        node->view->above(t, node, &above);
    else
        ofs_spec_dir(&above, ofs_ns_scope_of(&t->space, node->path),
                     node->path);
    return ofs_nodes_is_root(&t->nodes, &above) ? OFS_ROOT_INO
                                                : ofs_ino_of(&above, 0);
}

/* What no repository's name leads to may only hold repositories. */
static enum ofs_place_kind writes_in(const struct ofs_node *dir)
{
    enum ofs_place_kind place = dir->view->place;

    return place == OFS_PLACE_REPO && !*dir->path ? OFS_PLACE_TOP : place;
}

/* Place and repository of a name in `dir`. */
static void begin(struct ofs_tree *t, const struct ofs_node *dir,
                  const char *name, struct ofs_destination *ret)
{
    OFS_LOCAL_HOLD(held, &t->overlay, ofs_local_of(t, dir));
    struct ofs_local_now now;

    memset(ret, 0, sizeof(*ret));
    ret->spot.dir = dir->ino;
    (void)snprintf(ret->spot.name, sizeof(ret->spot.name), "%s", name);
    if (held.s) {
        ofs_local_look(&t->overlay, held.s, &now);
        memcpy(ret->repo, now.repo, sizeof(ret->repo));
    } else {
        (void)snprintf(ret->repo, sizeof(ret->repo), "%s", dir->path);
    }
}

void ofs_destination_of_file(struct ofs_tree *t, const struct ofs_node *dir,
                             const char *name, struct ofs_destination *ret)
{
    begin(t, dir, name, ret);
    ofs_target_file(writes_in(dir), dir->name, name, &ret->target);
}

void ofs_destination_of_dir(struct ofs_tree *t, const struct ofs_node *dir,
                            const char *name, struct ofs_destination *ret)
{
    begin(t, dir, name, ret);
    ofs_target_dir(writes_in(dir), name, &ret->target);
}

int ofs_destination_of_node(struct ofs_tree *t, const struct ofs_node *node,
                            struct ofs_destination *ret, struct ofs_err *err)
{
    const struct ofs_view *view = node->view;

    if (view->place == OFS_PLACE_OTHER)
        return ofs_err_set(err, -EPERM, "this file cannot be written");
    memset(ret, 0, sizeof(*ret));
    ret->spot.dir = ofs_ino_above(t, node);
    ofs_node_name(node, ret->spot.name);
    (void)snprintf(ret->repo, sizeof(ret->repo), "%s", node->path);
    ofs_target_file(view->place, ofs_digest_alg_name(&node->digest),
                    ret->spot.name, &ret->target);
    if (view->escape)
        view->escape(t, node, ret->spot.name);
    return 0;
}

int ofs_destination_refused(const struct ofs_destination *m,
                            struct ofs_err *err)
{
    return ofs_err_set(err, m->target.code, "'%s': %s", m->spot.name,
                       m->target.why);
}
