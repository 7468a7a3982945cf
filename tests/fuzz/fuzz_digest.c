/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/digest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whatever is taken has one spelling only: the one it is formatted as. */
static void check_spelling(const struct ofs_digest *d, const char *text)
{
    char again[OFS_DIGEST_TEXT_MAX];

    if (strcmp(ofs_digest_format(d, again), text) != 0)
        abort();
}

static void parse_apart(char *text)
{
    char *colon = strchr(text, ':');
    struct ofs_digest d;

    if (!colon)
        return;
    *colon = '\0';
    if (ofs_digest_parse_hex(text, colon + 1, &d) < 0)
        return;
    *colon = ':';
    check_spelling(&d, text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *text = strndup((const char *)data, size);
    struct ofs_err err = { 0 };
    struct ofs_digest d;

    if (!text)
        return 0;
    if (ofs_digest_parse(text, &d, &err) == 0)
        check_spelling(&d, text);
    else if (err.code != -EBADMSG)
        abort();
    parse_apart(text);
    return 0;
}
