/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/entry_tags.h"

#include "ocirfs/ref.h"

/* Source: OCI image-spec v1.1 annotations.md; containerd images/annotations.go.
 * The first that says anything is what counts. */
static const char *const keys[] = {
    "org.opencontainers.image.ref.name",
    "io.containerd.image.name",
};

/* Like isspace(), whatever the locale is. */
static bool is_blank_char(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* A copy of the next of several names, NULL: no memory; *p is moved on. */
static char *next_name(const char **p)
{
    size_t len = strcspn(*p, ",");
    const char *begin = *p, *end = begin + len;

    *p = *end ? end + 1 : end;
    while (begin < end && is_blank_char(*begin))
        begin++;
    while (end > begin && is_blank_char(end[-1]))
        end--;
    return strndup(begin, (size_t)(end - begin));
}

static bool lists(const struct ofs_strv *v, const char *s)
{
    for (size_t i = 0; i < v->n; i++)
        if (strcmp(v->at[i], s) == 0)
            return true;
    return false;
}

/* What follows the last ':' behind the last '/'; the name itself if it has
 * neither; NULL: no tag, as in "localhost/app". */
static const char *tag_in(const char *name)
{
    const char *slash = strrchr(name, '/');
    const char *colon = strrchr(slash ? slash : name, ':');

    if (colon)
        return colon + 1;
    return slash ? NULL : name;
}

/* Is a digest all that it asks for: "host/app@sha256:...", "sha256:..."?
 * `tag` is what was found before the '@', or nothing. */
static bool is_digest(const char *name, const char *bare, const char *tag)
{
    struct ofs_digest digest;

    if (strlen(bare) < strlen(name))
        return !tag || tag == bare;
    return ofs_digest_parse(name, &digest, NULL) == 0;
}

static int add_tag(const char *name, struct ofs_strv *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *bare = strndup(name, strcspn(name, "@"));
    const char *tag = bare ? tag_in(bare) : NULL;

    if (!bare)
        return ofs_err_nomem(err, "a tag");
    if (is_digest(name, bare, tag))
        return 0;
    if (!tag || !ofs_tag_is_valid(tag))
        return ofs_err_set(err, -EINVAL,
                           "'%.200s' names no tag that a registry can have "
                           "(letters, digits, '_', '.' and '-', at most 128)",
                           name);
    if (!lists(ret, tag) && ofs_strv_add(ret, tag) < 0)
        return ofs_err_nomem(err, "a tag");
    return 0;
}

/* 1: there was no name in it.  A bad one is no reason to leave out a good. */
static int add_tags(const char *names, struct ofs_strv *ret,
                    struct ofs_err *err)
{
    int first = 1;

    while (*names) {
        OFS_AUTOFREE char *name = next_name(&names);
        int r;

        if (!name)
            return ofs_err_nomem(err, "a tag");
        if (!*name)
            continue;
        r = add_tag(name, ret, first < 0 ? NULL : err);
        if (r == -ENOMEM)
            return r;
        if (first >= 0)
            first = r;
    }
    return first;
}

int ofs_entry_tags(const struct ofs_annotations *a, struct ofs_strv *ret,
                   struct ofs_err *err)
{
    for (size_t i = 0; i < OFS_COUNT_OF(keys); i++) {
        const char *names = ofs_annotation_get(a, keys[i]);
        int r = names ? add_tags(names, ret, err) : 1;

        if (r <= 0)
            return r;
    }
    return 0;
}
