/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_server.h"

#include "fake_priv.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

enum { CONNS_MAX = 1024, BACKLOG = 512 };

struct fake_server {
    struct fake_hub hub;
    char url[40];
    int port;
    int listen_fd; /* acceptor thread, and start/up/down around its life */
    int wake_fd;
    _Atomic bool accepting;
    pthread_t acceptor;
    bool is_up;
    pthread_mutex_t mtx;                /* taken before hub.mtx */
    struct fake_conn *conns[CONNS_MAX]; /* guarded by mtx */
    unsigned n_conns;                   /* guarded by mtx */
    unsigned n_accepted;                /* guarded by mtx */
};

static void listen_on(struct fake_server *s, int port)
{
    struct sockaddr_in at = { .sin_family = AF_INET,
                              .sin_port = htons((uint16_t)port),
                              .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
    socklen_t len = sizeof(at);
    int one = 1;

    s->listen_fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    fake_must(s->listen_fd >= 0, "no socket");
    (void)setsockopt(s->listen_fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
    fake_must(bind(s->listen_fd, (struct sockaddr *)&at, len) == 0, "no port");
    fake_must(listen(s->listen_fd, BACKLOG) == 0, "cannot listen");
    fake_must(getsockname(s->listen_fd, (struct sockaddr *)&at, &len) == 0,
              "no name for the socket");
    if (port == 0) {
        s->port = ntohs(at.sin_port);
        (void)snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", s->port);
    }
}

/* Free the connections that ended by themselves. */
static void reap(struct fake_server *s)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < s->n_conns; i++) {
        if (fake_conn_is_over(s->conns[i]))
            fake_conn_free(s->conns[i]);
        else
            s->conns[kept++] = s->conns[i];
    }
    s->n_conns = kept;
}

static void admit(struct fake_server *s, int fd)
{
    int one = 1;

    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    (void)pthread_mutex_lock(&s->mtx);
    reap(s);
    fake_must(s->n_conns < CONNS_MAX, "too many connections at once");
    fake_log_connection(s->hub.log);
    s->conns[s->n_conns++] = fake_conn_start(&s->hub, fd, ++s->n_accepted);
    (void)pthread_mutex_unlock(&s->mtx);
}

static void *accept_all(void *arg)
{
    struct fake_server *s = arg;
    struct pollfd p[2] = { { .fd = s->listen_fd, .events = POLLIN },
                           { .fd = s->wake_fd, .events = POLLIN } };

    while (atomic_load(&s->accepting)) {
        (void)poll(p, OFS_COUNT_OF(p), -1);
        if (p[0].revents & POLLIN) {
            int fd = accept4(s->listen_fd, NULL, NULL, SOCK_CLOEXEC);

            if (fd >= 0)
                admit(s, fd);
        }
    }
    return NULL;
}

static void up(struct fake_server *s, int port)
{
    eventfd_t count;

    (void)eventfd_read(s->wake_fd, &count);
    listen_on(s, port);
    atomic_store(&s->accepting, true);
    fake_must(pthread_create(&s->acceptor, NULL, accept_all, s) == 0,
              "no thread");
    s->is_up = true;
}

struct fake_server *fake_server_start(void)
{
    struct fake_server *s = fake_alloc(sizeof(*s));

    (void)pthread_mutex_init(&s->mtx, NULL);
    (void)pthread_mutex_init(&s->hub.mtx, NULL);
    fake_cond_init(&s->hub.changed);
    s->hub.rules = fake_rules_new();
    s->hub.log = fake_log_new();
    s->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    fake_must(s->wake_fd >= 0, "no eventfd");
    up(s, 0);
    return s;
}

void fake_server_down(struct fake_server *s)
{
    struct fake_conn *conns[CONNS_MAX];
    unsigned n;

    if (!s->is_up)
        return;
    atomic_store(&s->accepting, false);
    (void)eventfd_write(s->wake_fd, 1);
    (void)pthread_join(s->acceptor, NULL);
    (void)close(s->listen_fd);
    s->is_up = false;
    (void)pthread_mutex_lock(&s->mtx);
    n = s->n_conns;
    memcpy(conns, s->conns, n * sizeof(*conns));
    s->n_conns = 0;
    (void)pthread_mutex_unlock(&s->mtx);
    for (unsigned i = 0; i < n; i++)
        fake_conn_free(conns[i]);
}

void fake_server_up(struct fake_server *s)
{
    if (!s->is_up)
        up(s, s->port);
}

void fake_server_free(struct fake_server *s)
{
    if (!s)
        return;
    fake_server_down(s);
    (void)close(s->wake_fd);
    fake_rules_free(s->hub.rules);
    fake_log_free(s->hub.log);
    (void)pthread_cond_destroy(&s->hub.changed);
    (void)pthread_mutex_destroy(&s->hub.mtx);
    (void)pthread_mutex_destroy(&s->mtx);
    free(s);
}

const char *fake_server_url(const struct fake_server *s)
{
    return s->url;
}

int fake_server_port(const struct fake_server *s)
{
    return s->port;
}

void fake_server_route(struct fake_server *s, const char *match,
                       fake_handler *handler, void *arg)
{
    fake_rules_route(s->hub.rules, match, handler, arg);
}

void fake_server_canned(struct fake_server *s, const char *match, int status,
                        const char *headers, const char *body)
{
    fake_rules_canned(s->hub.rules, match, status, headers, body);
}

void fake_server_fault(struct fake_server *s, const struct fake_fault *fault)
{
    fake_rules_add(s->hub.rules, fault);
}

void fake_server_no_faults(struct fake_server *s)
{
    fake_rules_retire(s->hub.rules);
}

void fake_server_release(struct fake_server *s)
{
    (void)pthread_mutex_lock(&s->hub.mtx);
    s->hub.releases++;
    (void)pthread_mutex_unlock(&s->hub.mtx);
    (void)pthread_mutex_lock(&s->mtx);
    for (unsigned i = 0; i < s->n_conns; i++)
        fake_conn_kick(s->conns[i]);
    (void)pthread_mutex_unlock(&s->mtx);
}

bool fake_server_wait_stalled(struct fake_server *s, unsigned n,
                              int64_t timeout_ms)
{
    struct timespec until = fake_from_now(timeout_ms);
    bool enough;
    int rc = 0;

    (void)pthread_mutex_lock(&s->hub.mtx);
    while (s->hub.stalled < n && rc == 0)
        rc = pthread_cond_timedwait(&s->hub.changed, &s->hub.mtx, &until);
    enough = s->hub.stalled >= n;
    (void)pthread_mutex_unlock(&s->hub.mtx);
    return enough;
}

unsigned fake_server_count(struct fake_server *s, const char *match)
{
    return fake_log_count(s->hub.log, match);
}

bool fake_server_wait(struct fake_server *s, const char *match, unsigned n,
                      int64_t timeout_ms)
{
    return fake_log_wait(s->hub.log, match, n, timeout_ms);
}

const struct fake_request *fake_server_request(struct fake_server *s,
                                               const char *match, unsigned i)
{
    return fake_log_get(s->hub.log, match, i);
}

void fake_server_clear(struct fake_server *s)
{
    fake_log_clear(s->hub.log);
}

unsigned fake_server_connections(struct fake_server *s)
{
    return fake_log_connections(s->hub.log);
}

unsigned fake_server_peak(struct fake_server *s)
{
    return fake_log_peak(s->hub.log);
}

uint64_t fake_server_body_bytes(struct fake_server *s)
{
    return fake_log_body_bytes(s->hub.log);
}
