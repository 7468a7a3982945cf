/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_priv.h"

#include "ocirfs/str.h"

enum { LINES_MAX = 1024 * 1024 };

static const char *reason(int status)
{
    switch (status) {
    case 200:
        return "OK";
    case 206:
        return "Partial Content";
    case 307:
        return "Temporary Redirect";
    case 401:
        return "Unauthorized";
    case 404:
        return "Not Found";
    case 429:
        return "Too Many Requests";
    default:
        return "Fake";
    }
}

/* Length of the name in "Name: value". */
static size_t name_len(const char *line)
{
    return strcspn(line, ":\r");
}

/* Call `each` for every line of `lines`; what it appends is the new text. */
typedef void line_fn(struct ofs_buf *out, const char *line, size_t len,
                     const char *arg);

static void rewrite(struct ofs_buf *lines, line_fn *each, const char *arg)
{
    struct ofs_buf out = OFS_BUF_INIT(LINES_MAX);
    const char *end;

    for (const char *p = ofs_buf_str(lines); *p; p = end) {
        end = strstr(p, "\r\n");
        end = end ? end + 2 : p + strlen(p);
        each(&out, p, (size_t)(end - p), arg);
    }
    fake_must(out.failed == 0, "header too long");
    ofs_buf_done(lines);
    *lines = out;
}

static void unless_named(struct ofs_buf *out, const char *line, size_t len,
                         const char *name)
{
    size_t n = name_len(line);

    if (n != name_len(name) || strncasecmp(line, name, n) != 0)
        (void)ofs_buf_add(out, line, len);
}

static void twice(struct ofs_buf *out, const char *line, size_t len,
                  const char *arg)
{
    (void)arg;
    (void)ofs_buf_add(out, line, len);
    (void)ofs_buf_add(out, line, len);
}

static void odd_case(struct ofs_buf *out, const char *line, size_t len,
                     const char *arg)
{
    size_t n = name_len(line);

    (void)arg;
    for (size_t i = 0; i < n; i++) {
        char c = line[i];
        bool letter = (c | 0x20) >= 'a' && (c | 0x20) <= 'z';

        if (letter)
            c = (char)(i % 2 ? c & ~0x20 : c | 0x20);
        (void)ofs_buf_addc(out, c);
    }
    (void)ofs_buf_add(out, line + n, len - n);
}

static void add_line(struct ofs_buf *lines, const char *line)
{
    (void)ofs_buf_adds(lines, line);
    (void)ofs_buf_adds(lines, "\r\n");
}

static void apply(struct ofs_buf *lines, const struct fake_fault *f)
{
    switch (f->kind) {
    case FAKE_NO_CONTENT_LENGTH:
        rewrite(lines, unless_named, "Content-Length");
        break;
    case FAKE_DROP_DIGEST_HEADER:
        rewrite(lines, unless_named, "Docker-Content-Digest");
        break;
    case FAKE_DROP_HEADER:
        rewrite(lines, unless_named, f->text);
        break;
    case FAKE_SET_HEADER:
        rewrite(lines, unless_named, f->text);
        add_line(lines, f->text);
        break;
    case FAKE_DUPLICATE_HEADER:
        if (f->text)
            add_line(lines, f->text);
        else
            rewrite(lines, twice, NULL);
        break;
    case FAKE_ODD_CASE:
        rewrite(lines, odd_case, NULL);
        break;
    default:
        break;
    }
}

/* Content-Range tells where the bytes lie, or lies about it. */
static void add_content_range(const struct fake_answer *a,
                              const struct fake_request *req,
                              struct ofs_buf *lines, uint64_t size)
{
    const struct fake_fault *off =
        fake_request_fault(req, FAKE_WRONG_CONTENT_RANGE);
    const struct fake_fault *more = fake_request_fault(req, FAKE_WRONG_TOTAL);
    uint64_t shift = !off ? 0 : off->n ? (uint64_t)off->n : 1;
    uint64_t add = !more ? 0 : more->n ? (uint64_t)more->n : 1;
    uint64_t first = a->first + shift, last = first + a->span - 1;

    if (a->resp.status == 416)
        (void)ofs_buf_addf(lines, "Content-Range: bytes */%llu\r\n",
                           (unsigned long long)(size + add));
    else if (a->resp.status == 206)
        (void)ofs_buf_addf(lines, "Content-Range: bytes %llu-%llu/%llu\r\n",
                           (unsigned long long)first, (unsigned long long)last,
                           (unsigned long long)(size + add));
}

void fake_head_write(struct fake_answer *a, const struct fake_request *req,
                     uint64_t size)
{
    const struct fake_record *record = (const struct fake_record *)req;
    int status = a->resp.status;
    struct ofs_buf lines OFS_AUTOBUF = OFS_BUF_INIT(LINES_MAX);

    add_content_range(a, req, &lines, size);
    if (status != 204 && status != 304)
        (void)ofs_buf_addf(&lines, "Content-Length: %llu\r\n",
                           (unsigned long long)a->len);
    if (a->resp.ranges)
        (void)ofs_buf_adds(&lines, "Accept-Ranges: bytes\r\n");
    (void)ofs_buf_adds(&lines, ofs_buf_str(&a->resp.headers));
    if (a->end == FAKE_END_CLOSE &&
        !fake_request_fault(req, FAKE_CLOSE_AFTER) &&
        !fake_request_fault(req, FAKE_SHORT_BODY))
        (void)ofs_buf_adds(&lines, "Connection: close\r\n");
    for (unsigned i = 0; i < record->n_faults; i++)
        apply(&lines, record->faults[i]);
    (void)ofs_buf_addf(&a->head, "HTTP/1.1 %d %s\r\n%s\r\n", status,
                       reason(status), ofs_buf_str(&lines));
    fake_must(a->head.failed == 0 && lines.failed == 0, "head too long");
}
