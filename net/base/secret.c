/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/secret.h"

void ofs_wipe(void *data, size_t len)
{
    if (data)
        explicit_bzero(data, len);
}

void ofs_wipe_free(char *text)
{
    if (!text)
        return;
    ofs_wipe(text, strlen(text));
    free(text);
}

int ofs_secret_set(struct ofs_secret *s, const char *text, size_t len)
{
    char *copy = malloc(len + 1);

    if (!copy)
        return -ENOMEM;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    ofs_secret_done(s); /* only now: `text` may be its own */
    s->text = copy;
    s->len = len;
    return 0;
}

void ofs_secret_done(struct ofs_secret *s)
{
    ofs_wipe(s->text, s->len);
    free(s->text);
    *s = (struct ofs_secret){ 0 };
}
