/* SPDX-License-Identifier: Apache-2.0 */
#include "progress.h"

#include "ocirfs/harmless.h"

#include <inttypes.h>

enum {
    MINUTE_S = 60,
    HOUR_S = 60 * MINUTE_S,
    DAY_S = 24 * HOUR_S,
    LONGEST_S = 100 * DAY_S, /* beyond it a number tells nothing */
    DIGEST_CHARS = 7 + 12,   /* "sha256:" and what people compare */
};

/* ---- for programs ---- */

/* `what` is one word, whatever it is. */
static void add_word(struct ofs_buf *b, const char *text)
{
    for (; *text; text++)
        (void)ofs_buf_addc(b, *text == ' ' ? '-' : *text);
}

int ofs_progress_print(const struct ofs_progress *p, struct ofs_buf *b)
{
    struct ofs_progress shown = *p;

    ofs_harmless(shown.what);
    ofs_harmless(shown.where);
    (void)ofs_buf_addf(
        b, "%s done=%" PRIu64 " size=%" PRIu64 " rate=%" PRIu64 " what=",
        p->up ? "up" : "down", p->done, p->size, p->rate_bytes);
    add_word(b, shown.what);
    return ofs_buf_addf(b, " where=%s\n", shown.where);
}

static int set_text(const char *value, char *to, size_t room)
{
    size_t len = strlen(value);

    if (len >= room)
        return -EBADMSG;
    memcpy(to, value, len + 1);
    return 0;
}

static int set_word(const char *name, const char *value, struct ofs_progress *p)
{
    if (strcmp(name, "done") == 0)
        return ofs_str_u64(value, &p->done);
    if (strcmp(name, "size") == 0)
        return ofs_str_u64(value, &p->size);
    if (strcmp(name, "rate") == 0)
        return ofs_str_u64(value, &p->rate_bytes);
    if (strcmp(name, "what") == 0)
        return set_text(value, p->what, sizeof(p->what));
    return 0;
}

/* All "name=value" of `words`, up to "where=", which takes the rest. */
static int parse_words(char *words, struct ofs_progress *p)
{
    while (words) {
        char *value = strchr(words, '=');
        char *end;

        if (!value)
            return -EBADMSG;
        *value++ = '\0';
        if (strcmp(words, "where") == 0)
            return set_text(value, p->where, sizeof(p->where));
        end = strchr(value, ' ');
        if (end)
            *end++ = '\0';
        if (set_word(words, value, p) < 0)
            return -EBADMSG;
        words = end;
    }
    return -EBADMSG; /* nowhere */
}

int ofs_progress_parse(const char *line, struct ofs_progress *ret)
{
    struct ofs_progress p = { .up = ofs_str_starts(line, "up ") };
    OFS_AUTOFREE char *words = NULL;
    int r;

    if (!p.up && !ofs_str_starts(line, "down "))
        return -EBADMSG;
    words = strdup(strchr(line, ' ') + 1);
    if (!words)
        return -ENOMEM;
    r = parse_words(words, &p);
    if (r == 0)
        *ret = p;
    return r;
}

/* ---- for people ---- */

/* How many of `of` parts are done, without overflow. */
static unsigned part_of(const struct ofs_progress *p, unsigned of)
{
    if (p->done >= p->size)
        return of;
    if (p->size > UINT64_MAX / of)
        return (unsigned)(p->done / (p->size / of));
    return (unsigned)(p->done * of / p->size);
}

const char *ofs_progress_left(const struct ofs_progress *p, char text[16])
{
    uint64_t left = p->done < p->size ? p->size - p->done : 0;
    uint64_t s = p->rate_bytes ? left / p->rate_bytes : LONGEST_S;
    unsigned n;

    text[0] = '\0';
    if (s >= LONGEST_S)
        return text;
    n = (unsigned)s;
    if (n < MINUTE_S)
        (void)snprintf(text, 16, "%us", n);
    else if (n < HOUR_S)
        (void)snprintf(text, 16, "%um%02us", n / MINUTE_S, n % MINUTE_S);
    else if (n < DAY_S)
        (void)snprintf(text, 16, "%uh%02um", n / HOUR_S, n % HOUR_S / MINUTE_S);
    else
        (void)snprintf(text, 16, "%ud%02uh", n / DAY_S, n % DAY_S / HOUR_S);
    return text;
}

static void add_bar(struct ofs_buf *b, const struct ofs_progress *p,
                    unsigned width)
{
    unsigned full = part_of(p, width);

    (void)ofs_buf_addc(b, '[');
    for (unsigned i = 0; i < width; i++)
        (void)ofs_buf_addc(b, i < full ? '#' : '.');
    (void)ofs_buf_adds(b, "]  ");
}

/* What fits: columns of one width, so that lines stand below each other, and
 * the name last, where it can be cut. */
static const struct layout {
    unsigned columns; /* or more */
    unsigned bar;
    bool sizes, speed;
} layouts[] = {
    { 110, 20, true, true },
    { 66, 16, false, true },
    { 0, 8, false, false },
};

static const struct layout off_screen = { 0, 0, true, true };

static const struct layout *layout_for(unsigned columns)
{
    const struct layout *l = layouts;

    if (columns == 0)
        return &off_screen;
    while (columns < l->columns)
        l++;
    return l;
}

int ofs_progress_draw(const struct ofs_progress *p, unsigned columns,
                      struct ofs_buf *b)
{
    OFS_AUTOBUF struct ofs_buf line = OFS_BUF_INIT(1024);
    const struct layout *l = layout_for(columns);
    char done[16], size[16], rate[16], left[16];
    int what = ofs_str_starts(p->what, "sha") ? DIGEST_CHARS : -1;

    (void)ofs_buf_addf(&line, "%-4s  ", p->up ? "up" : "down");
    if (l->bar)
        add_bar(&line, p, l->bar);
    (void)ofs_buf_addf(&line, "%3u%%  ", part_of(p, 100));
    if (l->sizes)
        (void)ofs_buf_addf(&line, "%10s of %10s  ",
                           ofs_str_human(p->done, done),
                           ofs_str_human(p->size, size));
    if (l->speed)
        (void)ofs_buf_addf(&line, "%10s/s  %6s  ",
                           ofs_str_human(p->rate_bytes, rate),
                           ofs_progress_left(p, left));
    (void)ofs_buf_addf(&line, "%s  %.*s", p->where, what, p->what);
    if (line.failed)
        return line.failed;
    return ofs_buf_addf(b, "%.*s\n",
                        columns && columns < line.len ? (int)columns : -1,
                        ofs_buf_str(&line));
}
