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
    BODY_KEEP = 64 * 1024 * 1024,
    LINGER_MS = 5000,
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

/* A body on its way in. */
struct intake {
    struct ofs_buf kept;
    uint64_t n;        /* bytes that came */
    uint64_t stop_at;  /* read no more than that */
    uint64_t stall_at; /* before more is read */
};

static bool is_stopped(const struct intake *in)
{
    return in->n == in->stop_at;
}

static uint64_t fault_at(const struct fake_request *req,
                         enum fake_fault_kind kind)
{
    const struct fake_fault *f = fake_request_fault(req, kind);

    return f ? (uint64_t)f->n : UINT64_MAX;
}

static void intake_init(struct intake *in, const struct fake_request *req)
{
    uint64_t cut = fault_at(req, FAKE_CUT_REQUEST);
    uint64_t early = fault_at(req, FAKE_EARLY_ANSWER);

    *in = (struct intake){
        .stop_at = cut < early ? cut : early,
        .stall_at = fault_at(req, FAKE_STALL_REQUEST),
    };
    ofs_buf_init(&in->kept, BODY_KEEP);
}

/* How many of `left` bytes may be taken before something else happens. */
static size_t allowed(const struct fake_conn *c, const struct intake *in,
                      uint64_t left)
{
    uint64_t n = c->in.len < left ? c->in.len : left;

    if (n > in->stop_at - in->n)
        n = in->stop_at - in->n;
    if (in->stall_at > in->n && n > in->stall_at - in->n)
        n = in->stall_at - in->n;
    return (size_t)n;
}

/* `left` bytes, or up to where it is to be stopped; false: it ended. */
static bool take(struct fake_conn *c, struct intake *in, uint64_t left)
{
    while (left > 0 && !is_stopped(in)) {
        size_t room = BODY_KEEP - in->kept.len;
        size_t n;

        if (in->n == in->stall_at && !stall(c))
            return false;
        if (in->n == in->stall_at)
            in->stall_at = UINT64_MAX;
        if (c->in.len == 0 && !receive(c))
            return false;
        n = allowed(c, in, left);
        (void)ofs_buf_add(&in->kept, c->in.data, n < room ? n : room);
        consume(&c->in, n);
        in->n += n;
        left -= n;
    }
    return true;
}

/* A line without its end; NULL: the connection ended. */
static char *take_line(struct fake_conn *c)
{
    const char *end;
    char *line;

    while (!(end = memmem(ofs_buf_str(&c->in), c->in.len, "\r\n", 2)))
        if (c->in.len > HEAD_MAX || !receive(c))
            return NULL;
    line = strndup(c->in.data, (size_t)(end - c->in.data));
    fake_must(line != NULL, "no memory");
    consume(&c->in, (size_t)(end - c->in.data) + 2);
    return line;
}

/* The length in front of a chunk; what is no digit ends it. */
static uint64_t chunk_len(const char *line)
{
    static const char digits[] = "0123456789abcdef";
    uint64_t len = 0;
    const char *at;

    for (; *line && (at = strchr(digits, *line | 0x20)); line++)
        len = len * 16 + (uint64_t)(at - digits);
    return len;
}

/* The chunks up to the empty one and its trailers. */
static bool take_chunks(struct fake_conn *c, struct intake *in)
{
    for (uint64_t len = 1; !is_stopped(in);) {
        OFS_AUTOFREE char *line = take_line(c);

        if (!line)
            return false;
        if (len == 0 && *line == '\0')
            return true;
        if (len == 0)
            continue;
        len = chunk_len(line);
        if (!take(c, in, len) || is_stopped(in))
            return is_stopped(in);
        if (len > 0)
            free(take_line(c));
    }
    return true;
}

static bool take_body(struct fake_conn *c, const struct fake_request *req,
                      struct intake *in)
{
    OFS_AUTOFREE char *length = fake_request_header(req, "Content-Length");
    OFS_AUTOFREE char *coding = fake_request_header(req, "Transfer-Encoding");
    OFS_AUTOFREE char *expect = fake_request_header(req, "Expect");
    uint64_t len = 0;

    if (coding && (length || !ofs_str_ieq(coding, "chunked")))
        return false;
    if (length && ofs_str_u64(length, &len) < 0)
        return false;
    if ((coding || len > 0) && expect &&
        !send_all(c, "HTTP/1.1 100 Continue\r\n\r\n", 25))
        return false;
    return coding ? take_chunks(c, in) : take(c, in, len);
}

static bool read_body(struct fake_conn *c, struct fake_request *req)
{
    struct intake in;
    bool whole;

    intake_init(&in, req);
    whole = take_body(c, req, &in);
    req->body_len = in.n;
    req->cut = is_stopped(&in);
    req->body = in.kept.len > 0 ? ofs_buf_take(&in.kept) : fake_strdup("");
    ofs_buf_done(&in.kept);
    return whole;
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
    if (parse_head(c, &record->req)) {
        c->released = releases(c->hub, 0);
        fake_rules_choose(c->hub->rules, record);
        if (read_body(c, &record->req))
            return record;
    }
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

/*
 * A peer that is still sending would lose our answer if we just closed: the
 * kernel answers what nobody reads with a reset.
 */
static void linger(struct fake_conn *c)
{
    int64_t until = ofs_mono_ms() + LINGER_MS;
    char waste[16 * 1024];
    ssize_t n = 1;

    (void)shutdown(c->fd, SHUT_WR);
    while (n != 0 && ofs_mono_ms() < until && wait_for(c, POLLIN, 100)) {
        n = recv(c->fd, waste, sizeof(waste), MSG_DONTWAIT);
        if (n < 0 && errno != EAGAIN && errno != EINTR)
            return;
    }
}

/* What was acted upon, but is not told. */
static bool is_lost(const struct fake_request *req)
{
    return fake_request_fault(req, FAKE_LOSE_ANSWER) ||
           fake_request_fault(req, FAKE_CUT_REQUEST);
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
    if (is_lost(req)) {
        c->reset = true;
        return false;
    }
    if (fake_request_fault(req, FAKE_STALL_ANSWER) && !stall(c))
        return false;
    if (!send_head(c, &a) || !send_body(c, &a))
        return false;
    c->reset = a.end == FAKE_END_RESET;
    if (c->reset)
        flush(c);
    if (req->cut)
        linger(c);
    return a.end == FAKE_END_KEEP && !req->cut;
}

static bool serve_one(struct fake_conn *c)
{
    struct fake_record *record = read_request(c);
    bool keep;

    if (!record)
        return false;
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
