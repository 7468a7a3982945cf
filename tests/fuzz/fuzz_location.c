/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_location.h"

#include "ocirfs/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define BASE "https://registry.example/prefix/v2/a/blobs/uploads/"

/* Never down to http, never to this machine; the query stays. */
static void follow(const struct ofs_url *from, const char *location)
{
    OFS_AUTOURL struct ofs_url to = { 0 };
    OFS_AUTOFREE char *with = NULL;
    struct ofs_err err = { 0 };
    struct ofs_digest d = { .alg = OFS_SHA256 };
    int r = ofs_reg_location(from, location, &to, &err);

    if (r != err.code)
        abort();
    if (r < 0)
        return;
    if (!ofs_str_starts(to.text, "https://") || ofs_url_is_loopback(&to))
        abort();
    with = ofs_reg_with_digest(to.text, &d);
    if (!with || !ofs_str_starts(with, to.text))
        abort();
}

/* Its first line is a Location, the second a Range. */
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOURL struct ofs_url from = { 0 };
    OFS_AUTOFREE char *text = strndup((const char *)data, size);
    uint64_t received = 0;
    char *range;

    if (!text || ofs_url_parse(BASE, &from, NULL) < 0)
        abort();
    range = strchr(text, '\n');
    if (range)
        *range++ = '\0';
    follow(&from, text);
    if (ofs_reg_received(range, &received) == 0 && received < 2)
        abort();
    return 0;
}
