/* SPDX-License-Identifier: Apache-2.0 */
#include "child.h"

#include "ocirfs/clock.h"
#include "ocirfs/secret.h"
#include "ocirfs/thread.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/*
 * Each run has a reaper, a thread that starts the child, reads from it, ends it
 * if it must and reaps it.  The caller only sleeps on its call and may leave
 * at any time: it says so through `stop_fd`, and the reaper does the rest.  So
 * no caller hangs on a child that even SIGKILL does not end at once, as one
 * that waits for a dead network file system, or for our own mount, whose
 * answer may be what the caller is about to give.
 *
 * Only the reaper knows the child's number, so none is ever signalled after it
 * was reaped.
 */
struct run {
    atomic_int refs; /* caller and reaper */

    /* Immutable. */
    char *program, *name, *arg;
    int in_fd, out_fd; /* the child's ends; the reaper closes them */
    int read_fd;       /* our end of the output; does not block */
    int stop_fd;       /* readable: nobody waits any more */
    int64_t deadline_ms, timeout_ms;

    struct ofs_mutex mtx;
    struct ofs_waitlist waiters; /* guarded by mtx */
    bool done;                   /* guarded by mtx */

    /* The reaper's until done, then the caller's. */
    int r;
    bool reaped; /* by the kernel */
    struct ofs_err err;
    struct ofs_child_result result;
};

enum {
    BLOCK = 4096,
    LOOK_MS = 20, /* between looks at a child that has no pidfd */
    FIRST_FD = 3,
};

static void close_fd(int *fd)
{
    ofs_closep(fd);
    *fd = -1;
}

static void run_unref(struct run *run)
{
    if (!run || atomic_fetch_sub(&run->refs, 1) > 1)
        return;
    close_fd(&run->in_fd);
    close_fd(&run->out_fd);
    close_fd(&run->read_fd);
    close_fd(&run->stop_fd);
    ofs_child_result_done(&run->result);
    ofs_mutex_done(&run->mtx);
    free(run->program);
    free(run->name);
    free(run->arg);
    free(run);
}
OFS_DEFINE_AUTO(struct run, run_unref)

void ofs_child_result_done(struct ofs_child_result *result)
{
    ofs_buf_wipe(&result->output);
    *result = (struct ofs_child_result){ 0 };
}

/* In a program whose standard descriptors are closed a pipe may get their
 * numbers, and the child's would overwrite each other. */
static int above_standard(int fd)
{
    int above;

    if (fd >= FIRST_FD)
        return fd;
    above = fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FD);
    (void)close(fd);
    return above;
}

static int make_pipe(int fds[2])
{
    if (pipe2(fds, O_CLOEXEC) < 0)
        return -errno;
    fds[0] = above_standard(fds[0]);
    fds[1] = above_standard(fds[1]);
    return fds[0] < 0 || fds[1] < 0 ? -EMFILE : 0;
}

/*
 * A pipe with the input in it and nothing more to come.  Written while we hold
 * the other end and into an empty pipe, it neither blocks nor raises SIGPIPE.
 */
static int make_input(struct run *run, const char *input)
{
    size_t len = strlen(input);
    int fds[2] = { -1, -1 };
    int r = make_pipe(fds);

    run->in_fd = fds[0];
    if (r == 0 && len > 0 && write(fds[1], input, len) != (ssize_t)len)
        r = -EIO;
    close_fd(&fds[1]);
    return r;
}

static int make_output(struct run *run)
{
    int fds[2] = { -1, -1 };
    int r = make_pipe(fds);

    run->read_fd = fds[0];
    run->out_fd = fds[1];
    if (r == 0 && fcntl(run->read_fd, F_SETFL, O_NONBLOCK) < 0)
        r = -errno;
    return r;
}

static struct run *run_new(const struct ofs_child *what, struct ofs_err *err)
{
    OFS_AUTO(run_unrefp) struct run *run = calloc(1, sizeof(*run));
    int r;

