/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_pick.h"

#include "ocirfs/buf.h"

#include <stdbool.h>

enum { LIST_BYTES = 160, NONE = 0, SEVERAL = 2 };

static const char *after_last_slash(const char *s, size_t len)
{
    const char *slash = memrchr(s, '/', len);

    return slash ? slash + 1 : s;
}

/* The tag of "host:5000/app:1.5"; a bare "1.5" is one by itself. */
static const char *tag_of(const char *name)
{
    const char *last = after_last_slash(name, strlen(name));
    const char *colon = strrchr(last, ':');

    return colon ? colon + 1 : last;
}

static bool has_tag(const struct ofs_archive_name *n, const char *tag)
{
    return n->name && strcmp(tag_of(n->name), tag) == 0;
}

/* Is "app" the last part of both "host/x/app:1.5" and "prod/app"? */
static bool has_repo(const struct ofs_archive_name *n, const char *repo)
{
    const char *want = after_last_slash(repo, strlen(repo));
    const char *tag = n->name ? tag_of(n->name) : "";
    const char *last = after_last_slash(n->name ? n->name : "",
                                        strlen(n->name ? n->name : ""));
    size_t len = strlen(want);

    return tag > last && (size_t)(tag - last) == len + 1 &&
           memcmp(last, want, len) == 0;
}

/* How many images, up to SEVERAL, have a name that `tag` and `repo` (NULL:
 * any) fit; *ret is the first. */
static int count(const struct ofs_archive_name *names, size_t n,
                 const char *repo, const char *tag, size_t *ret)
{
    int found = NONE;

    for (size_t i = 0; i < n; i++) {
        if ((tag && !has_tag(&names[i], tag)) ||
            (repo && !has_repo(&names[i], repo)))
            continue;
        if (found > 0 && names[i].image != *ret)
            return SEVERAL;
        *ret = names[i].image;
        found = 1;
    }
    return found;
}

static void add_names(struct ofs_buf *b, const struct ofs_archive_name *names,
                      size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const char *name = names[i].name ? names[i].name : "(no name)";

        if (b->len + strlen(name) > LIST_BYTES) {
            (void)ofs_buf_addf(b, "%sand %zu more", i > 0 ? ", " : "", n - i);
            return;
        }
        (void)ofs_buf_addf(b, "%s%s", i > 0 ? ", " : "", name);
    }
}

int ofs_archive_pick(const struct ofs_archive_name *names, size_t n,
                     const char *repo, const char *tag, size_t *ret_image,
                     struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf list = OFS_BUF_INIT(2 * LIST_BYTES);
    size_t image = 0;
    int found = count(names, n, NULL, NULL, &image);

    if (found == NONE)
        return ofs_err_set(err, -EINVAL, "the archive holds no image");
    if (found == SEVERAL)
        found = count(names, n, NULL, tag, &image);
    if (found == SEVERAL && count(names, n, repo, tag, &image) == 1)
        found = 1;
    if (found == 1) {
        *ret_image = image;
        return 0;
    }
    add_names(&list, names, n);
    return ofs_err_set(err, -EINVAL,
                       "the archive holds several images, %s of them tagged "
                       "'%.32s': %s",
                       found == NONE ? "none" : "more than one", tag,
                       ofs_buf_str(&list));
}
