/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/str.h"

#include <linux/sockios.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

enum {
    HEAD_MAX = 64 * 1024,
    BODY_KEEP = 16 * 1024 * 1024,
    SEND_STEP = 256 * 1024,
    FLUSH_MS = 2000,
};

struct fake_conn {
    struct fake_hub *hub;
    pthread_t thread;
    int fd;      /* its thread only */
    int wake_fd; /* eventfd: look at `ended` and hub->releases */
    unsigned number;
    _Atomic bool ended; /* somebody wants it gone */
    _Atomic bool over;  /* the thread touches nothing any more */
    bool reset;         /* its thread only: end with RST */
    bool answering;     /* its thread only: counted as such in the log */
    unsigned released;  /* its thread only: hub->releases as last seen */
    struct ofs_buf in;  /* its thread only: received, not yet used */
    char *piece;        /* its thread only: SEND_STEP bytes */
};

/*
 * Wait for events on the socket; false when the connection is to end, or,
 * unless the caller reads or writes and so finds out, when the peer left.
 */
static bool wait_for(struct fake_conn *c, short events, int timeout_ms)
{
    struct pollfd p[2] = { { .fd = c->fd, .events = events },
                           { .fd = c->wake_fd, .events = POLLIN } };
    short gone = POLLERR | POLLHUP | POLLRDHUP;
    eventfd_t count;

    (void)poll(p, OFS_COUNT_OF(p), timeout_ms);
    if (p[1].revents)
        (void)eventfd_read(c->wake_fd, &count);
    if (!(events & (POLLIN | POLLOUT)) && (p[0].revents & gone))
        return false;
    return !atomic_load(&c->ended);
}

static bool pause_for(struct fake_conn *c, int64_t ms)
{
    int64_t until = ofs_mono_ms() + ms, left;

    while ((left = until - ofs_mono_ms()) > 0) {
        if (!wait_for(c, 0, (int)left))
            return false;
    }
    return true;
}

static unsigned releases(struct fake_hub *hub, int stalled)
{
    unsigned n;

    (void)pthread_mutex_lock(&hub->mtx);
    hub->stalled += (unsigned)stalled;
    n = hub->releases;
    (void)pthread_cond_broadcast(&hub->changed);
    (void)pthread_mutex_unlock(&hub->mtx);
    return n;
}

/* A release that came between the choice of this fault and now counts, too:
 * nobody can know of a request that it does not stand still yet. */
static bool stall(struct fake_conn *c)
{
    bool alive = true;

    (void)releases(c->hub, 1);
    while (alive && releases(c->hub, 0) == c->released)
        alive = wait_for(c, POLLRDHUP, -1);
    c->released = releases(c->hub, -1);
    return alive;
}