    if (!run) {
        (void)ofs_err_nomem(err, what->name);
        return NULL;
    }
    atomic_init(&run->refs, 1);
    ofs_mutex_init(&run->mtx, OFS_RANK_WORKERS);
    run->in_fd = run->out_fd = run->read_fd = -1;
    run->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    run->program = strdup(what->program);
    run->name = strdup(what->name);
    run->arg = strdup(what->arg);
    run->timeout_ms = what->timeout_ms;
    run->deadline_ms = ofs_mono_ms() + what->timeout_ms;
    ofs_buf_init(&run->result.output, what->max_output);
    if (!run->program || !run->name || !run->arg) {
        (void)ofs_err_nomem(err, what->name);
        return NULL;
    }
    r = run->stop_fd < 0 ? -errno : make_input(run, what->input);
    if (r == 0)
        r = make_output(run);
    if (r == 0)
        return ofs_take(&run);
    (void)ofs_err_errno(err, -r, what->name);
    return NULL;
}

/* Dispositions that a program keeps over exec, and this one may have set. */
static void set_signals(posix_spawnattr_t *attr)
{
    sigset_t set;

    (void)sigemptyset(&set);
    (void)posix_spawnattr_setsigmask(attr, &set);
    (void)sigfillset(&set);
    (void)posix_spawnattr_setsigdefault(attr, &set);
}

/*
 * A session of its own: a process group to kill, and no terminal.  In the
 * background of ours, a question to the user would stop the child for ever.
 */
static int spawn(const struct run *run, pid_t *ret)
{
    char *const argv[] = { run->name, run->arg, NULL };
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attr;
    int rc;

    (void)posix_spawnattr_init(&attr);
    (void)posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID |
                                              POSIX_SPAWN_SETSIGMASK |
                                              POSIX_SPAWN_SETSIGDEF);
    set_signals(&attr);
    rc = posix_spawn_file_actions_init(&actions);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, run->in_fd, 0);
    if (rc == 0)
        rc = posix_spawn_file_actions_adddup2(&actions, run->out_fd, 1);
    if (rc == 0)
        rc = posix_spawn_file_actions_addopen(&actions, 2, "/dev/null",
                                              O_WRONLY, 0);
    if (rc == 0) /* also what a library opened without O_CLOEXEC */
        rc = posix_spawn_file_actions_addclosefrom_np(&actions, FIRST_FD);
    if (rc == 0)
        rc = posix_spawn(ret, run->program, &actions, &attr, argv, environ);
    (void)posix_spawn_file_actions_destroy(&actions);
    (void)posix_spawnattr_destroy(&attr);
    return rc;
}

/* What is there now: 1 more may come, 0 it was all, or a negative errno. */
static int read_output(struct run *run)
{
    char block[BLOCK];
    int r = 1;

    while (r == 1) {
        ssize_t n = read(run->read_fd, block, sizeof(block));

        if (n > 0)
            r = ofs_buf_add(&run->result.output, block, (size_t)n) < 0
                    ? run->result.output.failed
                    : 1;
        else if (n == 0)
            r = 0;
        else if (errno == EAGAIN)
            break;
        else if (errno != EINTR)
            r = -errno;
    }
    ofs_wipe(block, sizeof(block));
    return r;
}

/*
 * Has it ended?  It stays a zombie, so that its number remains its own until
 * the group was signalled.  ECHILD: the program ignores SIGCHLD and the kernel
 * has reaped it already, so nobody may use that number any more.
 */
