/* SPDX-License-Identifier: Apache-2.0 */
#include "ops_priv.h"

#include "ocirfs/log.h"
#include "ocirfs/thread.h"

#include <poll.h>
#include <stdio.h>
#include <sys/mount.h>

enum {
    SESSION_THREADS = 8, /* answer what is known; never wait */
    DEFAULT_WAITING = 128,
    MAX_QUEUED = 16384, /* waiting operations beyond the threads */
    DEFAULT_READAHEAD = 1024 * 1024,
    REQUEST_BYTES = 2 * 1024 * 1024, /* of one thread of libfuse, and more */
    OUT_OF_MEMORY_MS = 100,          /* a pause before the next try */
};

/*
 * libfuse tells its troubles only to a log function of the process.  While we
 * mount they become the text of our error; later they are debug lines.
 */
static _Thread_local struct ofs_err *mount_trouble;

OFS_PRINTF(2, 0)
static void on_fuse_log(enum fuse_log_level level, const char *fmt, va_list ap)
{
    char text[256];

    (void)vsnprintf(text, sizeof(text), fmt, ap);
    text[strcspn(text, "\n")] = '\0';
    if (mount_trouble && level <= FUSE_LOG_ERR)
        (void)ofs_err_set(mount_trouble, -EIO, "%s", text);
    ofs_log(OFS_DEBUG, "libfuse: %s", text);
}

static int add_option(struct fuse_args *args, const char *key,
                      const char *value)
{
    OFS_AUTOFREE char *option = ofs_strf("%s%s", key, value);

    if (!option || fuse_opt_add_arg(args, "-o") != 0 ||
        fuse_opt_add_arg(args, option) != 0)
        return -ENOMEM;
    return 0;
}

/* Commas in a source would end the option for libfuse. */
static char *escape_commas(const char *s)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(16 * 1024);

    for (; *s; s++) {
        if (*s == ',' || *s == '\\')
            (void)ofs_buf_addc(&b, '\\');
        (void)ofs_buf_addc(&b, *s);
    }
    return ofs_buf_take(&b);
}

static int build_args(const struct ofs_session_cfg *cfg, struct fuse_args *args)
{
    OFS_AUTOFREE char *fsname = escape_commas(cfg->fsname);
    int r = fsname ? 0 : -ENOMEM;

    if (r == 0 && fuse_opt_add_arg(args, "ocirfs") != 0)
        r = -ENOMEM;
    if (r == 0)
        r = add_option(args, "fsname=", fsname);
    if (r == 0)
        r = add_option(args, "subtype=ocirfs,", "default_permissions");
    for (size_t i = 0; r == 0 && i < cfg->mount_options->n; i++)
        r = add_option(args, cfg->mount_options->at[i], "");
    if (r == 0 && cfg->debug)
        r = add_option(args, "debug", "");
    return r;
}

static int attach(struct ofs_session *s, const struct ofs_session_cfg *cfg,
                  struct ofs_err *err)
{
    struct fuse_args args = FUSE_ARGS_INIT(0, NULL);
    struct ofs_err trouble = { 0 };
    int r = build_args(cfg, &args);

    if (r < 0)
        return ofs_err_nomem(err, "the mount options");
    mount_trouble = &trouble;
    fuse_set_log_func(on_fuse_log);
    s->fuse = fuse_session_new(&args, &ofs_fuse_ops, sizeof(ofs_fuse_ops), s);
    if (s->fuse && fuse_session_mount(s->fuse, cfg->mountpoint) == 0)
        s->mounted = true;
    mount_trouble = NULL;
    fuse_opt_free_args(&args);
    if (s->mounted)
        return ofs_devio_use(s) == 0 ? 0 : ofs_err_nomem(err, "the session");
    return ofs_err_set(err, -EIO, "cannot mount on '%s': %s", cfg->mountpoint,
                       trouble.text[0] ? trouble.text : "FUSE refused");
}

static int make_threads(struct ofs_session *s, struct ofs_err *err)
{
    const struct ofs_workers_cfg pool = { .name = "ofs-wait",
                                          .max_threads = s->max_waiting,
                                          .max_queue = MAX_QUEUED };
    const struct ofs_workers_cfg notifier = { .name = "ofs-notify",
                                              .max_threads = 1,
                                              .max_queue = 256 };
    const struct ofs_workers_cfg watcher = { .name = "ofs-signal",
                                             .max_threads = 1,
                                             .max_queue = 1 };

    s->pool = ofs_workers_new(&pool);
    s->notifier = ofs_workers_new(&notifier);
    s->watcher = ofs_workers_new(&watcher);
    if (!s->pool || !s->notifier || !s->watcher)
        return ofs_err_nomem(err, "the session");
    return 0;
}

