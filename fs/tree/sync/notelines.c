/* SPDX-License-Identifier: Apache-2.0 */
#include "notelines.h"

#include <string.h>

bool ofs_note_line(const char **text, size_t *left, struct ofs_buf *line)
{
    const char *end = *left ? memchr(*text, '\n', *left) : NULL;
    size_t len;

    if (!end)
        return false;
    len = (size_t)(end - *text);
    ofs_buf_reset(line);
    (void)ofs_buf_add(line, *text, len);
    *text += len + 1;
    *left -= len + 1;
    return !line->failed;
}

bool ofs_note_is_of(char **first, const char *key)
{
    if (!*first && key)
        *first = strdup(key);
    return *first && key && strcmp(*first, key) == 0;
}

bool ofs_note_is_word(const char *s)
{
    if (!*s)
        return false;
    for (; *s; s++)
        if ((unsigned char)*s <= ' ' || *s == 127)
            return false;
    return true;
}

char *ofs_note_word(char **rest)
{
    char *word = *rest, *space;

    if (!word)
        return NULL;
    space = strchr(word, ' ');
    if (space)
        *space = '\0';
    *rest = space ? space + 1 : NULL;
    return word;
}
