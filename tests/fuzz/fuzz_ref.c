/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/ref.h"

#include "ocirfs/cleanup.h"

#include <regex.h>
#include <stdint.h>

#define PART "[a-z0-9]+((\\.|_|__|-+)[a-z0-9]+)*"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The specification's own words, where we have a matcher by hand. */
enum { REPO, ONE_PART, TAG, N_PATTERNS };

static const char *const patterns[N_PATTERNS] = {
    [REPO] = "^" PART "(/" PART ")*$",
    [ONE_PART] = "^" PART "$",
    [TAG] = "^[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}$",
};

static bool matches(int which, const char *text)
{
    static regex_t compiled[N_PATTERNS];
    static bool ready[N_PATTERNS];

    if (!ready[which] && regcomp(&compiled[which], patterns[which],
                                 REG_EXTENDED | REG_NOSUB) != 0)
        abort();
    ready[which] = true;
    return regexec(&compiled[which], text, 0, NULL, 0) == 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *text = strndup((const char *)data, size);
    size_t len;

    if (!text || size > 300)
        return 0;
    len = strlen(text);
    if (ofs_repo_is_valid(text) != (len <= 255 && matches(REPO, text)))
        abort();
    if (ofs_repo_part_is_valid(text) != (len <= 255 && matches(ONE_PART, text)))
        abort();
    if (ofs_tag_is_valid(text) != matches(TAG, text))
        abort();
    return 0;
}