int ofs_session_mount(const struct ofs_session_cfg *cfg,
                      struct ofs_session **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_session_freep)
    struct ofs_session *s = calloc(1, sizeof(*s));
    int r;

    if (!s)
        return ofs_err_nomem(err, "the session");
    ofs_mutex_init(&s->mtx, OFS_RANK_TREE);
    ofs_iobufs_init(&s->bufs);
    s->tree = cfg->tree;
    s->timeout_ms = cfg->timeout_ms;
    s->max_waiting = cfg->max_waiting ? cfg->max_waiting : DEFAULT_WAITING;
    s->max_readahead_bytes =
        cfg->max_readahead_bytes ? cfg->max_readahead_bytes : DEFAULT_READAHEAD;
    s->mountpoint = strdup(cfg->mountpoint);
    if (!s->mountpoint)
        return ofs_err_nomem(err, "the session");
    r = make_threads(s, err);
    if (r == 0)
        r = attach(s, cfg, err);
    if (r < 0)
        return r;
    *ret = ofs_take(&s);
    return 0;
}

static void *wait_for_the_end(void *arg)
{
    (void)arg;
    for (;;)
        (void)pause(); /* where a thread can be cancelled */
    return NULL;
}

/* libfuse cancels its threads, for which glibc loads a library the first time;
 * it ends the process if it has no memory for that. */
static int learn_to_cancel(void)
{
    pthread_t thread;
    int r = ofs_thread_create(&thread, NULL, wait_for_the_end, NULL);

    if (r < 0)
        return -ENOMEM;
    (void)pthread_cancel(thread);
    (void)pthread_join(thread, NULL);
    return 0;
}

/*
 * libfuse ends its loop when a thread has no memory for its next request; that
 * one is still the kernel's then.  One thread goes on, with what was kept for
 * it: it never waits, so it is enough.
 */
static int serve(struct ofs_session *s, struct fuse_loop_config *loop)
{
    OFS_AUTOFREE char *kept = malloc(REQUEST_BYTES);
    int r = kept ? learn_to_cancel() : -ENOMEM;

    if (r < 0)
        return r;
    r = fuse_session_loop_mt(s->fuse, loop);
    while (r == -ENOMEM) {
        ofs_log(OFS_WARN, "no memory for requests: from now on one at a time");
        fuse_loop_cfg_set_max_threads(loop, 1);
        free(ofs_take(&kept));
        (void)poll(NULL, 0, OUT_OF_MEMORY_MS);
        r = fuse_session_loop_mt(s->fuse, loop);
        if (r == -1)
            r = -ENOMEM; /* libfuse's word for a thread that it cannot have */
    }
    return r == -1 ? -ENOMEM : r;
}

int ofs_session_run(struct ofs_session *s, struct ofs_err *err)
{
    struct fuse_loop_config *loop = fuse_loop_cfg_create();
    int r;

    if (!loop)
        return ofs_err_nomem(err, "the session");
    fuse_loop_cfg_set_clone_fd(loop, 0);
    fuse_loop_cfg_set_max_threads(loop, SESSION_THREADS);
    fuse_loop_cfg_set_idle_threads(loop, SESSION_THREADS);
    if (fuse_set_signal_handlers(s->fuse) != 0) {
        fuse_loop_cfg_destroy(loop);
        return ofs_err_set(err, -EIO, "cannot set signal handlers");
    }
    r = serve(s, loop);
    fuse_remove_signal_handlers(s->fuse);
    fuse_loop_cfg_destroy(loop);
    ofs_ops_cancel(s);
    if (r < 0)
        return ofs_err_errno(err, -r, "serving the mount");
    return 0;
}

void ofs_session_stop(struct ofs_session *s)
{
    if (s->fuse)
        ofs_ops_cancel(s);
    ofs_workers_free(s->pool);
    ofs_workers_free(s->watcher);
    s->pool = s->watcher = NULL;
    ofs_opened_end_all(s);
}

/*
 * Requests that nobody will answer any more end with an error, and with them
 * what the notifier may wait for.  Not when the mount has gone already: the
 * path then leads to somebody else's files.
 */
static void abort_connection(struct ofs_session *s)
{
    struct pollfd fuse = { .fd = fuse_session_fd(s->fuse) };

    if (poll(&fuse, 1, 0) != 1 || !(fuse.revents & POLLERR))
        (void)umount2(s->mountpoint, MNT_FORCE | MNT_DETACH);
}

void ofs_session_free(struct ofs_session *s)
{
    if (!s)
        return;
    ofs_session_stop(s);
    if (s->mounted)
        abort_connection(s);
    ofs_workers_free(s->notifier);
    if (s->mounted)
        fuse_session_unmount(s->fuse);
    if (s->fuse)
        fuse_session_destroy(s->fuse);
    ofs_iobufs_done(&s->bufs);
    ofs_mutex_done(&s->mtx);
    free(s->mountpoint);
    free(s);
}
