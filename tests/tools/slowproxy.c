/* SPDX-License-Identifier: Apache-2.0 */

/*
 * A TCP proxy that makes loopback look like a distance.
 *
 *   slowproxy --listen 127.0.0.1:0 --to 127.0.0.1:5000
 *             [--rtt-ms 20] [--rate-bytes 50000000]
 *
 * Every piece that arrives is stamped with the time at which it may leave,
 * half a round trip later: bytes in flight are late, but any number of them
 * may be in flight.  A connection's first bytes wait one round trip more, as
 * they would for its handshake.  The rate holds for each connection, from
 * server to client, as a bucket of a few milliseconds.
 *
 * Prints "listening PORT", and its counters as a line of JSON on SIGUSR1 and
 * at its end (SIGTERM, SIGINT).  A request is a head at a place where HTTP/1.1
 * has one begin; bytes that are not HTTP count as none.
 */

#include "request_scan.h"

#include <arpa/inet.h>
#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <malloc.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum {
    PIECE_MAX = 256 * 1024,
    READS_PER_EVENT = 4, /* so that one connection does not starve the rest */
    FLIGHT_MAX = 32 * 1024 * 1024, /* queued for one direction */
    EVENTS = 64,
    BACKLOG = 512,
};

static const int64_t second_ns = 1000000000;
static const int64_t never_ns = INT64_MAX;

enum side { CLIENT, SERVER }; /* of the proxy; also the direction from there */

struct piece {
    struct piece *next;
    int64_t due_ns;
    size_t off, len; /* sent, and all of it; len 0: end of the stream */
    char data[];
};

struct way {
    struct piece *head, **tail;
    size_t queued;   /* bytes */
    bool ended;      /* the end of the stream was read */
    bool shut;       /* and passed on */
    bool blocked;    /* the receiver takes no more for now */
    int64_t paid_ns; /* the bucket: all bytes until then are paid for */
};

struct conn {
    struct conn *next, **link;
    struct end {
        struct conn *conn;
        enum side side;
        int fd;
        uint32_t armed;
    } end[2];
    struct way way[2]; /* by the side that it comes from */
    int64_t open_ns;   /* from then on bytes may set out */
    bool connecting, dead;
    struct request_scan scan;
};

static struct {
    struct sockaddr_in to;
    int64_t half_ns, rate; /* of the round trip; bytes/s, 0: any */
    int epoll_fd, listen_fd, signal_fd;
    struct conn *conns, *graves;
    uint64_t connections, open, requests, bytes[2];
} proxy;

static int64_t now_ns(void)
{
    struct timespec ts;

    (void)clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * second_ns + ts.tv_nsec;
}

static void die(const char *what)
{
    (void)fprintf(stderr, "slowproxy: %s: %s\n", what, strerror(errno));
    exit(1);
}

/* Decimal digits; what follows them is not looked at. */
static int64_t number(const char *s)
{
    int64_t n = 0;

    for (; *s >= '0' && *s <= '9'; s++)
        n = n * 10 + (*s - '0');
    return n;
}

/* ---- one connection ---- */

/* Nothing wanted means not watched: EPOLLHUP cannot be masked otherwise. */
static void arm(struct end *e, uint32_t events)
{
    struct epoll_event ev = { .events = events, .data.ptr = e };
    int op = !events     ? EPOLL_CTL_DEL
             : !e->armed ? EPOLL_CTL_ADD
                         : EPOLL_CTL_MOD;

    if (events == e->armed)
        return;
    e->armed = events;
    if (epoll_ctl(proxy.epoll_fd, op, e->fd, &ev) < 0)
        die("epoll_ctl");
}

static bool is_limited(enum side from)
{
    return proxy.rate > 0 && from == SERVER;
}

/* Most bytes that a way may hold: its length times its width, and some. */
static size_t flight_max(enum side from)
{
    double seconds = (double)proxy.half_ns / 1e9 + 0.02;
    double bytes = (double)proxy.rate * seconds + PIECE_MAX;

    return is_limited(from) && bytes < FLIGHT_MAX ? (size_t)bytes : FLIGHT_MAX;
}

static void rearm(struct conn *c)
{
    for (enum side s = CLIENT; s <= SERVER; s++) {
        const struct way *in = &c->way[s], *out = &c->way[!s];
        uint32_t events = 0;

        if (s == SERVER && c->connecting) {
            arm(&c->end[s], EPOLLOUT);
            continue;
        }
        if (!in->ended && in->queued < flight_max(s))
            events |= EPOLLIN;
        if (out->blocked)
            events |= EPOLLOUT;
        arm(&c->end[s], events);
    }
}

