/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "letters.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <sys/socket.h>
#include <sys/wait.h>

/*
 * TLS and HTTP/2, against nginx on loopback with certificates made for this
 * run.  Skipped where nginx or openssl is not installed.
 */

static const char nginx[] = "/usr/sbin/nginx";
static const char openssl[] = "/usr/bin/openssl";

static struct {
    char dir[64];
    pid_t pid; /* 0: not running */
    int port_h2, port_other, port_old;
    struct fake_server *behind; /* takes the uploads */
} site;

static bool run(const char *const argv[])
{
    static char *const env[] = { "LC_ALL=C", NULL };
    posix_spawn_file_actions_t quiet;
    pid_t pid;
    int status = -1;

    (void)posix_spawn_file_actions_init(&quiet);
    (void)posix_spawn_file_actions_addopen(&quiet, 2, "/dev/null", O_WRONLY, 0);
    if (posix_spawn(&pid, argv[0], &quiet, NULL, (char *const *)(uintptr_t)argv,
                    env) == 0)
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
            ;
    (void)posix_spawn_file_actions_destroy(&quiet);
    return status == 0;
}

static bool make_certificate(const char *name, const char *subject)
{
    OFS_AUTOFREE char *key = ofs_strf("%s/%s.key", site.dir, name);
    OFS_AUTOFREE char *crt = ofs_strf("%s/%s.crt", site.dir, name);
    OFS_AUTOFREE char *alt = ofs_strf("subjectAltName=%s", subject);

    return run((const char *const[]){
        openssl, "req", "-x509", "-newkey", "ec", "-pkeyopt",
        "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj",
        "/CN=ocirfs test", "-addext", alt, "-keyout", key, "-out", crt, NULL });
}

static int free_port(void)
{
    struct sockaddr_in a = { .sin_family = AF_INET };
    socklen_t len = sizeof(a);
    OFS_AUTOCLOSE int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    if (bind(fd, (struct sockaddr *)&a, sizeof(a)) < 0 ||
        getsockname(fd, (struct sockaddr *)&a, &len) < 0)
        return 0;
    return ntohs(a.sin_port);
}

static void add_server(FILE *f, int port, const char *protocol,
                       const char *cert, const char *versions)
{
    fprintf(f,
            "server { listen 127.0.0.1:%d ssl%s; ssl_protocols %s;\n"
            " ssl_ciphers DEFAULT:@SECLEVEL=0;\n"
            " ssl_certificate %s/%s.crt; ssl_certificate_key %s/%s.key;\n"
            " location / { return 200 '$server_protocol $connection'; }\n"
            " proxy_http_version 1.1; proxy_request_buffering off;\n"
            " location /up { client_max_body_size 0; proxy_pass %s; }\n"
            " location /few { client_max_body_size 2k; proxy_pass %s; }\n"
            " location /slow { limit_rate 4k; root %s; } }\n",
            port, protocol, versions, site.dir, cert, site.dir, cert,
            fake_server_url(site.behind), fake_server_url(site.behind),
            site.dir);
}

static bool write_site(void)
{
    OFS_AUTOFREE char *conf = ofs_strf("%s/nginx.conf", site.dir);
    OFS_AUTOFREE char *slow = ofs_strf("%s/slow", site.dir);
    FILE *f = fopen(conf, "we");

    if (!f)
        return false;
    fprintf(f,
            "user root; master_process off; daemon on; pid %s/pid;\n"
            "error_log /dev/null; events { }\n"
            "http { access_log off; client_body_temp_path %s/b;\n"
            "proxy_temp_path %s/p; fastcgi_temp_path %s/f;\n"
            "uwsgi_temp_path %s/u; scgi_temp_path %s/s;\n",
            site.dir, site.dir, site.dir, site.dir, site.dir, site.dir);
    add_server(f, site.port_h2, " http2", "here", "TLSv1.2 TLSv1.3");
    add_server(f, site.port_other, "", "other", "TLSv1.2");
    add_server(f, site.port_old, "", "here", "TLSv1.1");
    fprintf(f, "}\n");
    if (fclose(f) != 0 || !(f = fopen(slow, "we")))
        return false;
    fprintf(f, "%0100000d", 1);
    return fclose(f) == 0;
}

static bool read_pid(void)
{
    OFS_AUTOFREE char *path = ofs_strf("%s/pid", site.dir);
    FILE *f = fopen(path, "re");
    char text[32] = "";
    uint64_t pid;

    if (!f)
        return false;
    (void)!fgets(text, sizeof(text), f);
    (void)fclose(f);
    text[strcspn(text, "\n")] = '\0';
    if (ofs_str_u64(text, &pid) < 0)
        return false;
    site.pid = (pid_t)pid;
    return true;
}

