/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/ref.h"

#include <stddef.h>
#include <string.h>

enum {
    REPO_MAX = 255, /* bytes; the specification has no limit, clients do */
    TAG_MAX = 128,  /* bytes, by the specification */
};

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_tag_char(char c)
{
    return is_lower_alnum(c) || (c >= 'A' && c <= 'Z') || c == '_';
}

/* Bytes of the separator at `s`: ".", "_", "__" or any number of "-". */
static size_t separator(const char *s)
{
    if (s[0] == '-')
        return strspn(s, "-");
    if (s[0] == '_')
        return s[1] == '_' ? 2 : 1;
    return s[0] == '.' ? 1 : 0;
}

/* Bytes of the component at `s`; 0: there is none. */
static size_t component(const char *s)
{
    size_t i = 0;

    for (;;) {
        size_t begin = i;

        while (is_lower_alnum(s[i]))
            i++;
        if (i == begin)
            return 0;
        if (separator(s + i) == 0)
            return i;
        i += separator(s + i);
    }
}

bool ofs_repo_part_is_valid(const char *part)
{
    size_t len = component(part);

    return len > 0 && part[len] == '\0' && len <= REPO_MAX;
}

bool ofs_repo_is_valid(const char *name)
{
    const char *s = name;

    for (;;) {
        size_t len = component(s);

        if (len == 0)
            return false;
        s += len;
        if (*s == '\0')
            return s - name <= REPO_MAX;
        if (*s++ != '/')
            return false;
    }
}

bool ofs_tag_is_valid(const char *tag)
{
    size_t len = 1;

    if (!is_tag_char(tag[0]))
        return false;
    while (is_tag_char(tag[len]) || tag[len] == '.' || tag[len] == '-')
        len++;
    return tag[len] == '\0' && len <= TAG_MAX;
}
