/* SPDX-License-Identifier: Apache-2.0 */
#include "place.h"

#include "names.h"
#include "ns.h"

enum ofs_place_kind ofs_place_kind(const struct ofs_node *dir)
{
    if (dir->view == &ofs_view_dir)
        return *dir->path ? OFS_PLACE_REPO : OFS_PLACE_TOP;
    if (dir->view == &ofs_view_blobs)
        return OFS_PLACE_BLOBS;
    if (dir->view == &ofs_view_alg)
        return OFS_PLACE_ALG;
    if (dir->view == &ofs_view_scratch_dir)
        return OFS_PLACE_SCRATCH;
    return OFS_PLACE_OTHER;
}

/* Place and repository of a name in `dir`. */
static void begin(struct ofs_tree *t, const struct ofs_node *dir,
                  const char *name, struct ofs_meaning *ret)
{
    OFS_SCRATCH_HOLD(held, t, ofs_scratch_of(t, dir));
    struct ofs_scratch_now now;

    memset(ret, 0, sizeof(*ret));
    ret->spot.dir = dir->ino;
    (void)snprintf(ret->spot.name, sizeof(ret->spot.name), "%s", name);
    if (held.s) {
        ofs_scratch_look(t, held.s, &now);
        memcpy(ret->repo, now.repo, sizeof(ret->repo));
    } else {
        (void)snprintf(ret->repo, sizeof(ret->repo), "%s", dir->path);
    }
}

void ofs_place_file(struct ofs_tree *t, const struct ofs_node *dir,
                    const char *name, struct ofs_meaning *ret)
{
    begin(t, dir, name, ret);
    ofs_target_file(ofs_place_kind(dir), dir->name, name, &ret->target);
}

void ofs_place_dir(struct ofs_tree *t, const struct ofs_node *dir,
                   const char *name, struct ofs_meaning *ret)
{
    begin(t, dir, name, ret);
    ofs_target_dir(ofs_place_kind(dir), name, &ret->target);
}

/* What a file that there is, is called in its directory. */
static const char *name_of(const struct ofs_node *node,
                           char text[OFS_DIGEST_TEXT_MAX])
{
    if (node->view == &ofs_view_tag)
        return node->name;
    if (node->view == &ofs_view_index)
        return "index.json";
    if (node->view == &ofs_view_header)
        return "oci-layout";
    if (node->view == &ofs_view_digest)
        return ofs_digest_format(&node->digest, text);
    if (node->view == &ofs_view_blob)
        return strchr(ofs_digest_format(&node->digest, text), ':') + 1;
    return NULL;
}

/* A tag that is listed as NAME@tag must be written as that. */
static void escape_tag(struct ofs_tree *t, const struct ofs_node *node,
                       struct ofs_spot *spot)
{
    char path[NAME_MAX + 1];
    struct ofs_ns ns = { 0 };
    size_t len = strlen(spot->name);

    if (ofs_path_join(node->path, node->name, path) == 0)
        ofs_ns_guess(t, ofs_ns_scope_of(t, node->path), path, &ns);
    if ((ofs_name_is_layout(node->name) ||
         (ns.flags & (OFS_NS_REPO | OFS_NS_PARENT))) &&
        len + strlen("@tag") <= NAME_MAX)
        (void)snprintf(spot->name + len, sizeof(spot->name) - len, "@tag");
}

int ofs_place_node(struct ofs_tree *t, const struct ofs_node *node,
                   struct ofs_meaning *ret, struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];
    const char *name = name_of(node, text);
    bool blob = node->view == &ofs_view_blob;

    if (node->view == &ofs_view_draft) /* under its name is another one now */
        return ofs_err_set(err, -ESTALE, "the file has gone");
    if (!name)
        return ofs_err_set(err, -EPERM, "this file cannot be written");
    memset(ret, 0, sizeof(*ret));
    ret->spot.dir = ofs_ino_above(t, node);
    (void)snprintf(ret->spot.name, sizeof(ret->spot.name), "%s", name);
    (void)snprintf(ret->repo, sizeof(ret->repo), "%s", node->path);
    ofs_target_file(blob ? OFS_PLACE_ALG : OFS_PLACE_REPO,
                    ofs_digest_alg_name(&node->digest), name, &ret->target);
    if (node->view == &ofs_view_tag)
        escape_tag(t, node, &ret->spot);
    return 0;
}