static void bury(struct conn *c, bool reset)
{
    struct linger now = { .l_onoff = 1, .l_linger = 0 };

    if (c->dead)
        return;
    c->dead = true;
    proxy.open--;
    for (enum side s = CLIENT; s <= SERVER; s++) {
        if (reset)
            (void)setsockopt(c->end[s].fd, SOL_SOCKET, SO_LINGER, &now,
                             sizeof(now));
        (void)close(c->end[s].fd);
    }
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->next = proxy.graves;
    proxy.graves = c;
}

/* Freed only when no event of the batch can point to them any more. */
static void free_graves(void)
{
    struct conn *c;
    struct piece *p;

    while ((c = proxy.graves)) {
        proxy.graves = c->next;
        for (enum side s = CLIENT; s <= SERVER; s++) {
            while ((p = c->way[s].head)) {
                c->way[s].head = p->next;
                free(p);
            }
        }
        free(c);
    }
}

/* Bytes that the bucket of this way lets through now. */
static size_t allowance(struct way *w, enum side from, int64_t now)
{
    int64_t burst_ns = 4000000;
    double bytes;

    if (!is_limited(from))
        return SIZE_MAX;
    if (w->paid_ns < now - burst_ns)
        w->paid_ns = now - burst_ns;
    bytes = (double)(now - w->paid_ns) * (double)proxy.rate / 1e9;
    return bytes > 0 ? (size_t)bytes : 0;
}

static void pay(struct way *w, enum side from, size_t n)
{
    if (is_limited(from))
        w->paid_ns += (int64_t)((double)n * 1e9 / (double)proxy.rate);
}

/* A millisecond's worth: less is not sent by itself unless it is the rest. */
static size_t quantum(const struct piece *p)
{
    size_t least = (size_t)(proxy.rate / 1000) + 1;

    return p->len - p->off < least ? p->len - p->off : least;
}

enum sent { SENT, NOT_NOW, BROKEN };

/* Pass on what the first piece and the bucket allow. */
static enum sent send_some(struct conn *c, enum side from, int64_t now)
{
    struct way *w = &c->way[from];
    struct piece *p = w->head;
    size_t room = allowance(w, from, now), left = p->len - p->off;
    ssize_t n;

    if (p->len == 0) {
        (void)shutdown(c->end[!from].fd, SHUT_WR);
        w->shut = true;
        return SENT;
    }
    if (is_limited(from) && room < quantum(p))
        return NOT_NOW;
    n = send(c->end[!from].fd, p->data + p->off, left < room ? left : room,
             MSG_NOSIGNAL | MSG_DONTWAIT);
    w->blocked = n < 0 && errno == EAGAIN;
    if (n < 0)
        return w->blocked ? NOT_NOW : BROKEN;
    pay(w, from, (size_t)n);
    p->off += (size_t)n;
    w->queued -= (size_t)n;
    return SENT;
}

/* Pass on what is due.  False: the connection is gone. */
static bool pump(struct conn *c, enum side from, int64_t now)
{
    struct way *w = &c->way[from];
    enum sent sent = SENT;
    struct piece *p;

    while (sent == SENT && (p = w->head) && p->due_ns <= now &&
           !c->connecting) {
        sent = send_some(c, from, now);
        if (sent != SENT || p->off < p->len)
            continue;
        w->head = p->next;
        if (!w->head)
            w->tail = &w->head;
        free(p);
    }
    if (sent == BROKEN || (c->way[CLIENT].shut && c->way[SERVER].shut))
        bury(c, sent == BROKEN);
    return !c->dead;
}

static void enqueue(struct conn *c, enum side from, struct piece *p,
                    int64_t now)
{
    struct way *w = &c->way[from];

    p->next = NULL;
    p->due_ns = (now > c->open_ns ? now : c->open_ns) + proxy.half_ns;
    w->queued += p->len;
    *w->tail = p;
    w->tail = &p->next;
}

