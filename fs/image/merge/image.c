/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/image.h"

#include "layers_priv.h"
#include "mergedir.h"
#include "xattrlist.h"

#include <sys/stat.h>

struct ofs_image {
    struct ofs_merge m;
    int64_t created;
    const struct ofs_layer_view *views[OFS_MERGE_LAYERS];
    struct ofs_layer *layers[OFS_MERGE_LAYERS]; /* borrowed */
};

int ofs_image_merge(struct ofs_layer *const *layers, size_t n, int64_t created,
                    struct ofs_image **ret, struct ofs_err *err)
{
    struct ofs_image *image;

    if (n == 0 || n > OFS_MERGE_LAYERS)
        return ofs_err_set(err, -E2BIG, "an image of %zu layers", n);
    image = calloc(1, sizeof(*image));
    if (!image)
        return ofs_err_nomem(err, "an image");
    for (size_t i = 0; i < n; i++) {
        image->layers[i] = layers[i];
        image->views[i] = &layers[i]->index->v;
    }
    image->m = (struct ofs_merge){ image->views, (uint32_t)n };
    image->created = created;
    *ret = image;
    return 0;
}

void ofs_image_free(struct ofs_image *image)
{
    free(image);
}

static struct ofs_merge_node in(struct ofs_image_node node)
{
    return (struct ofs_merge_node){ node.layer, node.inode };
}

static struct ofs_image_node out(struct ofs_merge_node node)
{
    return (struct ofs_image_node){ node.layer, node.inode };
}

struct ofs_image_node ofs_image_root(const struct ofs_image *image)
{
    return (struct ofs_image_node){ image->m.n - 1, 0 };
}

static int open_dir(const struct ofs_image *image, struct ofs_image_node dir,
                    struct ofs_merge_stack *ret, struct ofs_err *err)
{
    int r = ofs_merge_stack_of(&image->m, in(dir), ret);

    return r < 0 ? ofs_err_set(err, r, "not a directory of the image") : 0;
}

int ofs_image_lookup(const struct ofs_image *image, struct ofs_image_node dir,
                     const char *name, struct ofs_image_node *ret,
                     struct ofs_err *err)
{
    struct ofs_merge_stack stack, next;
    struct ofs_merge_node node;
    int r = open_dir(image, dir, &stack, err);

    if (r < 0)
        return r;
    r = ofs_merge_find(&image->m, &stack, name, strlen(name), &node, &next);
    if (r < 0)
        return ofs_err_set(err, r, "not in the image");
    *ret = out(node);
    return 0;
}

struct name_sink {
    ofs_image_name_fn *fn;
    void *arg;
};

static int hand_on(void *arg, const char *name, size_t len,
                   struct ofs_merge_node node)
{
    const struct name_sink *sink = arg;

    return sink->fn(sink->arg, name, len, out(node));
}

int ofs_image_list(const struct ofs_image *image, struct ofs_image_node dir,
                   ofs_image_name_fn *fn, void *arg, struct ofs_err *err)
{
    struct name_sink sink = { fn, arg };
    struct ofs_merge_stack stack;
    int r = open_dir(image, dir, &stack, err);

    return r < 0 ? r : ofs_merge_list(&image->m, &stack, hand_on, &sink);
}

/* Of a directory, the inode of the layer that has an entry for it. */
static int attrs_of(const struct ofs_image *image, struct ofs_image_node node,
                    const struct ofs_inode **ret,
                    const struct ofs_layer_view **ret_view)
{
    struct ofs_merge_node from = in(node);
    struct ofs_merge_stack stack;
    int r;

    if (ofs_merge_inode(&image->m, from)->type == OFS_INODE_DIR &&
        ofs_merge_inode(&image->m, from)->flags & OFS_INODE_IMPLIED) {
        r = ofs_merge_stack_of(&image->m, from, &stack);
        if (r < 0)
            return r;
        from = stack.attrs;
    }
    *ret = ofs_merge_inode(&image->m, from);
    *ret_view = image->views[from.layer];
    return 0;
}

/*
 * The beginning of the layer's digest and the inode: the same in every image
 * that has the layer.  Two bits stay free for overlayfs's xino.
 */
static uint64_t number_of(const struct ofs_image *image,
                          struct ofs_image_node node)
{
    const struct ofs_digest *d = &image->views[node.layer]->head->blob;
    uint64_t high = 0;

