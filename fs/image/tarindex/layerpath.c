/* SPDX-License-Identifier: Apache-2.0 */
#include "layerpath.h"

#include <stdbool.h>

static bool is_text(const char *name, size_t len, const char *text)
{
    return len == strlen(text) && memcmp(name, text, len) == 0;
}

static bool begins(const char *name, size_t len, const char *text)
{
    return len >= strlen(text) && memcmp(name, text, strlen(text)) == 0;
}

/* Take the last part off, unless that is what stood there before. */
static void go_up(struct ofs_buf *b, size_t root)
{
    while (b->len > root && b->data[b->len - 1] != '/')
        b->len--;
    if (b->len > root)
        b->len--;
    if (b->data)
        b->data[b->len] = '\0';
}

static int append_part(struct ofs_buf *b, size_t root, const char *part,
                       size_t len)
{
    if (len == 0 || is_text(part, len, "."))
        return 0;
    if (is_text(part, len, "..")) {
        go_up(b, root);
        return 0;
    }
    if (len > OFS_LAYER_NAME_MAX)
        return -ENAMETOOLONG;
    if (b->len > root)
        (void)ofs_buf_addc(b, '/');
    return ofs_buf_add(b, part, len);
}

int ofs_layer_path(const char *name, size_t len, struct ofs_buf *ret)
{
    const char *end = name + len;
    size_t root = ret->len;
    int r = 0;

    if (memchr(name, '\0', len))
        return -EBADMSG;
    while (r == 0 && name < end) {
        const char *slash = memchr(name, '/', (size_t)(end - name));
        const char *stop = slash ? slash : end;

        r = append_part(ret, root, name, (size_t)(stop - name));
        name = stop + 1;
    }
    if (r == -EFBIG || (r == 0 && ret->len - root > OFS_LAYER_PATH_MAX))
        r = -ENAMETOOLONG;
    return r;
}

enum ofs_layer_mark ofs_layer_mark(const char *name, size_t len)
{
    if (!begins(name, len, ".wh."))
        return OFS_MARK_NONE;
    if (is_text(name, len, ".wh..wh..opq"))
        return OFS_MARK_OPAQUE;
    if (begins(name, len, ".wh..wh."))
        return OFS_MARK_HIDDEN;
    if (is_text(name, len, ".wh.") || is_text(name, len, ".wh..") ||
        is_text(name, len, ".wh..."))
        return OFS_MARK_BAD;
    return OFS_MARK_WHITEOUT;
}
