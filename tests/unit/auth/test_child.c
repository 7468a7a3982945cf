/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "child.h"
#include "scratch.h"

#include <signal.h>

enum { LONG_MS = 60 * 1000 };

static int run_for(const char *script, struct ofs_call *call,
                   struct ofs_child_result *ret, struct ofs_err *err)
{
    const struct ofs_child what = {
        .program = "/bin/sh",
        .name = "sh",
        .arg = script,
        .input = "hello\n",
        .max_output = 1000,
        .timeout_ms = LONG_MS,
    };

    return ofs_child_run(&what, call, ret, err);
}

/* The script goes to a file, since there is one argument only. */
static int run(const char *text, int64_t timeout_ms,
               struct ofs_child_result *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *path = scratch_path("script");
    OFS_AUTOFREE char *full = ofs_strf("DIR='%s'\n%s", scratch_dir, text);
    OFS_AUTO(ofs_call_done) struct ofs_call call;

    scratch_write("script", full, 0600);
    ofs_call_init(&call, timeout_ms);
    return run_for(path, &call, ret, err);
}

static void dispose(int signo, void (*how)(int))
{
    const struct sigaction action = { .sa_handler = how };

    assert_int_equal(sigaction(signo, &action, NULL), 0);
}

static void what_goes_in_and_out_is_told(void **state)
{
    static const struct {
        const char *script, *output;
        int exit_code, signal;
    } rows[] = {
        { "cat", "hello\n", 0, 0 },
        { "exit 3", "", 3, 0 },
        { "printf no; exit 255", "no", 255, 0 },
        { "printf half; kill -9 $$", "half", -1, SIGKILL },
        { "echo noise >&2", "", 0, 0 },
        /* The output ends before the child does. */
        { "printf x; exec >&-; read l; read l; exit 4", "x", 4, 0 },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOCHILD struct ofs_child_result got = { 0 };

        assert_int_equal(run(rows[i].script, LONG_MS, &got, NULL), 0);
        assert_string_equal(ofs_buf_str(&got.output), rows[i].output);
        assert_int_equal(got.exit_code, rows[i].exit_code);
        assert_int_equal(got.signal, rows[i].signal);
    }
}

/* Descriptor 20 is one that a careless library left open; 3 is the directory
 * that ls reads.  SIGPIPE is signal 13, among the last 28 in the mask. */
static void it_inherits_nothing_else(void **state)
{
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };
    OFS_AUTOCLOSE int left = -1;
    const char *mask;

    (void)state;
    left = fcntl(0, F_DUPFD, 20);
    assert_true(left >= 20);
    dispose(SIGPIPE, SIG_IGN);
    assert_int_equal(run("ls /proc/self/fd\n"
                         "grep -E '^Sig(Ign|Blk)' /proc/self/status\n"
                         "[ $(cut -d' ' -f6 </proc/$$/stat) = $$ ] &&"
                         " echo leads",
                         LONG_MS, &got, NULL),
                     0);
    dispose(SIGPIPE, SIG_DFL);
    assert_true(ofs_str_starts(ofs_buf_str(&got.output), "0\n1\n2\n3\nSig"));
    assert_non_null(
        strstr(ofs_buf_str(&got.output), "SigBlk:\t0000000000000000"));
    mask = strstr(ofs_buf_str(&got.output), "SigIgn:\t");
    assert_non_null(mask);
    assert_memory_equal(mask + strlen("SigIgn:\t123456789"), "0000000", 7);
    assert_non_null(strstr(mask, "\nleads\n"));
}

/* A zombie is gone as well: its new parent takes its time to look at it. */
static bool is_gone(const char *pid_line)
{
    OFS_AUTOFREE char *path =
        ofs_strf("/proc/%.*s/stat", (int)strcspn(pid_line, "\n"), pid_line);
    OFS_AUTOBUF struct ofs_buf stat = OFS_BUF_INIT(4096);

    return ofs_file_read(AT_FDCWD, path, &stat) < 0 ||
           strstr(ofs_buf_str(&stat), ") Z ");
}

static void assert_gone_soon(const char *file)
{
    OFS_AUTOFREE char *pid = scratch_wait_line(file);
    int64_t until = ofs_mono_ms() + 20 * 1000;

    assert_non_null(pid);
    while (!is_gone(pid) && ofs_mono_ms() < until)
        (void)sched_yield();
    assert_true(is_gone(pid));
}

static void one_that_hangs_is_killed_with_its_children(void **state)
{
    static const char script[] = "trap '' TERM HUP\n"
                                 "sleep 1000 & echo $! >\"$DIR/grandchild\"\n"
                                 "echo $$ >\"$DIR/child\"\n"
                                 "wait";
    OFS_AUTOFREE char *path = scratch_path("script");
    OFS_AUTOFREE char *full = ofs_strf("DIR='%s'\n%s", scratch_dir, script);
    struct ofs_child what = {
        .program = "/bin/sh",
        .name = "sh",
        .arg = path,
        .input = "",
        .max_output = 10,
        .timeout_ms = 150,
    };
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };
    OFS_AUTO(ofs_call_done) struct ofs_call call;
    struct ofs_err err = { 0 };

    (void)state;
    scratch_write("script", full, 0600);
    ofs_call_init(&call, LONG_MS);
    assert_int_equal(ofs_child_run(&what, &call, &got, &err), -EIO);
    assert_string_equal(err.text, "sh did not end within 150 ms");
    assert_gone_soon("child");
    assert_gone_soon("grandchild");
}

struct patient {
    struct ofs_call call;
    char *path;
    int r;
    struct ofs_err err;
};

