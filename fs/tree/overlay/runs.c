/* SPDX-License-Identifier: Apache-2.0 */
#include "runs.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>

/* More are forgotten, all at once: what is not remembered is not refused. */
enum { MAX_EVENTS = 64 * 1024 };

struct run_set {
    uint64_t at;
    int process;
    int parent; /* 0: it was set by its name */
};

struct run_list {
    uint64_t at;
};

struct run_key {
    char text[2 * NAME_MAX + 16];
};

static struct run_key list_key(const char *path, int process)
{
    struct run_key k;

    (void)snprintf(k.text, sizeof(k.text), "%s %d", path, process);
    return k;
}

static struct run_key set_key(const char *path, const char *tag)
{
    struct run_key k;

    (void)snprintf(k.text, sizeof(k.text), "%s %s", path, tag);
    return k;
}

int ofs_runs_init(struct ofs_runs *runs)
{
    ofs_mutex_init(&runs->mtx, OFS_RANK_NODE);
    runs->lists = ofs_map_new();
    runs->sets = ofs_map_new();
    return runs->lists && runs->sets ? 0 : -ENOMEM;
}

void ofs_runs_done(struct ofs_runs *runs)
{
    if (!runs->lists)
        return;
    ofs_map_free(runs->lists, free);
    ofs_map_free(runs->sets, free);
    ofs_mutex_done(&runs->mtx);
}

/* With runs->mtx held: `value`, which is the map's then, or freed. */
static void put_event(struct ofs_map **map, const struct run_key *k,
                      void *value)
{
    struct ofs_map *fresh;
    void *old = NULL;

    if (ofs_map_count(*map) >= MAX_EVENTS && (fresh = ofs_map_new())) {
        ofs_map_free(*map, free);
        *map = fresh;
    }
    if (ofs_map_put(*map, k->text, value, &old) < 0)
        old = value;
    free(old);
}

void ofs_runs_listed(struct ofs_runs *runs, const char *path, int process)
{
    struct run_key k = list_key(path, process);
    struct run_list *l = calloc(1, sizeof(*l));

    if (!l)
        return;
    OFS_GUARD(&runs->mtx);
    l->at = ++runs->now;
    put_event(&runs->lists, &k, l);
}

void ofs_runs_named(struct ofs_runs *runs, const char *path, const char *tag,
                    int process, int parent)
{
    struct run_key k = set_key(path, tag);
    struct run_set *s = calloc(1, sizeof(*s));

    if (!s)
        return;
    s->process = process;
    s->parent = parent;
    OFS_GUARD(&runs->mtx);
    s->at = ++runs->now;
    put_event(&runs->sets, &k, s);
}

void ofs_runs_set(struct ofs_runs *runs, const char *path, const char *tag,
                  int process)
{
    ofs_runs_named(runs, path, tag, process, /* parent= */ 0);
}

/* False: nobody has set it here. */
static bool find_set(struct ofs_runs *runs, const char *path, const char *tag,
                     int process, struct run_set *ret, uint64_t *ret_listed)
{
    struct run_key list = list_key(path, process), set = set_key(path, tag);
    const struct run_list *l;
    const struct run_set *s;

    OFS_GUARD(&runs->mtx);
    l = ofs_map_get(runs->lists, list.text);
    s = ofs_map_get(runs->sets, set.text);
    if (!s)
        return false;
    *ret = *s;
    *ret_listed = l ? l->at : 0;
    return true;
}

enum ofs_runs_answer ofs_runs_may_remove(struct ofs_runs *runs,
                                         const char *path, const char *tag,
                                         int process, int (*parent_of)(int))
{
    struct run_set set;
    uint64_t listed = 0;

    if (!find_set(runs, path, tag, process, &set, &listed))
        return OFS_RUNS_YES;
    if (set.parent == 0 && set.process == process)
        return OFS_RUNS_YES;
    if (listed > 0 && listed < set.at)
        return OFS_RUNS_STALE;
    if (set.parent == process && parent_of(set.process) == process)
        return OFS_RUNS_OWN;
    return OFS_RUNS_YES;
}