/* Read a piece of what lies there.  False: nothing, the end, or an error. */
static bool read_piece(struct conn *c, enum side from, int64_t now)
{
    struct way *w = &c->way[from];
    int waiting = 0;
    struct piece *p;
    ssize_t n;

    (void)ioctl(c->end[from].fd, FIONREAD, &waiting);
    waiting = waiting < 1 ? 1 : waiting > PIECE_MAX ? PIECE_MAX : waiting;
    p = malloc(sizeof(*p) + (size_t)waiting);
    if (!p)
        die("malloc");
    *p = (struct piece){ .next = NULL };
    n = recv(c->end[from].fd, p->data, (size_t)waiting, MSG_DONTWAIT);
    if (n < 0) {
        free(p);
        if (errno != EAGAIN && errno != EINTR)
            bury(c, true);
        return false;
    }
    p->len = (size_t)n;
    w->ended = n == 0;
    proxy.bytes[from] += (uint64_t)n;
    if (from == CLIENT)
        proxy.requests += request_scan_feed(&c->scan, p->data, p->len);
    enqueue(c, from, p, now);
    return n > 0;
}

/* False: the connection could not be made and is gone. */
static bool finish_connect(struct conn *c)
{
    int error = 0;
    socklen_t len = sizeof(error);

    (void)getsockopt(c->end[SERVER].fd, SOL_SOCKET, SO_ERROR, &error, &len);
    c->connecting = false;
    if (error)
        bury(c, true);
    return !error;
}

static void on_event(struct end *e, uint32_t events, int64_t now)
{
    struct conn *c = e->conn;

    if (c->dead)
        return;
    if (e->side == SERVER && c->connecting && !finish_connect(c))
        return;
    for (int i = 0; (events & EPOLLIN) && i < READS_PER_EVENT; i++) {
        if (!read_piece(c, e->side, now) || !pump(c, e->side, now))
            break;
    }
    if (c->dead || !pump(c, CLIENT, now) || !pump(c, SERVER, now))
        return;
    rearm(c);
}

static void admit(int64_t now)
{
    int client =
        accept4(proxy.listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    int server = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    struct conn *c = calloc(1, sizeof(*c));
    int one = 1;

    if (!c || server < 0)
        die("no room for a connection");
    if (client < 0) {
        (void)close(server);
        free(c);
        return;
    }
    (void)connect(server, (struct sockaddr *)&proxy.to, sizeof(proxy.to));
    for (enum side s = CLIENT; s <= SERVER; s++) {
        c->end[s] = (struct end){ .conn = c,
                                  .side = s,
                                  .fd = s == CLIENT ? client : server };
        c->way[s].tail = &c->way[s].head;
        (void)setsockopt(c->end[s].fd, IPPROTO_TCP, TCP_NODELAY, &one,
                         sizeof(one));
    }
    c->connecting = true;
    c->open_ns = now + 2 * proxy.half_ns;
    c->next = proxy.conns;
    c->link = &proxy.conns;
    if (c->next)
        c->next->link = &c->next;
    proxy.conns = c;
    proxy.connections++;
    proxy.open++;
    rearm(c);
}

/* ---- the loop ---- */

/* When pump() has something to do that no event will tell of. */
static int64_t next_ns(const struct conn *c, enum side from)
{
    const struct way *w = &c->way[from];
    int64_t due, paid;

    if (!w->head || w->blocked || c->connecting)
        return never_ns;
    due = w->head->due_ns;
    if (!is_limited(from) || w->head->len == 0)
        return due;
    paid = w->paid_ns +
           (int64_t)((double)quantum(w->head) * 1e9 / (double)proxy.rate) +
           1000;
    return due > paid ? due : paid;
}

/* Do what is due; the time of what is due next. */
static int64_t run_due(int64_t now)
{
    int64_t next = never_ns;
    struct conn *c, *after;

    for (c = proxy.conns; c; c = after) {
        after = c->next;
        for (enum side s = CLIENT; s <= SERVER && !c->dead; s++) {
            if (next_ns(c, s) <= now && pump(c, s, now))
                rearm(c);
        }
        for (enum side s = CLIENT; s <= SERVER && !c->dead; s++) {
            int64_t at = next_ns(c, s);

            next = at < next ? at : next;
        }
    }
    return next;
}

static void print_counters(void)
{
    (void)printf("{\"connections\": %" PRIu64 ", \"open\": %" PRIu64
                 ", \"requests\": %" PRIu64 ", \"bytes_up\": %" PRIu64
                 ", \"bytes_down\": %" PRIu64 "}\n",
                 proxy.connections, proxy.open, proxy.requests,
                 proxy.bytes[CLIENT], proxy.bytes[SERVER]);
    (void)fflush(stdout);
}

/* False: the end. */
static bool on_signal(void)
{
    struct signalfd_siginfo info;

    if (read(proxy.signal_fd, &info, sizeof(info)) != sizeof(info))
        return true;
    print_counters();
    return info.ssi_signo == SIGUSR1;
}

static void run(void)
{
    struct epoll_event events[EVENTS];
    struct timespec wait;
    bool go_on = true;

    while (go_on) {
        int64_t now = now_ns(), next = run_due(now);
        int64_t ns = next == never_ns ? 3600 * second_ns : next - now_ns();
        int n;

        free_graves();
        ns = ns < 0 ? 0 : ns;
        wait = (struct timespec){ ns / second_ns, ns % second_ns };
        n = epoll_pwait2(proxy.epoll_fd, events, EVENTS, &wait, NULL);
        now = now_ns();
        for (int i = 0; i < n; i++) {
            if (events[i].data.ptr == &proxy.listen_fd)
                admit(now);
            else if (events[i].data.ptr == &proxy.signal_fd)
                go_on = on_signal();
            else
                on_event(events[i].data.ptr, events[i].events, now);
        }
    }
}

/* ---- start ---- */

/* "127.0.0.1:5000" */
static struct sockaddr_in address(char *text)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    char *colon = strrchr(text, ':');

    errno = EINVAL;
    if (!colon)
        die(text);
    *colon = '\0';
    a.sin_port = htons((uint16_t)number(colon + 1));
    if (inet_pton(AF_INET, text, &a.sin_addr) != 1)
        die(text);
    return a;
}

