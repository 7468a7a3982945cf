/* SPDX-License-Identifier: Apache-2.0 */
#include "xattrs.h"

#include "ocirfs/mediatype.h"

#include "content.h"
#include "destination.h"
#include "failures.h"
#include "repo_state.h"

#include "ocirfs/errclass.h"

#include <sys/stat.h>

int ofs_xattrs_add_digest(struct ofs_xattrs *x, const struct ofs_digest *digest)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_xattrs_add(x, "user.oci.digest",
                          ofs_digest_format(digest, text));
}

static int add_annotations(const struct ofs_annotations *a,
                           struct ofs_xattrs *x)
{
    for (size_t i = 0; i < a->n; i++) {
        OFS_AUTOFREE char *name =
            ofs_strf("user.oci.annotation.%s", a->at[i].key);

        if (!name || ofs_xattrs_add(x, name, a->at[i].value) < 0)
            return -ENOMEM;
    }
    return 0;
}

/* The type the registry gave it, where the JSON does not say. */
static const char *type_of(const struct ofs_manifest *m)
{
    if (m->media_type)
        return m->media_type;
    return m->kind == OFS_MANIFEST_INDEX ? OFS_MT_OCI_INDEX
                                         : OFS_MT_OCI_MANIFEST;
}

static int add_manifest(const struct ofs_manifest *m, struct ofs_xattrs *x)
{
    if (ofs_xattrs_add(x, "user.oci.mediaType", type_of(m)) < 0)
        return -ENOMEM;
    if (m->artifact_type &&
        ofs_xattrs_add(x, "user.oci.artifactType", m->artifact_type) < 0)
        return -ENOMEM;
    return add_annotations(&m->annotations, x);
}

int ofs_xattrs_of_manifest(struct ofs_tree *t, struct ofs_call *call,
                           const struct ofs_node *node, struct ofs_xattrs *ret,
                           struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };
    OFS_REPO_HOLD(held, &t->repos, node->path);
    int r;

    if (!held.repo || ofs_xattrs_add_digest(ret, &node->digest) < 0)
        return ofs_err_nomem(err, "attributes");
    r = ofs_manifest_read(&t->repos, call, held.repo, &node->digest, &m, err);
    if (r == -EBADMSG || r == -EFBIG)
        return 0; /* not one we can read: it has a digest, no more */
    if (r == 0 && add_manifest(&m, ret) < 0)
        r = ofs_err_nomem(err, "attributes");
    return r;
}

/* ---- the tree's interface ---- */

/*
 * Whoever lists attributes wants those that can be had: a service that is away
 * or refuses must not make `cp -a` fail.
 */
static int collect_backend(struct ofs_tree *t, struct ofs_call *call,
                           const struct ofs_node *node, struct ofs_xattrs *ret,
                           struct ofs_err *err)
{
    int r = node->view->service_xattrs
                ? node->view->service_xattrs(t, call, node, ret, err)
                : 0;

    return ofs_err_is(r, OFS_ERR_OWN) ? r : 0;
}

/* Of the inode, or of the name it has; NULL: all went well. */
static char *error_of(struct ofs_tree *t, struct ofs_node *node)
{
    char *error = ofs_nodes_error(&t->nodes, node);
    struct ofs_destination m;

    if (error || S_ISDIR(node->view->type) || node->view->fixed ||
        ofs_destination_of_node(t, node, &m, NULL) < 0)
        return error;
    return ofs_failure_get(&t->failures, &m.spot);
}

static int collect(struct ofs_tree *t, struct ofs_call *call,
                   struct ofs_node *node, struct ofs_xattrs *ret,
                   struct ofs_err *err)
{
    OFS_AUTOFREE char *error = error_of(t, node);
    int r = 0;

    if (node->view->xattrs)
        r = node->view->xattrs(t, call, node, ret, err);
    if (r == 0)
        r = collect_backend(t, call, node, ret, err);
    if (r == 0 && error && ofs_xattrs_add(ret, "user.ocirfs.error", error) < 0)
        r = ofs_err_nomem(err, "attributes");
    return r;
}

/* The error is at hand and must be shown also when nothing else can be. */
static int get_error(struct ofs_tree *t, struct ofs_node *node,
                     struct ofs_buf *b)
{
    OFS_AUTOFREE char *error = error_of(t, node);

    return error ? ofs_buf_adds(b, error) : -ENODATA;
}

static int or_no_data(int code)
{
    return code == -ENOENT ? -ENODATA : code;
}

static int get(struct ofs_tree *t, struct ofs_call *call, struct ofs_node *node,
               const char *name, struct ofs_buf *b, struct ofs_err *err)
{
    OFS_AUTO(ofs_xattrs_done) struct ofs_xattrs x = { 0 };
    int r;

    if (strcmp(name, "user.ocirfs.error") == 0)
        return get_error(t, node, b);
    /* `ls -l` asks for ACLs and labels of each file. */
    if (ofs_str_starts(name, OFS_BACKEND_XATTR) && node->view->service_xattrs)
        /* The file is there, whatever the control plane knows of it. */
        r = or_no_data(node->view->service_xattrs(t, call, node, &x, err));
    else if (ofs_str_starts(name, "user.oci.") && node->view->xattrs)
        r = node->view->xattrs(t, call, node, &x, err);
    else
        return -ENODATA;
    if (r < 0)
        return r;
    for (size_t i = 0; i < x.names.n; i++)
        if (strcmp(x.names.at[i], name) == 0)
            return ofs_buf_adds(b, x.values.at[i]);
    return -ENODATA;
}

int ofs_tree_getxattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                      const char *name, struct ofs_buf *b, struct ofs_err *err)
{
    struct ofs_node *node = ofs_nodes_use(&t->nodes, ino);
    int r;

    if (!node)
        return ofs_err_set(err, -ESTALE, "an unknown inode");
    r = get(t, call, node, name, b, err);
    ofs_nodes_unuse(&t->nodes, node);
    return r;
}

static int add_names(const struct ofs_xattrs *x, struct ofs_buf *b)
{
    for (size_t i = 0; i < x->names.n; i++) {
        size_t len = strlen(x->names.at[i]) + 1;

        /* The kernel takes no more; what is left out can still be read. */
        if (b->len + len > XATTR_LIST_MAX)
            break;
        (void)ofs_buf_add(b, x->names.at[i], len);
    }
    return b->failed;
}

int ofs_tree_listxattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                       struct ofs_buf *b, struct ofs_err *err)
{
    OFS_AUTO(ofs_xattrs_done) struct ofs_xattrs x = { 0 };
    struct ofs_node *node = ofs_nodes_use(&t->nodes, ino);
    int r;

    if (!node)
        return ofs_err_set(err, -ESTALE, "an unknown inode");
    r = collect(t, call, node, &x, err);
    ofs_nodes_unuse(&t->nodes, node);
    return r < 0 ? r : add_names(&x, b);
}