/* nginx leaves the foreground when its sockets listen. */
static int open_site(void **state)
{
    OFS_AUTOFREE char *conf = NULL;

    (void)state;
    if (access(nginx, X_OK) < 0 || access(openssl, X_OK) < 0)
        return 0;
    (void)snprintf(site.dir, sizeof(site.dir), "/tmp/ofs-tls-XXXXXX");
    if (!mkdtemp(site.dir))
        return -1;
    conf = ofs_strf("%s/nginx.conf", site.dir);
    site.behind = fake_server_start();
    fake_server_canned(site.behind, "PUT /up", 201, NULL, NULL);
    site.port_h2 = free_port();
    site.port_other = free_port();
    site.port_old = free_port();
    if (!make_certificate("here", "IP:127.0.0.1") ||
        !make_certificate("other", "DNS:other.test") || !write_site() ||
        !run((const char *const[]){ nginx, "-c", conf, NULL }) || !read_pid())
        return -1;
    return 0;
}

static int close_site(void **state)
{
    DIR *dir = site.dir[0] ? opendir(site.dir) : NULL;
    const struct dirent *e;

    (void)state;
    if (site.pid > 0)
        (void)kill(site.pid, SIGTERM);
    fake_server_free(site.behind);
    while (dir && (e = readdir(dir)))
        (void)unlinkat(dirfd(dir), e->d_name,
                       strlen(e->d_name) == 1 ? AT_REMOVEDIR : 0);
    if (dir)
        (void)closedir(dir);
    (void)rmdir(site.dir);
    return 0;
}

static void need_site(void)
{
    if (site.pid == 0)
        skip();
}

static struct ofs_http *trusting(const char *cert, struct ofs_http_cfg cfg)
{
    OFS_AUTOFREE char *ca = ofs_strf("%s/%s.crt", site.dir, cert);

    cfg.ca_file = ca;
    cfg.no_proxy = true;
    return client(&cfg);
}

static int ask(struct ofs_http *h, int port, const char *target,
               struct ofs_http_resp *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *url = ofs_strf("https://127.0.0.1:%d%s", port, target);

    return perform(h, LONG_MS,
                   &(struct ofs_http_req){ .method = "GET", .url = url }, ret,
                   err);
}

static void a_trusted_server_speaks_http_2(void **state)
{
    AUTOCLIENT *h = NULL;
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct ofs_err err;

    (void)state;
    need_site();
    h = trusting("here", (struct ofs_http_cfg){ 0 });
    assert_int_equal(ask(h, site.port_h2, "/", &resp, &err), 0);
    assert_true(ofs_str_starts(resp.body, "HTTP/2.0 "));
    assert_int_equal(resp.status, 200);
    assert_non_null(ofs_headers_get(&resp.headers, "Content-Length"));
}

static void an_untrusted_server_is_told_from_a_wrong_one(void **state)
{
    AUTOCLIENT *system = NULL;
    AUTOCLIENT *h = NULL;
    struct ofs_http_resp resp;
    OFS_AUTOFREE char *want = NULL;
    struct ofs_err err;

    (void)state;
    need_site();
    system = client(&(struct ofs_http_cfg){ .no_proxy = true });
    want = ofs_strf("127.0.0.1:%d: the server's certificate is not trusted "
                    "(self-signed certificate); give its CA with ca_file=",
                    site.port_h2);
    assert_int_equal(ask(system, site.port_h2, "/", &resp, &err), -EPROTO);
    assert_string_equal(err.text, want);
    h = trusting("other", (struct ofs_http_cfg){ 0 });
    assert_int_equal(ask(h, site.port_other, "/", &resp, &err), -EPROTO);
    assert_non_null(strstr(err.text, "certificate is for another name"));
}

static void old_tls_is_refused(void **state)
{
    AUTOCLIENT *h = NULL;
    struct ofs_http_resp resp;
    struct ofs_err err;

    (void)state;
    need_site();
    h = trusting("here", (struct ofs_http_cfg){ .max_attempts = 1 });
    assert_int_equal(ask(h, site.port_old, "/", &resp, &err), -EPROTO);
    assert_non_null(strstr(err.text, "no TLS: "));
}

static void streams_share_one_connection(void **state)
{
    AUTOCLIENT *h = NULL;
    OFS_AUTOFREE char *url = NULL;
    OFS_AUTORESP struct ofs_http_resp first = { 0 };
    struct background b[32];
    int64_t opened;
    struct ofs_err err;

    (void)state;
    need_site();
    h = trusting("here", (struct ofs_http_cfg){ 0 });
    url = ofs_strf("https://127.0.0.1:%d/", site.port_h2);
    assert_int_equal(ask(h, site.port_h2, "/", &first, &err), 0);
    opened = ofs_metric_get("ocirfs_http_connections_total");
    for (size_t i = 0; i < OFS_COUNT_OF(b); i++)
        background_start(&b[i], h, LONG_MS,
                         &(struct ofs_http_req){ .method = "GET", .url = url });
    for (size_t i = 0; i < OFS_COUNT_OF(b); i++) {
        (void)pthread_join(b[i].thread, NULL);
        assert_int_equal(b[i].r, 0);
        assert_string_equal(b[i].resp.body, first.body);
        ofs_http_resp_done(&b[i].resp);
        ofs_call_done(&b[i].call);
    }
    assert_int_equal(ofs_metric_get("ocirfs_http_connections_total"), opened);
}

