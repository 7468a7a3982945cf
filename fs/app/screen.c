/* SPDX-License-Identifier: Apache-2.0 */
#include "screen.h"

#include <sys/ioctl.h>

enum {
    USUAL_COLUMNS = 80,
    USUAL_ROWS = 24,
    MIN_COLUMNS = 20, /* less is no size, but a terminal that does not know */
    MIN_ROWS = 4,
    MAX_BYTES = 1024 * 1024,
};

#define CLEAR_ALL   "\033[H\033[J"
#define CLEAR_BELOW "\033[J"

void ofs_screen_init(struct ofs_screen *s, int fd, const char *term)
{
    *s = (struct ofs_screen){ .fd = fd };
    s->redraws = isatty(fd) && term && *term && strcmp(term, "dumb") != 0;
}

static int write_all(int fd, const char *text, size_t len)
{
    while (len > 0) {
        ssize_t n = write(fd, text, len);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

void ofs_screen_measure(struct ofs_screen *s)
{
    unsigned columns = USUAL_COLUMNS, rows = USUAL_ROWS;
    struct winsize size;

    if (!s->redraws)
        return;
    if (ioctl(s->fd, TIOCGWINSZ, &size) == 0 && size.ws_col >= MIN_COLUMNS &&
        size.ws_row >= MIN_ROWS) {
        columns = size.ws_col;
        rows = size.ws_row;
    }
    /* Lines may have been folded: nobody knows how many to go up. */
    if (s->drawn > 0 && (columns != s->columns || rows != s->rows)) {
        (void)write_all(s->fd, CLEAR_ALL, strlen(CLEAR_ALL));
        s->drawn = 0;
    }
    s->columns = columns;
    s->rows = rows;
}

/* Bytes of the first `columns` characters of a line. */
static size_t fitting(const char *line, size_t len, unsigned columns)
{
    size_t i = 0;

    while (i < len) {
        if ((line[i] & 0xc0) != 0x80 && columns-- == 0)
            break;
        i++;
    }
    return i;
}

static unsigned count_lines(const char *text)
{
    unsigned n = 0;

    for (; *text; n++)
        text += strcspn(text, "\n"), text += *text == '\n';
    return n;
}

int ofs_screen_fit(const char *text, unsigned columns, unsigned rows,
                   struct ofs_buf *b)
{
    unsigned n = count_lines(text);
    unsigned shown = n <= rows ? n : rows - 1;

    for (unsigned i = 0; i < shown; i++) {
        size_t len = strcspn(text, "\n");

        (void)ofs_buf_add(b, text, fitting(text, len, columns));
        (void)ofs_buf_addc(b, '\n');
        text += len + (text[len] == '\n');
    }
    if (shown < n)
        (void)ofs_buf_addf(b, "... and %u more\n", n - shown);
    return b->failed;
}

static int draw(struct ofs_screen *s, const char *text)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MAX_BYTES);

    if (s->drawn > 0)
        (void)ofs_buf_addf(&b, "\033[%uA\r" CLEAR_BELOW, s->drawn);
    /* The last row is where the cursor rests. */
    if (ofs_screen_fit(text, s->columns, s->rows - 1, &b) < 0)
        return b.failed;
    s->drawn = count_lines(ofs_buf_str(&b));
    return write_all(s->fd, b.data, b.len);
}

int ofs_screen_show(struct ofs_screen *s, const char *text, struct ofs_err *err)
{
    int r = s->redraws ? draw(s, text) : write_all(s->fd, text, strlen(text));

    return r < 0 ? ofs_err_errno(err, -r, "standard output") : 0;
}
