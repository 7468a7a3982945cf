/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "resphead.h"

/* All lines of `text`; the number of heads that it was told are complete. */
static int feed(struct ofs_resphead *h, const char *text)
{
    int complete = 0;

    while (*text) {
        size_t len = strcspn(text, "\n") + 1;
        int r = ofs_resphead_line(h, text, len);

        if (r < 0)
            return r;
        complete += r;
        text += len;
    }
    return complete;
}

static void a_head_is_put_together_from_its_lines(void **state)
{
    static const struct {
        const char *text;
        int complete, status;
        size_t n;
        const char *x; /* value of X; NULL: absent */
    } rows[] = {
        { "HTTP/1.1 200 OK\r\nX: a\r\nY: b\r\n\r\n", 1, 200, 2, "a" },
        { "HTTP/2 206 \r\nx:a\r\n\r\n", 1, 206, 1, "a" },
        { "HTTP/1.0 404\r\n\r\n", 1, 404, 0, NULL },
        { "HTTP/1.1 200 OK\nX: a\n\n", 1, 200, 1, "a" },
        { "HTTP/1.1 200 OK\r\nX: \t a b \t\r\n\r\n", 1, 200, 1, "a b" },
        { "HTTP/1.1 200 OK\r\nX:\r\n\r\n", 1, 200, 1, "" },
        { "HTTP/1.1 200 OK\r\nX : a\r\n\r\n", 1, 200, 1, "a" },
        { "HTTP/1.1 200 OK\r\nX: a:b\r\n\r\n", 1, 200, 1, "a:b" },
        /* No field, and no harm. */
        { "HTTP/1.1 200 OK\r\njunk\r\n: y\r\nX: a\r\n\r\n", 1, 200, 1, "a" },
        /* Folded. */
        { "HTTP/1.1 200 OK\r\nX: a\r\n  b\r\n\tc \r\n\r\n", 1, 200, 1,
          "a b c" },
        { "HTTP/1.1 200 OK\r\nX: a\r\n \r\n\r\n", 1, 200, 1, "a" },
        { "HTTP/1.1 200 OK\r\n folded\r\nX: a\r\n\r\n", 1, 200, 1, "a" },
        /* Interim answers, and a proxy's. */
        { "HTTP/1.1 100 Continue\r\nX: no\r\n\r\n"
          "HTTP/1.1 201 Created\r\nX: a\r\n\r\n",
          1, 201, 1, "a" },
        { "HTTP/1.1 103 Early Hints\r\nLink: b\r\n\r\n"
          "HTTP/1.1 103 Early Hints\r\nLink: c\r\n\r\n"
          "HTTP/1.1 200 OK\r\n\r\n",
          1, 200, 0, NULL },
        { "HTTP/1.1 407 Auth\r\nX: no\r\n\r\nHTTP/1.1 200 OK\r\nX: a\r\n\r\n",
          2, 200, 1, "a" },
        { "HTTP/1.1 102 Processing\r\n\r\n", 0, 102, 0, NULL },
        /* Not complete. */
        { "HTTP/1.1 200 OK\r\nX: a\r\n", 0, 200, 1, "a" },
        { "", 0, 0, 0, NULL },
        /* Trailers of an empty body. */
        { "HTTP/1.1 200 OK\r\nX: a\r\n\r\nX: b\r\nY: c\r\n\r\n", 1, 200, 1,
          "a" },
        /* Not a status line. */
        { "HTTP/x 200 OK\r\nX: a\r\n\r\n", 0, 0, 0, NULL },
        { "HTTP/1.1 20 OK\r\nX: a\r\n\r\n", 0, 0, 0, NULL },
        { "HTTP/1.1 abc\r\nX: a\r\n\r\n", 0, 0, 0, NULL },
        { "HTTP/1.1\r\nX: a\r\n\r\n", 0, 0, 0, NULL },
        { "HTTP/1.1 20\r\n\r\n", 0, 0, 0, NULL },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_resphead h = { 0 };
        const char *x;

        assert_int_equal(feed(&h, rows[i].text), rows[i].complete);
        assert_int_equal(h.status, rows[i].status);
        assert_int_equal(h.headers.n, rows[i].n);
        x = ofs_headers_get(&h.headers, "X");
        if (rows[i].x)
            assert_string_equal(x, rows[i].x);
        else
            assert_null(x);
        ofs_resphead_done(&h);
    }
}

static void behind_the_body_nothing_changes_the_head(void **state)
{
    OFS_AUTO(ofs_resphead_done) struct ofs_resphead h = { 0 };

    (void)state;
    assert_int_equal(feed(&h, "HTTP/1.1 200 OK\r\nX: a\r\n\r\n"), 1);
    ofs_resphead_freeze(&h);
    assert_int_equal(feed(&h, "X: b\r\n\r\n"), 0);
    assert_int_equal(feed(&h, "HTTP/1.1 500 No\r\nX: c\r\n\r\n"), 0);
    assert_int_equal(h.status, 200);
    assert_string_equal(ofs_headers_get(&h.headers, "X"), "a");
}

static void a_head_has_limits(void **state)
{
    OFS_AUTO(ofs_resphead_done) struct ofs_resphead h = { 0 };
    int r = 0, n = 0;

    (void)state;
    assert_int_equal(feed(&h, "HTTP/1.1 200 OK\r\n"), 0);
    while (r == 0 && n < 1000) {
        r = feed(&h, "X: a\r\n");
        n++;
    }
    assert_int_equal(r, -EFBIG);
    assert_int_equal(n, OFS_HEADERS_MAX + 1);
    /* A new head begins to count anew; folding counts as well. */
    assert_int_equal(feed(&h, "HTTP/1.1 200 OK\r\nX: a\r\n"), 0);
    for (r = 0, n = 0; r == 0 && n < 100; n++)
        r = feed(&h, " 0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789"
                     "0123456789012345678901234567890123456789\r\n");
    assert_int_equal(r, -EFBIG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_head_is_put_together_from_its_lines),
        cmocka_unit_test(behind_the_body_nothing_changes_the_head),
        cmocka_unit_test(a_head_has_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