static void a_stuck_stream_gives_its_connection_up(void **state)
{
    AUTOCLIENT *h = NULL;
    OFS_AUTORESP struct ofs_http_resp one = { 0 }, two = { 0 }, none = { 0 };
    struct ofs_err err;
    int r;

    (void)state;
    need_site();
    h = trusting("here", (struct ofs_http_cfg){ .stall_timeout_ms = 1200,
                                                .max_attempts = 1 });
    assert_int_equal(ask(h, site.port_h2, "/", &one, &err), 0);
    (void)kill(site.pid, SIGSTOP);
    r = ask(h, site.port_h2, "/", &none, &err);
    (void)kill(site.pid, SIGCONT); /* before anything can fail */
    assert_int_equal(r, -ETIMEDOUT);
    assert_non_null(strstr(err.text, "no byte for 1.2 s"));
    assert_int_equal(ask(h, site.port_h2, "/", &two, &err), 0);
    assert_string_not_equal(one.body, two.body);
}

static void a_connection_that_serves_others_is_kept(void **state)
{
    AUTOCLIENT *h = NULL;
    OFS_AUTORESP struct ofs_http_resp one = { 0 }, two = { 0 };
    OFS_AUTOFREE char *slow = NULL;
    struct background b;
    int64_t received;
    struct ofs_err err;

    (void)state;
    need_site();
    h = trusting("here", (struct ofs_http_cfg){ 0 });
    slow = ofs_strf("https://127.0.0.1:%d/slow", site.port_h2);
    assert_int_equal(ask(h, site.port_h2, "/", &one, &err), 0);
    received = ofs_metric_get("ocirfs_http_received_bytes_total");
    background_start(&b, h, LONG_MS,
                     &(struct ofs_http_req){
                         .method = "GET", .url = slow, .max_body = 1 << 20 });
    while (ofs_metric_get("ocirfs_http_received_bytes_total") == received)
        (void)sched_yield();
    ofs_call_cancel(&b.call);
    assert_int_equal(background_join(&b), -EINTR);
    assert_int_equal(ask(h, site.port_h2, "/", &two, &err), 0);
    assert_string_equal(one.body, two.body);
}

/* Up to `ready` at first; then, when it rests, to its end. */
static int upload(struct ofs_http *h, const char *path, struct letters *l,
                  int *ret_status)
{
    OFS_AUTOFREE char *url =
        ofs_strf("https://127.0.0.1:%d%s", site.port_h2, path);
    struct background b;

    background_start(&b, h, LONG_MS,
                     &(struct ofs_http_req){
                         .method = "PUT", .url = url, .upload = &l->upload });
    await_hunger(l);
    atomic_store(&l->ready, l->end);
    ofs_http_upload_more(h);
    (void)pthread_join(b.thread, NULL);
    *ret_status = b.resp.status;
    ofs_call_done(&b.call);
    ofs_http_resp_done(&b.resp);
    return b.r;
}

static void an_upload_rests_on_http_2_as_well(void **state)
{
    AUTOCLIENT *h = NULL;
    struct letters l;
    int status;

    (void)state;
    need_site();
    h = trusting("here", (struct ofs_http_cfg){ 0 });
    letters_init(&l, 100000, 3000000);
    assert_int_equal(upload(h, "/up", &l, &status), 0);
    assert_int_equal(status, 201);
    assert_true(
        is_whole(fake_server_request(site.behind, "PUT /up", 0), 3000000));
}

/* Nobody feeds it: the refusal alone ends it. */
static void a_refusal_is_heard_on_http_2_as_well(void **state)
{
    AUTOCLIENT *h = NULL;
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    OFS_AUTOFREE char *url = NULL;
    struct letters l;
    struct ofs_http_req req = { .method = "PUT", .upload = &l.upload };
    struct ofs_err err;

    (void)state;
    need_site();
    h = trusting("here", (struct ofs_http_cfg){ 0 });
    url = ofs_strf("https://127.0.0.1:%d/few", site.port_h2);
    req.url = url;
    letters_init(&l, 100000, 3000000);
    assert_int_equal(perform(h, LONG_MS, &req, &resp, &err), 0);
    assert_int_equal(resp.status, 413);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_trusted_server_speaks_http_2),
        cmocka_unit_test(an_untrusted_server_is_told_from_a_wrong_one),
        cmocka_unit_test(old_tls_is_refused),
        cmocka_unit_test(streams_share_one_connection),
        cmocka_unit_test(a_stuck_stream_gives_its_connection_up),
        cmocka_unit_test(a_connection_that_serves_others_is_kept),
        cmocka_unit_test(an_upload_rests_on_http_2_as_well),
        cmocka_unit_test(a_refusal_is_heard_on_http_2_as_well),
    };

    return cmocka_run_group_tests(tests, open_site, close_site);
}