    for (size_t i = 0; i < 4; i++)
        high = high << 8 | d->bytes[i];
    return (high & 0x3fffffff) << 32 | (node.inode + UINT64_C(1));
}

int ofs_image_stat(const struct ofs_image *image, struct ofs_image_node node,
                   struct ofs_image_stat *ret)
{
    static const mode_t types[OFS_N_INODE_TYPES] = {
        [OFS_INODE_REG] = S_IFREG, [OFS_INODE_SYM] = S_IFLNK,
        [OFS_INODE_CHR] = S_IFCHR, [OFS_INODE_BLK] = S_IFBLK,
        [OFS_INODE_DIR] = S_IFDIR, [OFS_INODE_PIPE] = S_IFIFO,
    };
    const struct ofs_layer_view *view;
    const struct ofs_inode *i;
    int r = attrs_of(image, node, &i, &view);

    if (r < 0)
        return r;
    *ret = (struct ofs_image_stat){
        .mode = types[i->type] | i->mode,
        .uid = i->uid,
        .gid = i->gid,
        .nlink = i->type == OFS_INODE_DIR ? 1 : i->nlink,
        .size = i->type == OFS_INODE_DIR ? 0 : i->size,
        .ino = number_of(image, node),
        .mtime_s = i->flags & OFS_INODE_IMPLIED ? image->created : i->mtime_s,
        .mtime_ns = i->mtime_ns,
    };
    if (i->type == OFS_INODE_CHR || i->type == OFS_INODE_BLK) {
        ret->major = (uint32_t)(i->data >> 32);
        ret->minor = (uint32_t)i->data;
    }
    return 0;
}

int ofs_image_readlink(const struct ofs_image *image,
                       struct ofs_image_node node, struct ofs_buf *ret)
{
    const struct ofs_inode *i = ofs_merge_inode(&image->m, in(node));

    if (i->type != OFS_INODE_SYM)
        return -EINVAL;
    return ofs_buf_add(ret, image->views[node.layer]->texts + i->data,
                       (size_t)i->size);
}

/* The kernel has `user.` attributes on nothing else. */
static bool may_have(const struct ofs_inode *i, const struct ofs_xattr *x)
{
    return i->type == OFS_INODE_REG || i->type == OFS_INODE_DIR ||
           x->name_len < 5 || memcmp(x->name, "user.", 5) != 0;
}

int ofs_image_xattr(const struct ofs_image *image, struct ofs_image_node node,
                    const char *name, struct ofs_buf *ret)
{
    const struct ofs_layer_view *view;
    const struct ofs_inode *i;
    const uint8_t *list;
    struct ofs_xattr x;
    size_t len = 0;
    int r = attrs_of(image, node, &i, &view);

    if (r < 0)
        return r;
    list = ofs_layer_xattrs(view, i, &len);
    if (!list || !ofs_xattr_find(list, len, name, strlen(name), &x) ||
        !may_have(i, &x))
        return -ENODATA;
    return ofs_buf_add(ret, x.value, x.value_len);
}

int ofs_image_xattr_names(const struct ofs_image *image,
                          struct ofs_image_node node, struct ofs_buf *ret)
{
    const struct ofs_layer_view *view;
    const struct ofs_inode *i;
    const uint8_t *list;
    struct ofs_xattr x;
    size_t len = 0, at = 0;
    int r = attrs_of(image, node, &i, &view);

    if (r < 0)
        return r;
    list = ofs_layer_xattrs(view, i, &len);
    while (list && ofs_xattr_next(list, len, &at, &x))
        if (may_have(i, &x)) {
            (void)ofs_buf_add(ret, x.name, x.name_len);
            (void)ofs_buf_addc(ret, '\0');
        }
    return ret->failed;
}

int ofs_image_read(const struct ofs_image *image, struct ofs_image_node node,
                   struct ofs_call *call, void *buf, size_t len, uint64_t off,
                   size_t *ret_n, struct ofs_err *err)
{
    const struct ofs_inode *i = ofs_merge_inode(&image->m, in(node));
    struct ofs_layer_reader from = { image->views[node.layer],
                                     &image->layers[node.layer]->unpacked };

    if (i->type != OFS_INODE_REG)
        return ofs_err_set(err, -EINVAL, "no file");
    return ofs_layer_read(&from, i, call, buf, len, off, ret_n, err);
}