static bool has_ended(struct run *run, pid_t pid)
{
    siginfo_t info = { 0 };

    if (waitid(P_PID, (id_t)pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0)
        return info.si_pid == pid;
    run->reaped = errno == ECHILD;
    return run->reaped;
}

static void reap(struct run *run, pid_t pid, bool must_kill)
{
    int status;
    pid_t got;

    run->result.exit_code = -1;
    if (run->reaped)
        return;
    if (must_kill)
        (void)kill(-pid, SIGKILL);
    do
        got = waitpid(pid, &status, 0);
    while (got < 0 && errno == EINTR);
    if (got == pid && WIFSIGNALED(status))
        run->result.signal = WTERMSIG(status);
    else if (got == pid)
        run->result.exit_code = WEXITSTATUS(status);
}

static int poll_timeout(const struct run *run, int pid_fd)
{
    int64_t left = run->deadline_ms - ofs_mono_ms();

    if (left < 0)
        left = 0;
    if (pid_fd < 0 && left > LOOK_MS)
        left = LOOK_MS;
    return left < INT_MAX ? (int)left : INT_MAX;
}

static int too_long(const struct run *run, struct ofs_err *err)
{
    return ofs_err_set(err, -EIO, "%s did not end within %lld ms", run->name,
                       (long long)run->timeout_ms);
}

static int too_much(const struct run *run, int r, struct ofs_err *err)
{
    if (r == -EFBIG)
        return ofs_err_set(err, r, "%s wrote more than %zu bytes", run->name,
                           run->result.output.limit);
    return ofs_err_errno(err, -r, run->name);
}

/*
 * Until the child ends: its end counts, not the end of its output, which a
 * process that it left behind may hold open.  Without pidfds (before Linux
 * 5.3, or forbidden) its end is looked for now and then.
 */
static int watch(struct run *run, pid_t pid, int pid_fd, struct ofs_err *err)
{
    struct pollfd fds[] = {
        { .fd = run->read_fd, .events = POLLIN },
        { .fd = run->stop_fd, .events = POLLIN },
        { .fd = pid_fd, .events = POLLIN },
    };

    for (;;) {
        bool ended;
        int r;

        (void)poll(fds, OFS_COUNT_OF(fds), poll_timeout(run, pid_fd));
        if (fds[1].revents)
            return ofs_err_set(err, -EINTR, "nobody waits for %s", run->name);
        ended = has_ended(run, pid);
        r = fds[0].fd < 0 ? 0 : read_output(run);
        if (r < 0)
            return too_much(run, r, err);
        if (ended)
            return 0;
        if (r == 0)
            fds[0].fd = -1;
        if (ofs_mono_ms() >= run->deadline_ms)
            return too_long(run, err);
    }
}

static int reaper(struct run *run, struct ofs_err *err)
{
    OFS_AUTOCLOSE int pid_fd = -1;
    pid_t pid;
    int r = spawn(run, &pid);

    close_fd(&run->in_fd);
    close_fd(&run->out_fd);
    if (r != 0)
        return ofs_err_set(err, -EIO, "cannot start %s: %s", run->program,
                           strerrordesc_np(r));
    pid_fd = (int)syscall(SYS_pidfd_open, pid, 0);
    r = watch(run, pid, pid_fd, err);
    reap(run, pid, /* must_kill= */ r < 0);
    return r;
}

static void *reaper_thread(void *arg)
{
    struct run *run = arg;

    run->r = reaper(run, &run->err);
    {
        OFS_GUARD(&run->mtx);
        run->done = true;
        ofs_waitlist_wake(&run->waiters);
    }
    run_unref(run);
    return NULL;
}

static int start_reaper(struct run *run)
{
    pthread_t thread;
    int r;

    (void)atomic_fetch_add(&run->refs, 1);
    r = ofs_thread_create(&thread, NULL, reaper_thread, run);
    if (r < 0)
        (void)atomic_fetch_sub(&run->refs, 1);
    else
        (void)pthread_detach(thread);
    return r;
}

static void give_up(struct run *run)
{
    const uint64_t one = 1;

    (void)!write(run->stop_fd, &one, sizeof(one));
}

static bool is_done(void *arg)
{
    const struct run *run = arg;

    return run->done;
}

static int wait_for(struct run *run, struct ofs_call *call, struct ofs_err *err)
{
    int r =
        ofs_waitlist_wait(&run->waiters, &run->mtx, call, is_done, run, err);

    if (r == 0)
        return 0;
    give_up(run);
    return ofs_err_wrap(err, r, run->name);
}

static int hand_over(struct run *run, struct ofs_child_result *ret,
                     struct ofs_err *err)
{
    if (run->r < 0) {
        if (err)
            *err = run->err;
        return run->r;
    }
    *ret = run->result;
    run->result = (struct ofs_child_result){ 0 };
    return 0;
}

int ofs_child_run(const struct ofs_child *what, struct ofs_call *call,
                  struct ofs_child_result *ret, struct ofs_err *err)
{
    OFS_AUTO(run_unrefp) struct run *run = NULL;
    int r;

    ofs_assert_unlocked();
    r = ofs_call_check(call, err);
    if (r < 0)
        return r;
    if (strlen(what->input) > PIPE_BUF)
        return ofs_err_set(err, -EINVAL, "%s: too much input", what->name);
    run = run_new(what, err);
    if (!run)
        return err ? err->code : -EIO;
    r = start_reaper(run);
    if (r < 0)
        return ofs_err_set(err, -EIO, "no thread for %s: %s", what->name,
                           strerrordesc_np(-r));
    r = wait_for(run, call, err);
    return r < 0 ? r : hand_over(run, ret, err);
}
