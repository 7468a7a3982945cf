/* SPDX-License-Identifier: Apache-2.0 */
#include "nearest.h"

#include <string.h>

enum { LONGEST = 40, FAR = LONGEST };

static bool is_same(char a, char b)
{
    return a == b || (a == '-' && b == '_') || (a == '_' && b == '-');
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* Characters to insert, remove or replace (Levenshtein), row by row. */
static size_t distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t row[LONGEST + 1];

    if (a_len > LONGEST || b_len > LONGEST)
        return FAR;
    for (size_t j = 0; j <= b_len; j++)
        row[j] = j;
    for (size_t i = 0; i < a_len; i++) {
        size_t corner = row[0]++;

        for (size_t j = 0; j < b_len; j++) {
            size_t replaced = corner + !is_same(a[i], b[j]);

            corner = row[j + 1];
            row[j + 1] = least(replaced, least(row[j], row[j + 1]) + 1);
        }
    }
    return row[b_len];
}

void ofs_nearest_offer(struct ofs_nearest *n, const char *typed, size_t len,
                       const char *candidate)
{
    size_t far = distance(typed, len, candidate, strlen(candidate));

    if (far > 2 || far * 3 > len || (n->word && far >= n->distance))
        return;
    n->word = candidate;
    n->distance = far;
}

bool ofs_nearest_same(const char *typed, size_t len, const char *name)
{
    if (strlen(name) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        if (!is_same(typed[i], name[i]))
            return false;
    return true;
}
