/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include "progress.h"

#include "ocirfs/clock.h"
#include "ocirfs/harmless.h"
#include "ocirfs/log.h"
#include "ocirfs/metrics.h"
#include "ocirfs/push.h"
#include "ocirfs/registry.h"
#include "ocirfs/store.h"

#include <time.h>

enum { MAX_TRANSFERS = 64 };

static void add_time(struct ofs_buf *b, int64_t at_s)
{
    time_t t = (time_t)at_s;
    char text[32];
    struct tm tm;

    if (gmtime_r(&t, &tm) &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        (void)ofs_buf_adds(b, text);
}

/* A row of a text that a user chose, who may have put anything into it. */
static void add_row(struct ofs_buf *b, const char *title, const char *text)
{
    OFS_AUTOFREE char *shown = strdup(text);

    if (!shown) {
        b->failed = -ENOMEM;
        return;
    }
    ofs_harmless(shown);
    (void)ofs_buf_addf(b, "%-12s%s\n", title, shown);
}

static void add_registry(const struct ofs_status *s, struct ofs_buf *b)
{
    struct ofs_registry_health health;

    ofs_registry_health(s->registry, &health);
    (void)ofs_buf_adds(b, "registry    ");
    if (health.up) {
        (void)ofs_buf_adds(b, "answers\n");
        return;
    }
    (void)ofs_buf_adds(b, "does not answer (since ");
    add_time(b, health.down_since_s);
    (void)ofs_buf_addf(b, "): %s\n", health.why);
}

static void add_cache(const struct ofs_status *s, struct ofs_buf *b)
{
    struct ofs_store_stat st;
    char used[16], limit[16], left[16];

    ofs_store_stat(s->store, &st);
    add_row(b, "cache", s->cache_dir);
    (void)ofs_buf_addf(
        b, "            %s used, limit %s, %s free; %s\n",
        ofs_str_human(st.used_bytes, used),
        st.max_bytes ? ofs_str_human(st.max_bytes, limit) : "none",
        ofs_str_human(st.free_bytes, left),
        st.caching ? "caching" : "not caching: no room, or a failing disk");
    if (st.n_quarantined)
        (void)ofs_buf_addf(b, "            %llu damaged blobs in quarantine\n",
                           (unsigned long long)st.n_quarantined);
    (void)ofs_buf_addf(b, "open blobs  %llu\n", (unsigned long long)st.n_open);
}

static void add_staging(const struct ofs_status *s, struct ofs_buf *b)
{
    struct ofs_push_stat st;
    char used[16], limit[16];

    ofs_push_stat(s->push, &st);
    (void)ofs_buf_addf(
        b, "staging     %s used, limit %s; files: %llu, pending: %llu\n",
        ofs_str_human(st.staged_bytes, used),
        st.max_bytes ? ofs_str_human(st.max_bytes, limit) : "none",
        (unsigned long long)st.n_drafts, (unsigned long long)st.n_pending);
}

static void add_traffic(struct ofs_buf *b)
{
    char fetched[16], served[16];
    int64_t in = ofs_metric_get("ocirfs_http_received_bytes_total");
    int64_t out = ofs_metric_get("ocirfs_store_read_bytes_total");

    (void)ofs_buf_addf(
        b, "traffic     %lld requests to the registry, %s received, %s read\n",
        (long long)ofs_metric_get("ocirfs_http_requests_total"),
        ofs_str_human((uint64_t)in, fetched),
        ofs_str_human((uint64_t)out, served));
    (void)ofs_buf_addf(b, "errors      %lld (see .ocirfs/errors)\n",
                       (long long)ofs_metric_get("ocirfs_fuse_errors_total"));
}

static int render_status(void *arg, struct ofs_buf *b)
{
    const struct ofs_status *s = arg;

    (void)ofs_buf_addf(b, "ocirfs      %s, process %d, mounted ", OFS_VERSION,
                       (int)getpid());
    add_time(b, s->since_s);
    (void)ofs_buf_addc(b, '\n');
    add_row(b, "source", s->source);
    add_row(b, "mount", s->mountpoint);
    add_registry(s, b);
    add_cache(s, b);
    if (s->push)
        add_staging(s, b);
    add_traffic(b);
    return b->failed;
}

static int render_metrics(void *arg, struct ofs_buf *b)
{
    (void)arg;
    return ofs_metrics_dump(b);
}

static int render_errors(void *arg, struct ofs_buf *b)
{
    (void)arg;
    return ofs_log_recent(b);
}

/* ---- transfers ---- */

static int add_fetching(struct ofs_store *store, struct ofs_buf *b)
{
    OFS_AUTOFREE struct ofs_transfer *t = calloc(MAX_TRANSFERS, sizeof(*t));
    size_t n;

    if (!t)
        return -ENOMEM;
    n = ofs_store_transfers(store, t, MAX_TRANSFERS);
    for (size_t i = 0; i < n; i++) {
        struct ofs_progress p = { .done = t[i].done,
                                  .size = t[i].size,
                                  .rate_bytes = t[i].rate_bytes };

        (void)ofs_digest_format(&t[i].digest, p.what);
        (void)snprintf(p.where, sizeof(p.where), "%s", t[i].name);
        (void)ofs_progress_print(&p, b);
    }
    return b->failed;
}

static int add_sending(struct ofs_push *push, struct ofs_buf *b)
{
    OFS_AUTOFREE struct ofs_sending *s = calloc(MAX_TRANSFERS, sizeof(*s));
    size_t n;

    if (!s)
        return -ENOMEM;
    n = ofs_push_sending(push, s, MAX_TRANSFERS);
    for (size_t i = 0; i < n; i++) {
        struct ofs_progress p = { .up = true,
                                  .done = s[i].sent,
                                  .size = s[i].size,
                                  .rate_bytes = s[i].rate_bytes };

        (void)snprintf(p.what, sizeof(p.what), "%s", s[i].what);
        (void)snprintf(p.where, sizeof(p.where), "%s", s[i].repo);
        (void)ofs_progress_print(&p, b);
    }
    return b->failed;
}

static int render_transfers(void *arg, struct ofs_buf *b)
{
    const struct ofs_status *s = arg;
    int r = add_fetching(s->store, b);

    if (r == 0 && s->push)
        r = add_sending(s->push, b);
    return r;
}

static int render_pending(void *arg, struct ofs_buf *b)
{
    const struct ofs_status *s = arg;

    return s->push ? ofs_push_render_pending(s->push, b) : 0;
}

void ofs_status_init(struct ofs_status *s)
{
    const struct ofs_control_file files[] = {
        { "status", render_status, s },   { "metrics", render_metrics, s },
        { "errors", render_errors, s },   { "transfers", render_transfers, s },
        { "pending", render_pending, s }, { 0 },
    };

    _Static_assert(sizeof(files) == sizeof(s->files), "room for all");
    memcpy(s->files, files, sizeof(files));
}
