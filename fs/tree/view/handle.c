/* SPDX-License-Identifier: Apache-2.0 */
/* Open directories: a snapshot of names.  Open files: bytes or a blob. */
#include "handle.h"

#include "ocirfs/push.h"
#include "ocirfs/vec.h"

#include "destination.h"
#include "lookup.h"
#include "overlay.h"
#include "view_local.h"

enum { MAX_NAMES_BYTES = 1024 * 1024 * 1024 };

struct entry {
    size_t name; /* offset in names */
    uint64_t ino;
    mode_t type;
};

struct ofs_dir {
    struct ofs_tree *t;
    struct ofs_node *node; /* in use */
    struct ofs_buf names;  /* each with its NUL */
    struct entry *at;
    size_t n, room;
};

const struct ofs_node *ofs_dir_node(const struct ofs_dir *d)
{
    return d->node;
}

static int add(struct ofs_dir *d, const char *name, uint64_t ino, mode_t type)
{
    size_t offset = d->names.len;

    if (!ino || ofs_vec_grow(d->at, d->n, d->room) < 0 ||
        ofs_buf_add(&d->names, name, strlen(name) + 1) < 0)
        return -ENOMEM;
    d->at[d->n++] = (struct entry){ .name = offset, .ino = ino, .type = type };
    return 0;
}

size_t ofs_dir_count(const struct ofs_dir *d)
{
    return d->n;
}

int ofs_dir_add(struct ofs_dir *d, const char *name,
                const struct ofs_node_spec *spec)
{
    return add(d, name, ofs_ino_of(spec, 0), spec->view->type);
}

int ofs_dir_new(struct ofs_tree *t, struct ofs_node *node, struct ofs_dir **ret,
                struct ofs_err *err)
{
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = calloc(1, sizeof(*d));

    if (!d) {
        ofs_nodes_unuse(&t->nodes, node);
        return ofs_err_nomem(err, "a directory");
    }
    d->t = t;
    d->node = node;
    ofs_buf_init(&d->names, MAX_NAMES_BYTES);
    if (add(d, ".", node->ino, node->view->type) < 0 ||
        add(d, "..", ofs_ino_above(t, node), node->view->type) < 0)
        return ofs_err_nomem(err, "a directory");
    *ret = ofs_take(&d);
    return 0;
}

void ofs_dir_close(struct ofs_dir *d)
{
    if (!d)
        return;
    ofs_nodes_unuse(&d->t->nodes, d->node);
    ofs_buf_done(&d->names);
    free(d->at);
    free(d);
}

bool ofs_dir_get(const struct ofs_dir *d, size_t i, struct ofs_dirent *ret)
{
    if (i >= d->n)
        return false;
    ret->name = d->names.data + d->at[i].name;
    ret->ino = d->at[i].ino;
    ret->type = d->at[i].type;
    return true;
}

bool ofs_dir_entry(struct ofs_dir *d, size_t i, struct ofs_entry *ret)
{
    struct ofs_entry entry;
    struct ofs_dirent e;
    struct ofs_call call;
    int r;

    if (i < 2 || !ofs_dir_get(d, i, &e))
        return false;
    ofs_call_init(&call, OFS_NEVER);
    call.may_wait = false;
    r = ofs_tree_lookup(d->t, &call, d->node->ino, e.name, &entry, NULL);
    ofs_call_done(&call);
    if (r < 0 || entry.attr.ino == 0)
        return false;
    *ret = entry;
    return true;
}

static int add_scratch(void *arg, struct ofs_local *s, const char *name)
{
    struct ofs_dir *d = arg;
    struct ofs_local_now now;
    struct ofs_found found;

    ofs_local_look(&d->t->overlay, s, &now);
    if (ofs_target_is_final(now.target.kind))
        return 0;
    ofs_local_found(s, &found);
    return ofs_dir_add(d, name, &found.spec);
}

int ofs_dir_add_scratch(struct ofs_dir *d)
{
    return ofs_local_each(&d->t->overlay, d->node->ino, add_scratch, d);
}

struct ofs_file *ofs_file_new(struct ofs_tree *t, struct ofs_node *node)
{
    struct ofs_file *f = calloc(1, sizeof(*f));

    if (!f) {
        ofs_nodes_unuse(&t->nodes, node);
        return NULL;
    }
    f->t = t;
    f->node = node;
    return f;
}

int ofs_file_pread(struct ofs_file *f, struct ofs_call *call, void *buf,
                   size_t len, uint64_t off, size_t *ret_n, struct ofs_err *err)
{
    size_t n = 0;

    if (f->scratch)
        return ofs_draft_read(ofs_local_draft(f->scratch), call, buf, len, off,
                              ret_n, err);
    if (!f->bytes)
        return ofs_blob_read(f->blob, call, buf, len, off, ret_n, err);
    if (off < f->bytes->len) {
        n = f->bytes->len - (size_t)off;
        if (n > len)
            n = len;
        memcpy(buf, f->bytes->data + off, n);
    }
    *ret_n = n;
    return 0;
}

void ofs_file_close(struct ofs_file *f)
{
    if (!f)
        return;
    if (f->writes)
        ofs_local_close(&f->t->overlay, f->scratch);
    ofs_local_put(&f->t->overlay, f->scratch);
    ofs_bytes_unref(f->bytes);
    if (f->blob)
        ofs_blob_close(f->blob);
    ofs_nodes_unuse(&f->t->nodes, f->node);
    free(f);
}
