/* SPDX-License-Identifier: Apache-2.0 */
#include "token_answer.h"

#include "ocirfs/cred.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LONGEST_LIFE_S = 30 * 24 * 3600 };

static void check_life(const struct ofs_token_answer *a)
{
    int64_t life_ms = ofs_token_life_ms(a, "Mon, 05 Jan 2026 21:31:40 GMT");
    int64_t use_ms = ofs_token_use_ms(life_ms);

    if (life_ms < 1000 || life_ms / 1000 > LONGEST_LIFE_S)
        abort();
    if (use_ms < life_ms / 2 || use_ms >= life_ms)
        abort();
}

static void check_words(const char *body, size_t size)
{
    char needle[] = "secret", text[64];
    const struct ofs_secret secret = { needle, strlen(needle) };

    ofs_token_words(body, size, &secret, text, sizeof(text));
    if (strlen(text) >= sizeof(text) || strstr(text, needle))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOTOKENANSWER struct ofs_token_answer a = { 0 };
    const char *body = (const char *)data;
    int r = ofs_token_answer_parse(body, size, &a, NULL);

    if (r != 0 && r != -EBADMSG && r != -ENOMEM)
        abort();
    if (r == 0) {
        if (!ofs_cred_is_token(a.token.text, a.token.len))
            abort();
        check_life(&a);
        (void)ofs_token_is_anonymous(&a.token);
    }
    check_words(body, size);
    return 0;
}