static void *run_patient(void *arg)
{
    struct patient *p = arg;
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };

    p->r = run_for(p->path, &p->call, &got, &p->err);
    return NULL;
}

static void a_caller_may_give_up_at_any_moment(void **state)
{
    OFS_AUTOFREE char *path = scratch_path("script");
    OFS_AUTOFREE char *full =
        ofs_strf("echo $$ >'%s/child'\nexec sleep 1000", scratch_dir);
    struct patient p = { .path = path };
    OFS_AUTOFREE char *pid = NULL;
    pthread_t thread;

    (void)state;
    scratch_write("script", full, 0600);
    ofs_call_init(&p.call, OFS_NEVER);
    assert_int_equal(pthread_create(&thread, NULL, run_patient, &p), 0);
    pid = scratch_wait_line("child");
    ofs_call_cancel(&p.call);
    assert_int_equal(pthread_join(thread, NULL), 0);
    ofs_call_done(&p.call);
    assert_non_null(pid);
    assert_int_equal(p.r, -EINTR);
    assert_string_equal(p.err.text, "sh: interrupted");
    assert_gone_soon("child");
}

static void the_calls_own_deadline_counts(void **state)
{
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    assert_int_equal(run("exec sleep 1000", 100, &got, &err), -ETIMEDOUT);
    assert_string_equal(err.text, "sh: no answer in time");
}

static void a_call_that_may_not_wait_starts_nothing(void **state)
{
    OFS_AUTOFREE char *path = scratch_path("script");
    OFS_AUTOFREE char *full = ofs_strf("echo x >'%s/ran'", scratch_dir);
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };
    OFS_AUTO(ofs_call_done) struct ofs_call call;

    (void)state;
    scratch_write("script", full, 0600);
    ofs_call_init(&call, LONG_MS);
    call.may_wait = false;
    assert_int_equal(run_for(path, &call, &got, NULL), -EAGAIN);
    assert_int_equal(scratch_lines("ran"), 0);
}

static void too_much_output_is_an_end(void **state)
{
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };
    struct ofs_err err = { 0 };

    (void)state;
    assert_int_equal(
        run("while :; do echo 0123456789; done", LONG_MS, &got, &err), -EFBIG);
    assert_string_equal(err.text, "sh wrote more than 1000 bytes");
}

static void one_left_behind_with_our_pipe_holds_nobody_up(void **state)
{
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };

    (void)state;
    assert_int_equal(run("sleep 1000 & echo $! >\"$DIR/agent\"; printf done",
                         LONG_MS, &got, NULL),
                     0);
    assert_string_equal(ofs_buf_str(&got.output), "done");
    {
        OFS_AUTOFREE char *pid = scratch_wait_line("agent");
        uint64_t n = 0;

        pid[strcspn(pid, "\n")] = '\0';
        assert_int_equal(ofs_str_u64(pid, &n), 0);
        assert_int_equal(kill((pid_t)n, SIGKILL), 0);
    }
}

static void what_does_not_read_its_input_raises_no_signal(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        OFS_AUTOCHILD struct ofs_child_result got = { 0 };

        assert_int_equal(run("exec <&-; exit 0", LONG_MS, &got, NULL), 0);
    }
}

static void what_cannot_be_started_is_told(void **state)
{
    OFS_AUTOFREE char *no_shebang = scratch_path("text");
    const char *const programs[] = { "/nowhere/at/all", no_shebang };
    static char big[5000];

    (void)state;
    scratch_write("text", "echo a shell ran this\n", 0700);
    memset(big, 'x', sizeof(big) - 1);
    for (size_t i = 0; i < 3; i++) {
        struct ofs_child what = {
            .program = i < 2 ? programs[i] : "/bin/cat",
            .name = "p",
            .arg = "-",
            .input = i < 2 ? "" : big,
            .max_output = 10,
            .timeout_ms = LONG_MS,
        };
        OFS_AUTOCHILD struct ofs_child_result got = { 0 };
        OFS_AUTO(ofs_call_done) struct ofs_call call;
        struct ofs_err err = { 0 };

        ofs_call_init(&call, LONG_MS);
        assert_int_equal(ofs_child_run(&what, &call, &got, &err),
                         i < 2 ? -EIO : -EINVAL);
        assert_non_null(strstr(err.text, i < 2 ? "cannot start" : "p: too"));
    }
}

/* So it is in a program started with SIGCHLD ignored. */
static void without_child_signals_the_output_still_comes(void **state)
{
    OFS_AUTOCHILD struct ofs_child_result got = { 0 };

    (void)state;
    dispose(SIGCHLD, SIG_IGN);
    assert_int_equal(run("cat; exit 3", LONG_MS, &got, NULL), 0);
    dispose(SIGCHLD, SIG_DFL);
    assert_string_equal(ofs_buf_str(&got.output), "hello\n");
    assert_int_equal(got.exit_code, -1);
}

#define TEST(name)                                                             \
    cmocka_unit_test_setup_teardown(name, scratch_setup, scratch_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_goes_in_and_out_is_told),
        TEST(it_inherits_nothing_else),
        TEST(one_that_hangs_is_killed_with_its_children),
        TEST(a_caller_may_give_up_at_any_moment),
        TEST(the_calls_own_deadline_counts),
        TEST(a_call_that_may_not_wait_starts_nothing),
        TEST(too_much_output_is_an_end),
        TEST(one_left_behind_with_our_pipe_holds_nobody_up),
        TEST(what_does_not_read_its_input_raises_no_signal),
        TEST(what_cannot_be_started_is_told),
        TEST(without_child_signals_the_output_still_comes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
