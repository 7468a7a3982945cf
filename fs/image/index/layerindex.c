/* SPDX-License-Identifier: Apache-2.0 */
#include "layerindex.h"

#include "layerfile.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

void ofs_layer_index_free(struct ofs_layer_index *x)
{
    if (!x)
        return;
    if (x->map)
        (void)munmap(x->map, x->len);
    free(x);
}

static int map_file(int fd, struct ofs_layer_index *x, struct ofs_err *err)
{
    struct stat st;
    void *map;

    if (fstat(fd, &st) < 0)
        return ofs_err_errno(err, errno, "an index");
    if (st.st_size <= 0)
        return -EBADMSG;
    map = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_SHARED, fd, 0);
    if (map == MAP_FAILED)
        return ofs_err_errno(err, errno, "an index");
    x->map = map;
    x->len = (size_t)st.st_size;
    return ofs_layer_decode(map, x->len, &x->v);
}

static bool is_of(const struct ofs_layer_head *h, const struct ofs_layer_id *id,
                  uint64_t packed_size)
{
    return ofs_digest_eq(&h->blob, &id->blob) &&
           (id->diff.alg == 0 || ofs_digest_eq(&h->diff, &id->diff)) &&
           h->packed_size == packed_size;
}

int ofs_layer_index_open(int dirfd, const char *name,
                         const struct ofs_layer_id *id, uint64_t packed_size,
                         struct ofs_layer_index **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_layer_index_freep)
    struct ofs_layer_index *x = calloc(1, sizeof(*x));
    OFS_AUTOCLOSE int fd = openat(dirfd, name, O_RDONLY | O_CLOEXEC);
    int r;

    if (!x)
        return ofs_err_nomem(err, "an index");
    if (fd < 0)
        return ofs_err_errno(err, errno, "an index");
    r = map_file(fd, x, err);
    if (r == -ENOMEM)
        return ofs_err_nomem(err, "an index");
    if (r == 0 && !is_of(x->v.head, id, packed_size))
        r = -EBADMSG;
    if (r == -EBADMSG) {
        (void)unlinkat(dirfd, name, 0); /* it is made anew, or replaced */
        return ofs_err_set(err, -ENOENT, "the index was wrong");
    }
    if (r == 0)
        *ret = ofs_take(&x);
    return r;
}

int ofs_layer_name_cmp(const struct ofs_layer_view *v, const struct ofs_dent *d,
                       const char *name, size_t len)
{
    size_t n = d->name_len < len ? d->name_len : len;
    int order = memcmp(v->texts + d->name, name, n);

    if (order != 0)
        return order;
    return d->name_len == len ? 0 : d->name_len < len ? -1 : 1;
}

const struct ofs_dent *ofs_layer_find(const struct ofs_layer_view *v,
                                      const struct ofs_inode *dir,
                                      const char *name, size_t len)
{
    uint32_t low = dir->first, high = dir->first + dir->n;

    while (low < high) {
        uint32_t mid = low + (high - low) / 2;
        int order = ofs_layer_name_cmp(v, &v->dents[mid], name, len);

        if (order == 0)
            return &v->dents[mid];
        if (order < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return NULL;
}

const uint8_t *ofs_layer_xattrs(const struct ofs_layer_view *v,
                                const struct ofs_inode *i, size_t *ret_len)
{
    uint32_t len;

    *ret_len = 0;
    if (i->xattrs == 0)
        return NULL;
    memcpy(&len, v->xattrs + i->xattrs - 1, sizeof(len));
    *ret_len = len;
    return v->xattrs + i->xattrs - 1 + sizeof(len);
}
