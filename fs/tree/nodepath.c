/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a node is, for whoever reads the log: `ls` shows names, not numbers.
 * Made from what a node stands for, so it costs nothing until it is wanted.
 */
#include "scratch.h"
#include "view.h"

static void add(struct ofs_buf *b, size_t start, const char *part)
{
    if (part && *part)
        (void)ofs_buf_addf(b, "%s%s", b->len > start ? "/" : "", part);
}

static void add_digest(struct ofs_buf *b, size_t start,
                       const struct ofs_digest *digest, char joint)
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)ofs_digest_format(digest, text);
    *strchr(text, ':') = joint;
    add(b, start, text);
}

void ofs_node_path(const struct ofs_node *node, struct ofs_buf *b)
{
    size_t start = b->len;

    add(b, start, node->path);
    add(b, start, node->view->below);
    add(b, start, node->name);
    if (node->view->joint)
        add_digest(b, start, &node->digest, node->view->joint);
    if (b->len == start)
        (void)ofs_buf_adds(b, ".");
}

void ofs_tree_path(struct ofs_tree *t, uint64_t ino, struct ofs_buf *b)
{
    OFS_NODE_HOLD(held, t, ofs_nodes_use(&t->nodes, ino));
    OFS_SCRATCH_HOLD(scratch, t,
                     held.node ? ofs_scratch_of(t, held.node) : NULL);
    struct ofs_scratch_now now;

    if (scratch.s) {
        ofs_scratch_look(t, scratch.s, &now);
        add(b, b->len, now.repo);
        (void)ofs_buf_addf(b, "/%s", now.spot.name);
    } else if (held.node) {
        ofs_node_path(held.node, b);
    }
}
