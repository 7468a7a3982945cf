/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include "app_priv.h"
#include "daemonize.h"
#include "mountpoint.h"
#include "signals.h"

#include "ocirfs/clock.h"
#include "ocirfs/ops.h"
#include "ocirfs/push.h"
#include "ocirfs/registry.h"
#include "ocirfs/store.h"
#include "ocirfs/tree.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

enum {
    EXIT_TROUBLE = 1,
    /*
     * The HTTP engine tells a silent server first, and so the registry's client
     * learns of it and the next reads fail at once.  The store's own watch is
     * for sources that do not notice.
     */
    STALL_SLACK_MS = 10 * 1000,
};

static void on_damaged(void *arg, const struct ofs_digest *digest)
{
    struct ofs_app *a = arg;
    char text[OFS_DIGEST_TEXT_MAX];

    ofs_log(OFS_ERROR,
            "store: %.19s is damaged: the registry sent bytes that do not have "
            "this digest; they were put into quarantine",
            ofs_digest_format(digest, text));
    if (a->session)
        ofs_session_drop_pages(a->session, digest);
}

static void warn(void *arg, const char *sentence)
{
    (void)arg;
    ofs_log(OFS_WARN, "%s", sentence);
}

static int build_files(struct ofs_app *a, struct ofs_err *err)
{
    const struct ofs_store_cfg store = {
        .dir = a->o->cache_dir,
        .max_bytes = a->o->cache_bytes,
        .min_free_pct = a->o->cache_fsfree_pct,
        .verify = a->o->verify,
        /* The network gives up first: it knows whom that speaks against. */
        .read_timeout_ms = 2 * a->o->timeout_ms,
        .clock = &ofs_system_clock,
        .damaged = on_damaged,
        .damaged_arg = a,
    };
    struct ofs_tree_cfg tree = {
        .url = a->ora.registry_url,
        .ocir = ofs_app_oracle_tree(&a->ora),
        .clock = &ofs_system_clock,
        .repos = &a->o->repos,
        .ttl_ms = a->o->ttl_ms,
        .negative_ttl_ms = a->o->ttl_ms < 1000 ? a->o->ttl_ms : 1000,
        .use_mirror = a->o->mirror != NULL,
        .uid = a->o->uid,
        .gid = a->o->gid,
        .umask = a->o->umask,
        .allow_delete = a->o->allow_delete,
        .warn = warn,
        .control = a->status.files,
    };
    int r = ofs_store_open(&store, &a->store, err);

    if (r < 0)
        return ofs_err_wrap(err, r, "option 'cache'");
    a->status.source = a->o->source;
    a->status.mountpoint = a->mountpoint;
    a->status.cache_dir = a->o->cache_dir;
    a->status.registry = a->registry;
    a->status.store = a->store;
    a->status.since_s = ofs_wall_s();
    ofs_status_init(&a->status);
    tree.registry = a->registry;
    tree.store = a->store;
    a->tree = ofs_tree_new(&tree, err);
    return a->tree ? 0 : err->code;
}

static int mount_session(struct ofs_app *a, struct ofs_err *err)
{
    struct ofs_session_cfg cfg = {
        .tree = a->tree,
        .fsname = a->o->source,
        .mountpoint = a->mountpoint,
        .mount_options = &a->mount_options,
        .timeout_ms = a->o->timeout_ms,
        .debug = a->o->debug,
    };

    for (size_t i = 0; i < a->o->kernel.n; i++)
        if (ofs_strv_add(&a->mount_options, a->o->kernel.at[i]) < 0)
            return ofs_err_nomem(err, "the mount options");
    /* The kernel says EROFS best, without asking us. */
    if (a->o->read_only && ofs_strv_add(&a->mount_options, "ro") < 0)
        return ofs_err_nomem(err, "the mount options");
    return ofs_session_mount(&cfg, &a->session, err);
}

static int start_threads(struct ofs_app *a, struct ofs_err *err)
{
    int r = ofs_registry_start(a->registry, err);

    if (r == 0)
        r = ofs_store_start(a->store, err);
    if (r == 0)
        r = ofs_tree_start(a->tree, err);
    if (r == 0 && a->push)
        r = ofs_push_start(a->push, err);
    return r;
}

static int build_app(struct ofs_app *a, struct ofs_err *err)
{
    int r = ofs_mountpoint_check(a->o->mountpoint, &a->mountpoint, err);

    if (r == 0)
        r = ofs_app_build_net(a, err);
    if (r == 0)
        r = build_files(a, err);
    if (r == 0)
        r = ofs_app_build_push(a, err);
    if (r == 0)
        r = ofs_app_check_net(a, err);
    if (r == 0)
        r = mount_session(a, err);
    if (r == 0)
        r = start_threads(a, err);
    return r;
}

/*
 * The network ends first, so that nothing that still waits for it can hold up
 * the way out; then from the top layer down.  The session is freed when the
 * store has no threads any more that could tell it of damage.
 */
static void take_down(struct ofs_app *a)
{
    ofs_app_stop_net(a);
    if (a->session)
        ofs_session_stop(a->session);
    if (a->push)
        ofs_push_stop(a->push);
    if (a->tree)
        ofs_tree_stop(a->tree);
    if (a->store)
        ofs_store_stop(a->store);
    if (a->registry)
        ofs_registry_stop(a->registry);
    ofs_session_free(a->session);
    ofs_tree_free(a->tree); /* its files are drafts of push */
    ofs_push_free(a->push);
    ofs_store_free(a->store);
    ofs_app_free_net(a);
    ofs_strv_done(&a->mount_options);
    free(a->mountpoint);
}

static int serve(struct ofs_app *a, struct ofs_daemon *daemon,
                 struct ofs_err *err)
{
    int r = build_app(a, err);

    if (r < 0)
        return r;
    ofs_log_init(a->o->log_level,
                 a->o->foreground ? OFS_LOG_STDERR : OFS_LOG_SYSLOG);
    ofs_log(OFS_INFO, "mounted '%s' on '%s'", a->o->source, a->mountpoint);
    ofs_daemon_ready(daemon);
    r = ofs_session_run(a->session, err);
    ofs_log(OFS_INFO, "unmounted '%s'", a->mountpoint);
    return r;
}

/* Tokens are in our memory: no core file, and no peeking by others. */
static void harden(const struct ofs_options *o)
{
    const struct rlimit none = { 0 };

    if (o->debug)
        return;
    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0);
}

static const char *next_step(const struct ofs_options *o, int r)
{
    if (o->bg || (r != -EHOSTUNREACH && r != -ECONNREFUSED && r != -ETIMEDOUT))
        return "";
    return "; is the network up? -o bg mounts all the same and waits for it";
}

int ofs_app_run(const struct ofs_options *o, const struct ofs_env *env)
{
    struct ofs_app a = { .o = o, .env = env };
    struct ofs_daemon daemon = { .pipe = -1 };
    struct ofs_err err = { 0 };
    int status = 0;
    int r = 0;

    ofs_log_init(o->log_level, OFS_LOG_STDERR);
    if (!o->foreground)
        r = ofs_daemon_begin(&daemon, &status);
    if (r == 1)
        return status;
    if (r < 0) {
        r = ofs_err_errno(&err, -r, "going to the background");
    } else {
        harden(o);
        ofs_signals_tame(o->foreground);
        r = serve(&a, &daemon, &err);
    }
    take_down(&a);
    if (r == 0)
        return 0;
    (void)fprintf(stderr, "ocirfs: %s%s\n", err.text, next_step(o, r));
    return EXIT_TROUBLE;
}
