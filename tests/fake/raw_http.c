/* SPDX-License-Identifier: Apache-2.0 */
#include "raw_http.h"

#include "fake_priv.h"

#include "ocirfs/str.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>

enum { GIVE_UP_S = 20, HEAD_MAX = 256 * 1024, BODY_MAX = 256 * 1024 * 1024 };

static int try_open(int port)
{
    struct sockaddr_in to = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct timeval limit = { .tv_sec = GIVE_UP_S };
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    fake_must(fd >= 0, "no socket");
    (void)setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    if (connect(fd, (struct sockaddr *)&to, sizeof(to)) == 0)
        return fd;
    (void)close(fd);
    return -1;
}

int raw_open(int port)
{
    int fd = try_open(port);

    fake_must(fd >= 0, "no connection");
    return fd;
}

bool raw_is_refused(int port)
{
    int fd = try_open(port);

    if (fd >= 0)
        (void)close(fd);
    return fd < 0;
}

void raw_send(int fd, const char *text)
{
    size_t len = strlen(text);

    fake_must(send(fd, text, len, MSG_NOSIGNAL) == (ssize_t)len, "cannot send");
}

void raw_ask(int fd, const char *method, const char *target,
             const char *headers)
{
    OFS_AUTOFREE char *text = fake_strf(
        "%s %s HTTP/1.1\r\nHost: fake\r\n%s\r\n", method, target, headers);

    raw_send(fd, text);
}

/* Some more bytes; false: the end or an error, then in a->error. */
static bool more(int fd, struct raw_answer *a, struct ofs_buf *b, size_t want)
{
    char piece[64 * 1024];
    ssize_t n = recv(fd, piece, want < sizeof(piece) ? want : sizeof(piece), 0);

    if (n < 0)
        a->error = errno;
    if (n <= 0)
        return false;
    fake_must(ofs_buf_add(b, piece, (size_t)n) == 0, "answer too long");
    return true;
}

struct raw_answer raw_read(int fd, bool with_body)
{
    struct raw_answer a = { .head = OFS_BUF_INIT(HEAD_MAX),
                            .body = OFS_BUF_INIT(BODY_MAX) };
    OFS_AUTOFREE char *length = NULL;
    uint64_t len = UINT64_MAX, status;

    while (!ofs_str_ends(ofs_buf_str(&a.head), "\r\n\r\n")) {
        if (!more(fd, &a, &a.head, 1))
            return a;
    }
    if (ofs_str_starts(ofs_buf_str(&a.head), "HTTP/1.1 ")) {
        char text[4] = "";

        memcpy(text, a.head.data + 9, 3);
        a.status = ofs_str_u64(text, &status) == 0 ? (int)status : 0;
    }
    length = raw_header(&a, "Content-Length");
    if (length && ofs_str_u64(length, &len) < 0)
        len = UINT64_MAX;
    while (with_body && a.body.len < len) {
        if (!more(fd, &a, &a.body, len - a.body.len)) {
            if (len != UINT64_MAX && a.error == 0)
                a.error = EPIPE;
            break;
        }
    }
    return a;
}

struct raw_answer raw_get(int port, const char *target, const char *headers)
{
    OFS_AUTOCLOSE int fd = raw_open(port);

    raw_ask(fd, "GET", target, headers);
    return raw_read(fd, true);
}

void raw_done(struct raw_answer *a)
{
    ofs_buf_done(&a->head);
    ofs_buf_done(&a->body);
}

char *raw_header(const struct raw_answer *a, const char *name)
{
    const char *lines = strstr(ofs_buf_str(&a->head), "\r\n");
    struct fake_request like = { .headers = NULL };
    OFS_AUTOFREE char *copy = fake_strdup(lines ? lines + 2 : "");

    like.headers = copy;
    return fake_request_header(&like, name);
}
