/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a node is, for whoever reads the log: `ls` shows names, not numbers.
 * Made from what a node stands for, so it costs nothing until it is wanted.
 */
#include "nodepath.h"

#include "lookup.h"
#include "overlay.h"
#include "view_local.h"

static void add(struct ofs_buf *b, size_t start, const char *part)
{
    if (*part)
        (void)ofs_buf_addf(b, "%s%s", b->len > start ? "/" : "", part);
}

static void add_digest(struct ofs_buf *b, const struct ofs_digest *digest,
                       char joint)
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_digest_format(digest, text);
    *strchr(text, ':') = joint;
    (void)ofs_buf_adds(b, text);
}

/* What the view's path says of the node. */
static void expand(const struct ofs_node *node, struct ofs_buf *b)
{
    for (const char *p = node->view->path ? node->view->path : ""; *p; p++) {
        if (*p != '%')
            (void)ofs_buf_add(b, p, 1);
        else if (*++p == 'n')
            (void)ofs_buf_adds(b, node->name);
        else
            add_digest(b, &node->digest, *p == 'p' ? '/' : ':');
    }
}

/* The directory that it lies in, as the mount shows it. */
static void add_above(struct ofs_tree *t, const struct ofs_where *at,
                      struct ofs_buf *b)
{
    if (t->space.backend->ops->shown)
        t->space.backend->ops->shown(t->space.backend, at, b);
    else
        (void)ofs_buf_adds(b, at->path);
}

void ofs_node_path(struct ofs_tree *t, const struct ofs_node *node,
                   struct ofs_buf *b)
{
    OFS_AUTOBUF struct ofs_buf own = OFS_BUF_INIT(PATH_MAX);
    size_t start = b->len;

    expand(node, &own);
    add_above(t, &(struct ofs_where){ node->scope, node->path }, b);
    add(b, start, ofs_buf_str(&own));
    if (b->len == start)
        (void)ofs_buf_adds(b, ".");
}

void ofs_node_name(const struct ofs_node *node, char ret[NAME_MAX + 1])
{
    OFS_AUTOBUF struct ofs_buf own = OFS_BUF_INIT(PATH_MAX);
    const char *text, *slash;

    expand(node, &own);
    text = ofs_buf_str(&own);
    slash = strrchr(text, '/');
    (void)snprintf(ret, NAME_MAX + 1, "%s", slash ? slash + 1 : text);
}

void ofs_tree_policy_place(struct ofs_tree *t, const char *repo,
                           struct ofs_buf *ret)
{
    if (t->space.backend->ops->policy_place)
        t->space.backend->ops->policy_place(t->space.backend, repo, ret);
}

void ofs_tree_path(struct ofs_tree *t, uint64_t ino, struct ofs_buf *b)
{
    OFS_NODE_HOLD(held, t, ofs_nodes_use(&t->nodes, ino));
    OFS_LOCAL_HOLD(scratch, &t->overlay,
                   held.node ? ofs_local_of(t, held.node) : NULL);
    struct ofs_local_now now;

    if (scratch.s) {
        ofs_local_look(&t->overlay, scratch.s, &now);
        add_above(t, &(struct ofs_where){ 0, now.repo }, b);
        (void)ofs_buf_addf(b, "/%s", now.spot.name);
    } else if (held.node) {
        ofs_node_path(t, held.node, b);
    }
}
