/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel tells of the first signal only, and nothing of which one it was.
 * So we look what the thread has coming, and once an interrupt turned out to
 * mean nothing, we look again and again until the operation ends: Ctrl-C may
 * still come.  A process that ends shows it by SIGKILL in all its threads.
 */
#include "giveup.h"

#include "ops_priv.h"

#include "ocirfs/file.h"
#include "ocirfs/metrics.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>

enum {
    LOOK_MS = 50,      /* between two looks at the threads that we watch */
    MAX_WATCHED = 128, /* at a look; more have their turn at the next ones */
    STATUS_MAX = 8192,
};

static struct ofs_metric interrupts =
    OFS_COUNTER("ocirfs_fuse_interrupts_total",
                "Waiting requests whose thread got a signal.");

/* ---- what is coming ---- */

static uint64_t bit(int sig)
{
    return UINT64_C(1) << (sig - 1);
}

/* The mask behind "Name:\t"; 0: there is no such line. */
static uint64_t mask_of(const char *status, const char *name)
{
    const char *line = strstr(status, name);
    uint64_t mask = 0;

    if (!line)
        return 0;
    for (line += strlen(name); *line == '\t' || *line == ' '; line++)
        continue;
    for (; (*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f');
         line++)
        mask = mask << 4 |
               (uint64_t)(*line <= '9' ? *line - '0' : *line - 'a' + 10);
    return mask;
}

bool ofs_giveup_in_status(const char *status)
{
    /* Ignored by default, or the ticks of a profiler. */
    const uint64_t harmless = bit(SIGCHLD) | bit(SIGURG) | bit(SIGWINCH) |
                              bit(SIGCONT) | bit(SIGPROF) | bit(SIGVTALRM);
    uint64_t coming =
        mask_of(status, "\nSigPnd:") | mask_of(status, "\nShdPnd:");

    return (coming & ~mask_of(status, "\nSigBlk:") & ~harmless) != 0;
}

/* A thread that we cannot look at is taken at its word. */
static bool gave_up(int thread)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(STATUS_MAX);
    char path[64];

    if (thread <= 0)
        return true;
    (void)snprintf(path, sizeof(path), "/proc/%d/status", thread);
    return ofs_file_read(AT_FDCWD, path, &b) < 0 ||
           ofs_giveup_in_status(ofs_buf_str(&b));
}

/* ---- watching ---- */

struct watched {
    const struct ofs_op *op; /* to compare with, nothing else */
    int thread;
    bool gave_up;
};

/* Those to look at; none: nobody watches from here on. */
static size_t collect_doubtful(struct ofs_session *s, struct watched *at)
{
    size_t n = 0;

    OFS_GUARD(&s->mtx);
    for (struct ofs_op *op = s->waiting; op && n < MAX_WATCHED; op = op->next)
        if (op->doubtful)
            at[n++] = (struct watched){ .op = op, .thread = op->call.who };
    if (n == 0)
        s->watching = false;
    return n;
}

static void end(struct ofs_session *s, const struct watched *w)
{
    OFS_GUARD(&s->mtx);
    for (struct ofs_op *op = s->waiting; op; op = op->next)
        if (op == w->op && op->call.who == w->thread)
            ofs_call_cancel(&op->call);
}

static void watch(void *arg)
{
    struct watched at[MAX_WATCHED];
    struct ofs_session *s = arg;
    struct ofs_call nap;
    size_t n;

    ofs_call_init(&nap, OFS_NEVER);
    while ((n = collect_doubtful(s, at)) > 0) {
        for (size_t i = 0; i < n; i++)
            if (gave_up(at[i].thread))
                end(s, &at[i]);
        if (ofs_call_pause(&nap, LOOK_MS, NULL) < 0)
            break; /* cannot be: this call has no end */
    }
    ofs_call_done(&nap);
}

/* True: somebody has to begin to watch. */
static bool doubt(struct ofs_op *op)
{
    struct ofs_session *s = op->session;
    bool begin;

    OFS_GUARD(&s->mtx);
    op->doubtful = true;
    begin = !s->watching;
    s->watching = true;
    return begin;
}

static void do_not_watch(struct ofs_session *s)
{
    OFS_GUARD(&s->mtx);
    s->watching = false;
}

void ofs_giveup_asked(struct ofs_op *op)
{
    struct ofs_session *s = op->session;
    bool over = gave_up(op->call.who);

    ofs_metric_add(&interrupts, 1);
    if (!over && doubt(op) && ofs_workers_add(s->watcher, watch, s) < 0) {
        do_not_watch(s); /* so Ctrl-C would not be heard */
        over = true;
    }
    if (over)
        ofs_call_cancel(&op->call);
}
