/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_error.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Nothing that a terminal or a log would act on. */
static void check(const char *text, size_t room)
{
    size_t len = strnlen(text, room);

    if (len == room)
        abort();
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];

        if (c < 0x20 || c == 0x7f)
            abort();
        if (c == 0xc2 && (unsigned char)text[i + 1] < 0xa0)
            abort();
    }
}

static void refuse(const uint8_t *data, size_t size, const char *type)
{
    OFS_AUTORESP struct ofs_http_resp resp = { .status = 400, .len = size };
    struct ofs_err err = { 0 };
    struct reg_words words;

    resp.body = malloc(size + 1);
    if (!resp.body)
        abort();
    memcpy(resp.body, data, size);
    resp.body[size] = '\0';
    if (type && ofs_headers_add(&resp.headers, "Content-Type", 12, type,
                                strlen(type)) < 0)
        abort();
    ofs_reg_words(resp.body, size, type, &words);
    check(words.id, sizeof(words.id));
    check(words.text, sizeof(words.text));
    if (ofs_reg_refused("host", "what", &resp, &err) >= 0 || err.code >= 0)
        abort();
    check(err.text, sizeof(err.text));
    check(err.id, sizeof(err.id));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    refuse(data, size, NULL);
    refuse(data, size, "text/plain");
    return 0;
}