static bool send_all(struct fake_conn *c, const char *data, size_t len)
{
    while (len > 0) {
        ssize_t n = send(c->fd, data, len, MSG_NOSIGNAL | MSG_DONTWAIT);

        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return false;
        if (n < 0 && !wait_for(c, POLLOUT, -1))
            return false;
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return true;
}

/* More bytes into c->in; false at the end of the connection. */
static bool receive(struct fake_conn *c)
{
    char piece[16 * 1024];
    ssize_t n;

    for (;;) {
        n = recv(c->fd, piece, sizeof(piece), MSG_DONTWAIT);
        if (n > 0)
            return ofs_buf_add(&c->in, piece, (size_t)n) == 0;
        if (n == 0 || (errno != EAGAIN && errno != EINTR))
            return false;
        if (!wait_for(c, POLLIN, -1))
            return false;
    }
}

static void consume(struct ofs_buf *b, size_t n)
{
    memmove(b->data, b->data + n, b->len - n);
    b->len -= n;
    b->data[b->len] = '\0';
}

/* "GET /path?query HTTP/1.1" into the request; false: not that. */
static bool parse_first_line(struct fake_request *req, const char *line,
                             size_t len)
{
    const char *end = line + len;
    const char *target = memchr(line, ' ', len);
    const char *version =
        target ? memchr(target + 1, ' ', (size_t)(end - target - 1)) : NULL;

    if (!version)
        return false;
    req->method = strndup(line, (size_t)(target - line));
    req->target = strndup(target + 1, (size_t)(version - target - 1));
    fake_must(req->method && req->target, "no memory");
    req->path = strndup(req->target, strcspn(req->target, "?"));
    fake_must(req->path != NULL, "no memory");
    req->query = fake_strdup(
        strchr(req->target, '?') ? strchr(req->target, '?') + 1 : "");
    return true;
}

/* The head at the start of c->in, if it is one of ours. */
static bool parse_head(struct fake_conn *c, struct fake_request *req)
{
    const char *head = c->in.data;
    const char *end = strstr(head, "\r\n\r\n");
    const char *lines = strstr(head, "\r\n");

    if (!parse_first_line(req, head, (size_t)(lines - head)))
        return false;
    lines += 2;
    req->headers = lines > end ? fake_strdup("")
                               : strndup(lines, (size_t)(end + 2 - lines));
    fake_must(req->headers != NULL, "no memory");
    for (const char *p = req->headers; (p = strstr(p, "\r\n")); p += 2)
        req->n_headers++;
    consume(&c->in, (size_t)(end + 4 - head));
    return true;
}

static bool read_body(struct fake_conn *c, struct fake_request *req)
{
    OFS_AUTOFREE char *length = fake_request_header(req, "Content-Length");
    OFS_AUTOFREE char *expect = fake_request_header(req, "Expect");
    struct ofs_buf body OFS_AUTOBUF = OFS_BUF_INIT(BODY_KEEP);
    uint64_t left = 0;

    if (length && ofs_str_u64(length, &left) < 0)
        return false;
    req->body_len = left;
    if (left > 0 && expect && !send_all(c, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        return false;
    while (left > 0) {
        size_t n = c->in.len < left ? c->in.len : (size_t)left;
        size_t room = BODY_KEEP - body.len;

        if (n == 0 && !receive(c))
            return false;
        if (n == 0)
            continue;
        (void)ofs_buf_add(&body, c->in.data, n < room ? n : room);
        consume(&c->in, n);
        left -= n;
    }
    req->body = fake_strdup(ofs_buf_str(&body));
    return true;
}

/* The next request, whole; NULL when there is none. */
static struct fake_record *read_request(struct fake_conn *c)
{
    struct fake_record *record;

    while (!strstr(ofs_buf_str(&c->in), "\r\n\r\n")) {
        if (c->in.len > HEAD_MAX || !receive(c))
            return NULL;
    }
    record = fake_alloc(sizeof(*record));
    record->req.connection = c->number;
    if (parse_head(c, &record->req) &&
        !fake_request_has(&record->req, "Transfer-Encoding") &&
        read_body(c, &record->req))
        return record;
    fake_record_free(record);
    return NULL;
}

/*
 * Count the request as answered.  To be called before its last byte goes out:
 * the client may ask again as soon as it has that.
 */
static void answered(struct fake_conn *c)
{
    if (c->answering)
        fake_log_answered(c->hub->log);
    c->answering = false;
}

static bool send_head(struct fake_conn *c, const struct fake_answer *a)
{
    if (a->send == 0)
        answered(c);
    if (a->head_ms == 0)
        return send_all(c, a->head.data, a->head.len);
    for (size_t i = 0; i < a->head.len; i++) {
        if (!pause_for(c, a->head_ms) || !send_all(c, a->head.data + i, 1))
            return false;
    }
    return true;
}

/* Bytes to send at `off` before something else is to happen. */
static size_t step_of(const struct fake_answer *a, uint64_t off)
{
    uint64_t step = a->kib_ms ? 1024 : SEND_STEP;
    uint64_t left = a->send - off;

    if (a->stall_at > off && a->stall_at - off < left)
        left = a->stall_at - off;
    return (size_t)(step < left ? step : left);
}

static bool send_body(struct fake_conn *c, const struct fake_answer *a)
{
    uint64_t off = 0;

    while (off < a->send) {
        size_t n = step_of(a, off);

        if (off == a->stall_at && !stall(c))
            return false;
        if (a->kib_ms && !pause_for(c, a->kib_ms))
            return false;
        fake_answer_fill(a, c->piece, n, off);
        fake_log_sent(c->hub->log, n);
        if (off + n == a->send)
            answered(c);
        if (!send_all(c, c->piece, n))
            return false;
        off += n;
    }
    return true;
}

/*
 * Wait until the peer's kernel has all that was sent: RST throws away what is
 * still in our queue.  Nothing tells when that is empty, so it is looked at.
 */
static void flush(struct fake_conn *c)
{
    int64_t until = ofs_mono_ms() + FLUSH_MS;
    int queued = 0;

    while (ioctl(c->fd, SIOCOUTQ, &queued) == 0 && queued > 0 &&
           ofs_mono_ms() < until) {
        if (!wait_for(c, 0, 1))
            return;
    }
}

/* True when the connection is good for another request. */
static bool answer(struct fake_conn *c, const struct fake_request *req)
{
    OFS_AUTO(fake_answer_done) struct fake_answer a = { .len = 0 };

    if (fake_request_fault(req, FAKE_RESET_NOW)) {
        c->reset = true;
        return false;
    }
    if (fake_request_fault(req, FAKE_STALL) && !stall(c))
        return false;
    fake_answer_make(&a, c->hub->rules, req);
    if (!send_head(c, &a) || !send_body(c, &a))
        return false;
    c->reset = a.end == FAKE_END_RESET;
    if (c->reset)
        flush(c);
    return a.end == FAKE_END_KEEP;
}

static bool serve_one(struct fake_conn *c)
{
    struct fake_record *record = read_request(c);
    bool keep;

    if (!record)
        return false;
    c->released = releases(c->hub, 0);
    fake_rules_choose(c->hub->rules, record);
    c->answering = true;
    fake_log_add(c->hub->log, record);
    keep = answer(c, &record->req);
    answered(c);
    return keep;
}

static void *serve(void *arg)
{
    struct fake_conn *c = arg;
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    while (serve_one(c))
        ;
    if (c->reset || atomic_load(&c->ended))
        (void)setsockopt(c->fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
    (void)close(c->fd);
    atomic_store(&c->over, true);
    return NULL;
}

struct fake_conn *fake_conn_start(struct fake_hub *hub, int fd, unsigned number)
{
    struct fake_conn *c = fake_alloc(sizeof(*c));

    c->hub = hub;
    c->fd = fd;
    c->number = number;
    c->piece = fake_alloc(SEND_STEP);
    c->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fake_must(c->wake_fd >= 0, "no eventfd");
    ofs_buf_init(&c->in, 1024 * 1024);
    fake_must(pthread_create(&c->thread, NULL, serve, c) == 0, "no thread");
    return c;
}

bool fake_conn_is_over(struct fake_conn *c)
{
    return atomic_load(&c->over);
}

void fake_conn_kick(struct fake_conn *c)
{
    (void)eventfd_write(c->wake_fd, 1);
}

void fake_conn_free(struct fake_conn *c)
{
    atomic_store(&c->ended, true);
    fake_conn_kick(c);
    (void)pthread_join(c->thread, NULL);
    (void)close(c->wake_fd);
    ofs_buf_done(&c->in);
    free(c->piece);
    free(c);
}
