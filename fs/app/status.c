/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include "ocirfs/clock.h"
#include "ocirfs/log.h"
#include "ocirfs/metrics.h"
#include "ocirfs/registry.h"
#include "ocirfs/store.h"

#include <time.h>

enum { MAX_TRANSFERS = 64, BAR_WIDTH = 20 };

static void add_time(struct ofs_buf *b, int64_t at_s)
{
    time_t t = (time_t)at_s;
    char text[32];
    struct tm tm;

    if (gmtime_r(&t, &tm) &&
        strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm) > 0)
        (void)ofs_buf_adds(b, text);
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
    (void)ofs_buf_adds(b, "does not answer since ");
    add_time(b, health.down_since_s);
    (void)ofs_buf_addf(b, ": %s\n", health.why);
}

static void add_cache(const struct ofs_status *s, struct ofs_buf *b)
{
    struct ofs_store_stat st;
    char used[16], limit[16], left[16];

    ofs_store_stat(s->store, &st);
    (void)ofs_buf_addf(b, "cache       %s\n", s->cache_dir);
    (void)ofs_buf_addf(
        b, "            %s used, limit %s, %s free; %s\n",
        ofs_str_human(st.used_bytes, used),
        st.max_bytes ? ofs_str_human(st.max_bytes, limit) : "none",
        ofs_str_human(st.free_bytes, left),
        st.caching ? "caching" : "not caching: the disk is full or failing");
    if (st.n_quarantined)
        (void)ofs_buf_addf(b, "            %llu damaged blobs in quarantine\n",
                           (unsigned long long)st.n_quarantined);
    (void)ofs_buf_addf(b, "open blobs  %llu\n", (unsigned long long)st.n_open);
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
    (void)ofs_buf_addf(b, "\nsource      %s\nmount       %s\n", s->source,
                       s->mountpoint);
    add_registry(s, b);
    add_cache(s, b);
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

static void add_bar(struct ofs_buf *b, uint64_t done, uint64_t size)
{
    uint64_t full = size ? done * BAR_WIDTH / size : BAR_WIDTH;

    (void)ofs_buf_addc(b, '[');
    for (uint64_t i = 0; i < BAR_WIDTH; i++)
        (void)ofs_buf_addc(b, i < full ? '#' : '.');
    (void)ofs_buf_addc(b, ']');
}

static void add_transfer(struct ofs_buf *b, const struct ofs_transfer *t)
{
    char done[16], size[16], rate[16], digest[OFS_DIGEST_TEXT_MAX];
    uint64_t left = t->size - (t->done < t->size ? t->done : t->size);

    (void)ofs_digest_format(&t->digest, digest);
    (void)ofs_buf_addf(b, "%-19.19s %-24s ", digest, t->name);
    add_bar(b, t->done, t->size);
    (void)ofs_buf_addf(b, " %s of %s, %s/s", ofs_str_human(t->done, done),
                       ofs_str_human(t->size, size),
                       ofs_str_human(t->rate_bytes, rate));
    if (t->rate_bytes > 0)
        (void)ofs_buf_addf(b, ", %llu s left",
                           (unsigned long long)(left / t->rate_bytes));
    (void)ofs_buf_addf(b, ", %u ranges\n", t->n_ranges);
}

static int render_transfers(void *arg, struct ofs_buf *b)
{
    const struct ofs_status *s = arg;
    OFS_AUTOFREE struct ofs_transfer *t = calloc(MAX_TRANSFERS, sizeof(*t));
    size_t n;

    if (!t)
        return -ENOMEM;
    n = ofs_store_transfers(s->store, t, MAX_TRANSFERS);
    for (size_t i = 0; i < n; i++)
        add_transfer(b, &t[i]);
    return b->failed;
}

void ofs_status_init(struct ofs_status *s)
{
    const struct ofs_control_file files[] = {
        { "status", render_status, s },
        { "metrics", render_metrics, s },
        { "errors", render_errors, s },
        { "transfers", render_transfers, s },
        { 0 },
    };

    _Static_assert(sizeof(files) == sizeof(s->files), "room for all");
    memcpy(s->files, files, sizeof(files));
}
