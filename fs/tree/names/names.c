/* SPDX-License-Identifier: Apache-2.0 */
#include "names.h"

#include "ocirfs/ref.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define OFS_AT_COMPARTMENT "@compartment"

static const struct suffix {
    const char *text;
    enum ofs_name_kind kind;
} suffixes[] = {
    { "@tag", OFS_NAME_TAG },
    { "@repository", OFS_NAME_REPOSITORY },
    { OFS_AT_COMPARTMENT, OFS_NAME_COMPARTMENT },
};

static const char *const layout_names[] = {
    "blobs",
    "index.json",
    "oci-layout",
};

static bool base_is_valid(enum ofs_name_kind kind, const char *base)
{
    if (kind == OFS_NAME_TAG)
        return ofs_tag_is_valid(base);
    if (kind == OFS_NAME_REPOSITORY)
        return ofs_repo_part_is_valid(base);
    if (kind == OFS_NAME_COMPARTMENT)
        return ofs_name_is_compartment(base);
    return ofs_tag_is_valid(base) || ofs_repo_part_is_valid(base);
}

static void parse_escaped(struct ofs_name *n)
{
    for (size_t i = 0; i < OFS_COUNT_OF(suffixes); i++) {
        if (!ofs_str_ends(n->base, suffixes[i].text))
            continue;
        n->base[strlen(n->base) - strlen(suffixes[i].text)] = '\0';
        if (base_is_valid(suffixes[i].kind, n->base))
            n->kind = suffixes[i].kind;
        return;
    }
}

int ofs_name_parse(const char *name, struct ofs_name *ret)
{
    size_t len = strlen(name);

    if (len > NAME_MAX)
        return -ENAMETOOLONG;
    memset(ret, 0, sizeof(*ret));
    memcpy(ret->base, name, len + 1);
    if (strchr(name, '@'))
        parse_escaped(ret);
    else if (strchr(name, ':'))
        ret->kind = ofs_digest_parse(name, &ret->digest, NULL) == 0
                        ? OFS_NAME_DIGEST
                        : OFS_NAME_NOBODY;
    else if (base_is_valid(OFS_NAME_PLAIN, name))
        ret->kind = OFS_NAME_PLAIN;
    return 0;
}

bool ofs_name_is_compartment(const char *name)
{
    size_t len = strlen(name);

    if (len == 0 || len + strlen(OFS_AT_COMPARTMENT) > NAME_MAX ||
        strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return false;
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 127 || strchr("/@:", *name))
            return false;
    return true;
}

bool ofs_name_is_layout(const char *name)
{
    for (size_t i = 0; i < OFS_COUNT_OF(layout_names); i++)
        if (strcmp(name, layout_names[i]) == 0)
            return true;
    return false;
}

static const char *escaped(const char *name, const char *suffix,
                           char text[NAME_MAX + 1])
{
    (void)snprintf(text, NAME_MAX + 1, "%s%s", name, suffix);
    return text;
}

const char *ofs_name_of_part(const char *part, bool in_repo,
                             char text[NAME_MAX + 1])
{
    if (in_repo && ofs_name_is_layout(part))
        return escaped(part, "@repository", text);
    return part;
}

const char *ofs_name_of_tag(const char *tag, const struct ofs_strv *parts,
                            char text[NAME_MAX + 1])
{
    if (ofs_name_is_layout(tag) || ofs_strv_has(parts, tag))
        return escaped(tag, "@tag", text);
    return tag;
}

const char *ofs_name_of_compartment(const char *name,
                                    const struct ofs_strv *parts,
                                    char text[NAME_MAX + 1])
{
    if (ofs_strv_has(parts, name) || strcmp(name, OFS_CONTROL_NAME) == 0)
        return escaped(name, OFS_AT_COMPARTMENT, text);
    return name;
}

int ofs_path_join(const char *dir, const char *part, char ret[NAME_MAX + 1])
{
    int n;

    if (!ofs_repo_part_is_valid(part))
        return -ENOENT;
    n = snprintf(ret, NAME_MAX + 1, "%s%s%s", dir, *dir ? "/" : "", part);
    return n > NAME_MAX || !ofs_repo_is_valid(ret) ? -ENOENT : 0;
}

void ofs_path_parent(const char *path, char ret[NAME_MAX + 1])
{
    const char *slash = strrchr(path, '/');
    size_t len = slash ? (size_t)(slash - path) : 0;

    assert(len <= NAME_MAX);
    memcpy(ret, path, len);
    ret[len] = '\0';
}