static void listen_on(struct sockaddr_in at)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &proxy.listen_fd };
    socklen_t len = sizeof(at);
    int one = 1;

    proxy.listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(proxy.listen_fd, SOL_SOCKET, SO_REUSEADDR, &one,
                     sizeof(one));
    if (bind(proxy.listen_fd, (struct sockaddr *)&at, len) < 0 ||
        listen(proxy.listen_fd, BACKLOG) < 0 ||
        getsockname(proxy.listen_fd, (struct sockaddr *)&at, &len) < 0 ||
        epoll_ctl(proxy.epoll_fd, EPOLL_CTL_ADD, proxy.listen_fd, &ev) < 0)
        die("cannot listen");
    (void)printf("listening %d\n", ntohs(at.sin_port));
    (void)fflush(stdout);
}

static void catch_signals(void)
{
    struct epoll_event ev = { .events = EPOLLIN, .data.ptr = &proxy.signal_fd };
    sigset_t set;

    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGUSR1);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &set, NULL);
    proxy.signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    if (proxy.signal_fd < 0 ||
        epoll_ctl(proxy.epoll_fd, EPOLL_CTL_ADD, proxy.signal_fd, &ev) < 0)
        die("cannot catch signals");
}

static void parse(int argc, char **argv, struct sockaddr_in *at)
{
    static const struct option options[] = {
        { "listen", required_argument, NULL, 'l' },
        { "to", required_argument, NULL, 't' },
        { "rtt-ms", required_argument, NULL, 'd' },
        { "rate-bytes", required_argument, NULL, 'r' },
        { 0 },
    };
    int o;

    while ((o = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (o == 'l')
            *at = address(optarg);
        else if (o == 't')
            proxy.to = address(optarg);
        else if (o == 'd')
            proxy.half_ns = number(optarg) * 1000000 / 2;
        else if (o == 'r')
            proxy.rate = number(optarg);
        else
            exit(2);
    }
    if (proxy.to.sin_port == 0) {
        (void)fprintf(stderr, "slowproxy: --to HOST:PORT is needed\n");
        exit(2);
    }
}

int main(int argc, char **argv)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    struct rlimit files;

    parse(argc, argv, &at);
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        (void)setrlimit(RLIMIT_NOFILE, &files);
    }
    /* Pieces come and go all the time: keep them out of mmap(). */
    (void)mallopt(M_MMAP_THRESHOLD, 4 * PIECE_MAX);
    (void)mallopt(M_TRIM_THRESHOLD, 2 * FLIGHT_MAX);
    proxy.epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    if (proxy.epoll_fd < 0)
        die("epoll_create1");
    catch_signals();
    listen_on(at);
    run();
    return 0;
}
