/* SPDX-License-Identifier: Apache-2.0 */
#include "pathset.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* The first name that is not before `text`. */
static size_t place_of(const struct ofs_strv *names, const char *text)
{
    size_t low = 0, high = names->n;

    while (low < high) {
        size_t mid = low + (high - low) / 2;

        if (strcmp(names->at[mid], text) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

/* `path` and a slash; "" stays empty.  NULL: no memory. */
static char *prefix_of(const char *path)
{
    return ofs_strf("%s%s", path, *path ? "/" : "");
}

bool ofs_paths_below(const struct ofs_strv *names, const char *path)
{
    OFS_AUTOFREE char *below = prefix_of(path);
    size_t i;

    if (!below)
        return false;
    i = place_of(names, below);
    return i < names->n && ofs_str_starts(names->at[i], below);
}

static int add_part(struct ofs_strv *parts, const char *rest)
{
    char *part = strndup(rest, strcspn(rest, "/"));

    if (!part)
        return -ENOMEM;
    if (parts->n > 0 && strcmp(parts->at[parts->n - 1], part) == 0) {
        free(part);
        return 0;
    }
    return ofs_strv_add_own(parts, part);
}

int ofs_paths_parts(const struct ofs_strv *names, const char *path,
                    struct ofs_strv *ret)
{
    OFS_AUTOFREE char *below = prefix_of(path);

    if (!below)
        return -ENOMEM;
    for (size_t i = place_of(names, below);
         i < names->n && ofs_str_starts(names->at[i], below); i++)
        if (add_part(ret, names->at[i] + strlen(below)) < 0)
            return -ENOMEM;
    /* a, a-b, a/c: the parts of a sorted list are not in order. */
    ofs_strv_sort(ret);
    ofs_strv_unique(ret);
    return 0;
}

int ofs_paths_add(struct ofs_strv *names, const char *name)
{
    if (ofs_strv_has(names, name))
        return 0;
    if (ofs_strv_add(names, name) < 0)
        return -ENOMEM;
    ofs_strv_sort(names);
    return 0;
}

void ofs_paths_remove(struct ofs_strv *names, const char *name)
{
    size_t i = place_of(names, name);

    if (i == names->n || strcmp(names->at[i], name) != 0)
        return;
    free(names->at[i]);
    names->n--;
    memmove(&names->at[i], &names->at[i + 1],
            (names->n - i) * sizeof(names->at[0]));
}

bool ofs_paths_equal(const struct ofs_strv *a, const struct ofs_strv *b)
{
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (strcmp(a->at[i], b->at[i]) != 0)
            return false;
    return true;
}
