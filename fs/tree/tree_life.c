/* SPDX-License-Identifier: Apache-2.0 */
/* A tree is put together here, started and stopped. */
#include "ocirfs/tree.h"

#include "ocirfs/clock.h"
#include "ocirfs/registry.h"

#include "ocir.h"
#include "plain.h"
#include "repo_state.h"
#include "tag_ask.h"
#include "view.h"
#include "view_dir.h"

_Static_assert((int)OFS_ROOT_INO == (int)OFS_NODES_ROOT, "the root's number");

/* How long an unmount may take for what is only a request less tomorrow. */
enum { FLUSH_MS = 500 };

static void copy_cfg(struct ofs_tree *t, const struct ofs_tree_cfg *cfg)
{
    t->store = cfg->store;
    t->uid = cfg->uid;
    t->gid = cfg->gid;
    t->umask = cfg->umask;
    t->control = cfg->control;
    t->warn = cfg->warn;
    t->warn_arg = cfg->warn_arg;
    t->start_s = ofs_wall_s();
}

/* The kernel knows the root without ever looking it up. */
static int make_root(struct ofs_tree *t)
{
    struct ofs_found root;

    ofs_found_dir(&root, t->space.backend->ops->root, "");
    return ofs_nodes_make_root(&t->nodes, &root.spec);
}

/* What this mount knows by itself. */
static int init_local(struct ofs_tree *t)
{
    int r = ofs_new_repos_init(&t->new_repos);

    if (r == 0)
        r = ofs_overlay_init(&t->overlay);
    if (r == 0)
        r = ofs_runs_init(&t->runs);
    return r < 0 ? r : ofs_failures_init(&t->failures, &t->nodes);
}

static struct ofs_backend *new_plain(struct ofs_tree *t,
                                     const struct ofs_tree_cfg *cfg)
{
    return ofs_plain_new(&(struct ofs_plain_cfg){
        .sync = &t->sync,
        .store = t->store,
        .registry = cfg->registry,
        .url = t->url,
        .named = cfg->repos,
    });
}

static struct ofs_backend *new_ocir(struct ofs_tree *t,
                                    const struct ofs_tree_cfg *cfg)
{
    return ofs_ocir_new(&(struct ofs_ocir_backend_cfg){
        .sync = &t->sync,
        .store = t->store,
        .ora = cfg->ocir.ora,
        .tenancy = cfg->ocir.tenancy,
        .namespace_name = cfg->ocir.namespace_name,
        .compartment = cfg->ocir.compartment,
        .warn = cfg->ocir.warn,
        .warn_arg = cfg->ocir.warn_arg,
        .named = cfg->repos,
    });
}

static bool vouches(void *arg, const char *path)
{
    struct ofs_tree *t = arg;

    return ofs_ns_vouches(&t->space, path);
}

static void on_left_out(void *arg, const char *path, const char *name,
                        const struct ofs_err *why)
{
    struct ofs_tree *t = arg;
    const char *id = why->request_id;
    OFS_AUTOFREE char *sentence = ofs_strf(
        "%s%s%s%s", why->text, *id ? " [request " : "", id, *id ? "]" : "");
    struct ofs_node_spec dir;
    struct ofs_spot spot;

    ofs_spec_dir(&dir, ofs_ns_scope_of(&t->space, path), path);
    spot.dir = ofs_ino_of(&dir, 0);
    (void)snprintf(spot.name, sizeof(spot.name), "%s", name);
    ofs_failure_note(&t->failures, &spot, why);
    if (t->warn && sentence)
        t->warn(t->warn_arg, sentence);
}

static const struct ofs_repos_hooks repos_hooks = {
    .vouches = vouches,
    .get_tag = ofs_tag_get,
    .left_out = on_left_out,
};

static int init_repos(struct ofs_tree *t, const struct ofs_tree_cfg *cfg)
{
    t->repos = (struct ofs_repos){
        .registry = cfg->registry,
        .store = t->store,
        .sync = &t->sync,
        .pending = &t->pending,
        .new_repos = &t->new_repos,
        .backend = t->space.backend,
        .url = t->url,
        .use_mirror = cfg->use_mirror,
        .hooks = &repos_hooks,
        .hooks_arg = t,
        .base_s = t->start_s,
    };
    return ofs_repos_init(&t->repos);
}

static int init_space(struct ofs_tree *t, const struct ofs_tree_cfg *cfg)
{
    t->space = (struct ofs_space){
        .backend = cfg->ocir.ora ? new_ocir(t, cfg) : new_plain(t, cfg),
        .sync = &t->sync,
        .repos = &t->repos,
        .new_repos = &t->new_repos,
        .overlay = &t->overlay,
        .allow_delete = cfg->allow_delete,
    };
    return t->space.backend ? 0 : -ENOMEM;
}

static int init(struct ofs_tree *t, const struct ofs_tree_cfg *cfg)
{
    const char *url = cfg->url ? cfg->url : ofs_registry_host(cfg->registry);
    const struct ofs_sync_cfg sync = {
        .clock = cfg->clock,
        .ttl_ms = cfg->ttl_ms,
        .negative_ttl_ms = cfg->negative_ttl_ms,
        .max_parallel = cfg->max_parallel,
    };

    copy_cfg(t, cfg);
    t->url = strdup(url);
    if (!t->url || ofs_sync_init(&t->sync, &sync) < 0 ||
        ofs_pending_save_init(&t->pending, t->store, t->sync.batches) < 0 ||
        ofs_nodes_init(&t->nodes) < 0 || init_local(t) < 0)
        return -ENOMEM;
    if (init_space(t, cfg) < 0 || init_repos(t, cfg) < 0)
        return -ENOMEM;
    return make_root(t);
}

struct ofs_tree *ofs_tree_new(const struct ofs_tree_cfg *cfg,
                              struct ofs_err *err)
{
    OFS_AUTO(ofs_tree_freep) struct ofs_tree *t = calloc(1, sizeof(*t));

    if (!t || init(t, cfg) < 0) {
        (void)ofs_err_nomem(err, "the tree");
        return NULL;
    }
    return ofs_take(&t);
}

int ofs_tree_start(struct ofs_tree *t, struct ofs_err *err)
{
    /* Threads are made when the first one is needed. */
    (void)t;
    (void)err;
    return 0;
}

void ofs_tree_stop(struct ofs_tree *t)
{
    ofs_sync_stop(&t->sync);
    ofs_pending_save_flush(&t->pending, FLUSH_MS);
    ofs_repos_flush(&t->repos);
}

void ofs_tree_free(struct ofs_tree *t)
{
    if (!t)
        return;
    /* Batches hold repositories, so they end first. */
    ofs_sync_stop(&t->sync);
    ofs_pending_save_done(&t->pending);
    ofs_backend_free(t->space.backend);
    ofs_failures_done(&t->failures);
    ofs_overlay_done(&t->overlay);
    ofs_runs_done(&t->runs);
    ofs_new_repos_done(&t->new_repos);
    ofs_repos_done(&t->repos);
    ofs_nodes_done(&t->nodes);
    ofs_sync_done(&t->sync);
    free(t->url);
    free(t);
}

int ofs_tree_check(struct ofs_tree *t, struct ofs_call *call,
                   struct ofs_err *err)
{
    struct ofs_backend *b = t->space.backend;

    return b->ops->check ? b->ops->check(b, call, err) : 0;
}
