/* SPDX-License-Identifier: Apache-2.0 */
#include "blobanswer.h"

#include "ocirfs/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { OFF = 1000, LEN = 500, SIZE = 100000 };

/* "Name: value" lines. */
static void add_lines(struct ofs_headers *headers, const char *text, size_t len)
{
    while (len > 0) {
        const char *end = memchr(text, '\n', len);
        size_t line = end ? (size_t)(end - text) : len;
        const char *colon = memchr(text, ':', line);

        if (colon) {
            size_t name = (size_t)(colon - text);

            (void)!ofs_headers_add(headers, text, name, colon + 1,
                                   line - name - 1);
        }
        text += end ? line + 1 : line;
        len -= end ? line + 1 : line;
    }
}

/* A plan never leads out of the blob, nor past what is wanted. */
static void judge(const struct ofs_headers *headers, int status)
{
    const struct blob_want want = {
        .off = OFF, .len = LEN, .size = SIZE, .ranged = true
    };
    struct blob_plan plan = { 0 };
    struct ofs_err err = { 0 };
    int r = ofs_blob_answer(status, headers, &want, &plan, &err);

    if (r != err.code)
        abort();
    if (r == 0 && (plan.take == 0 || plan.take > LEN || plan.skip > OFF ||
                   plan.rest > SIZE - OFF - plan.take))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTO(ofs_headers_done) struct ofs_headers headers = { 0 };

    add_lines(&headers, (const char *)data, size);
    judge(&headers, 200);
    judge(&headers, 206);
    judge(&headers, 404);
    return 0;
}
