/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/metrics.h"

#include <stdbool.h>

/* Only ever grows, at its head, so it is read without a lock. */
static struct ofs_metric *_Atomic first;

static void join_list(struct ofs_metric *m)
{
    if (atomic_load_explicit(&m->listed, memory_order_relaxed) ||
        atomic_exchange(&m->listed, true))
        return;
    m->next = atomic_load(&first);
    while (!atomic_compare_exchange_weak(&first, &m->next, m))
        continue;
}

void ofs_metric_add(struct ofs_metric *m, int64_t n)
{
    (void)atomic_fetch_add_explicit(&m->value, n, memory_order_relaxed);
    join_list(m);
}

void ofs_metric_set(struct ofs_metric *m, int64_t value)
{
    atomic_store_explicit(&m->value, value, memory_order_relaxed);
    join_list(m);
}

int64_t ofs_metric_get(const char *name)
{
    for (struct ofs_metric *m = atomic_load(&first); m; m = m->next)
        if (strcmp(m->name, name) == 0)
            return atomic_load_explicit(&m->value, memory_order_relaxed);
    return 0;
}

/* A name without its labels. */
static size_t family_len(const char *name)
{
    return strcspn(name, "{");
}

static bool same_family(const struct ofs_metric *a, const struct ofs_metric *b)
{
    size_t len = family_len(a->name);

    return len == family_len(b->name) && strncmp(a->name, b->name, len) == 0;
}

/*
 * By family, then by name.  By name alone "a_b" would come between "a" and
 * "a{x}", and the format wants the lines of a family together.
 */
static int compare(const void *a, const void *b)
{
    const struct ofs_metric *x = *(struct ofs_metric *const *)a;
    const struct ofs_metric *y = *(struct ofs_metric *const *)b;
    size_t x_len = family_len(x->name), y_len = family_len(y->name);
    int order = strncmp(x->name, y->name, x_len < y_len ? x_len : y_len);

    if (order == 0)
        order = (x_len > y_len) - (x_len < y_len);
    return order ? order : strcmp(x->name, y->name);
}

static void dump_one(struct ofs_buf *b, const struct ofs_metric *m,
                     const struct ofs_metric *before)
{
    int len = (int)family_len(m->name);

    if (!before || !same_family(before, m))
        (void)ofs_buf_addf(b, "# HELP %.*s %s\n# TYPE %.*s %s\n", len, m->name,
                           m->help, len, m->name, m->type);
    (void)ofs_buf_addf(
        b, "%s %lld\n", m->name,
        (long long)atomic_load_explicit(&m->value, memory_order_relaxed));
}

int ofs_metrics_dump(struct ofs_buf *b)
{
    struct ofs_metric *head = atomic_load(&first);
    OFS_AUTOFREE struct ofs_metric **sorted = NULL;
    size_t n = 0, i = 0;

    for (struct ofs_metric *m = head; m; m = m->next)
        n++;
    if (n == 0)
        return b->failed;
    sorted = calloc(n, sizeof(struct ofs_metric *));
    if (!sorted)
        return -ENOMEM;
    for (struct ofs_metric *m = head; m; m = m->next)
        sorted[i++] = m;
    qsort(sorted, n, sizeof(struct ofs_metric *), compare);
    for (i = 0; i < n; i++)
        dump_one(b, sorted[i], i > 0 ? sorted[i - 1] : NULL);
    return b->failed;
}
