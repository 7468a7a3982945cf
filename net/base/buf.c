/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/buf.h"

#include "ocirfs/secret.h"

#include <stdint.h>

enum { FIRST_ROOM = 64 };

void ofs_buf_init(struct ofs_buf *b, size_t limit)
{
    *b = (struct ofs_buf){ .limit = limit };
}

void ofs_buf_done(struct ofs_buf *b)
{
    free(b->data);
    ofs_buf_init(b, b->limit);
}

void ofs_buf_wipe(struct ofs_buf *b)
{
    ofs_wipe(b->data, b->room);
    ofs_buf_done(b);
}

void ofs_buf_reset(struct ofs_buf *b)
{
    b->len = 0;
    b->failed = 0;
    if (b->data)
        b->data[0] = '\0';
}

/*
 * Not realloc: it may leave the old bytes behind in freed memory, and only the
 * end of the buffer's life, wipe or done, tells whether they were a secret.
 */
static int move_to(struct ofs_buf *b, size_t room)
{
    char *fresh = malloc(room);

    if (!fresh)
        return b->failed = -ENOMEM;
    if (b->data)
        memcpy(fresh, b->data, b->len + 1);
    ofs_wipe(b->data, b->room);
    free(b->data);
    b->data = fresh;
    b->room = room;
    return 0;
}

/* Room for `len` more bytes and the NUL. */
static int reserve(struct ofs_buf *b, size_t len)
{
    size_t need, room = b->room < FIRST_ROOM ? FIRST_ROOM : b->room;

    if (b->failed)
        return b->failed;
    if (len > b->limit - b->len)
        return b->failed = -EFBIG;
    if (len >= SIZE_MAX - b->len)
        return b->failed = -ENOMEM;
    need = b->len + len + 1;
    if (need <= b->room)
        return 0;
    while (room < need)
        room = room > SIZE_MAX / 2 ? need : room * 2;
    if (room - 1 > b->limit)
        room = b->limit + 1;
    return move_to(b, room);
}

int ofs_buf_add(struct ofs_buf *b, const void *data, size_t len)
{
    int r = reserve(b, len);

    if (r < 0)
        return r;
    if (len > 0)
        memcpy(b->data + b->len, data, len);
    b->len += len;
    b->data[b->len] = '\0';
    return 0;
}

int ofs_buf_adds(struct ofs_buf *b, const char *text)
{
    return ofs_buf_add(b, text, strlen(text));
}

int ofs_buf_addc(struct ofs_buf *b, char c)
{
    return ofs_buf_add(b, &c, 1);
}

/* A printf of its own kind: 0 because its arguments are a list. */
OFS_PRINTF(3, 0)
static int add_formatted(struct ofs_buf *b, int len, const char *fmt,
                         va_list ap)
{
    int r;

    if (len < 0) /* more than INT_MAX bytes */
        return b->failed = -EFBIG;
    r = reserve(b, (size_t)len);
    if (r < 0)
        return r;
    (void)vsnprintf(b->data + b->len, (size_t)len + 1, fmt, ap);
    b->len += (size_t)len;
    return 0;
}

int ofs_buf_addf(struct ofs_buf *b, const char *fmt, ...)
{
    va_list ap, again;
    int r;

    if (b->failed)
        return b->failed;
    va_start(ap, fmt);
    va_copy(again, ap);
    r = add_formatted(b, vsnprintf(NULL, 0, fmt, ap), fmt, again);
    va_end(again);
    va_end(ap);
    return r;
}

void ofs_buf_trim(struct ofs_buf *b)
{
    while (b->len > 0 && b->data[b->len - 1] &&
           strchr(" \t\r\n\v\f", b->data[b->len - 1]))
        b->data[--b->len] = '\0';
}

const char *ofs_buf_str(const struct ofs_buf *b)
{
    return b->data ? b->data : "";
}

char *ofs_buf_take(struct ofs_buf *b)
{
    char *text;

    /* So that an empty text is memory of the caller's, too. */
    if (ofs_buf_add(b, "", 0) < 0)
        return NULL;
    text = b->data;
    ofs_buf_init(b, b->limit);
    return text;
}
