/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/bindnow.h"
#include "ocirfs/docker_auth.h"
#include "ocirfs/openssl_wipe.h"
#include "ocirfs/ora_auth.h"
#include "scratch.h"
#include "token_answer.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <sys/wait.h>

/*
 * Looks through the memory of this very process, freed or not, for a secret
 * that was read and given back.  The secret is written down nowhere in this
 * program: it is made into a file, and what is looked for is held inverted.
 */
enum {
    SECRET_LEN = 240,
    /* What is looked for: any piece of this stretch.  Pieces, since what is
     * left may be one register's width; not the begin, since the allocator
     * writes its own links over the first bytes of what is freed. */
    NEEDLE_OFF = 20,
    NEEDLE_LEN = 204,
    KEY_NEEDLE_LEN = 48,
    PIECE = 12, /* divides both */
    BLOCK = 1024 * 1024,
    MAPPING_MAX = 256 * 1024 * 1024, /* larger is a sanitizer's shadow */
};

/* ThreadSanitizer's shadow is terabytes in many small mappings. */
#if defined(__SANITIZE_THREAD__)
#define TOO_MUCH_MEMORY true
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TOO_MUCH_MEMORY true
#endif
#endif
#ifndef TOO_MUCH_MEMORY
#define TOO_MUCH_MEMORY false
#endif

static unsigned char inverted[NEEDLE_LEN];
static size_t inverted_len;
static bool begins_piece[256]; /* by inverted byte, or it takes a minute */

/* Through the file system only, so that no copy stays on this side: a child
 * writes the files. */
static void make_files(void)
{
    static const char script[] =
        "cd \"$1\" && mkdir -p bin run/containers &&"
        " s=$(head -c 300 /dev/urandom | od -An -tx1 | tr -d ' \\n' |"
        " head -c 240) && printf %s \"$s\" >plain &&"
        " printf '{\"auths\":{\"h\":{\"auth\":\"%s\"}},"
        "\"credHelpers\":{\"i\":\"t\"}}'"
        " \"$(printf 'user:%s' \"$s\" | base64 -w0)\""
        " >run/containers/auth.json &&"
        " printf '{\"token\":\"%s\"}' \"$s\" >answer &&"
        " printf '#!/bin/sh\\necho {\\\\\"Username\\\\\":\\\\\"u\\\\\","
        "\\\\\"Secret\\\\\":\\\\\"%s\\\\\"}\\n' \"$s\""
        " >bin/docker-credential-t && chmod 700 bin/* &&"
        " openssl genrsa -out key.pem 2048 2>/dev/null &&"
        " openssl rsa -in key.pem -traditional -outform DER -out key.der"
        " 2>/dev/null &&"
        " printf '[DEFAULT]\ntenancy=t\nkey_file=%s\n"
        "security_token_file=%s\n' \"$1/key.pem\" \"$1/plain\" >config";
    char *const argv[] = { (char[]){ "sh" }, (char[]){ "-c" }, strdup(script),
                           (char[]){ "sh" }, scratch_dir,      NULL };
    pid_t pid = fork();
    int status = -1;

    if (pid == 0) {
        (void)execv("/bin/sh", argv);
        _exit(127);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    free(argv[2]);
}

/* From `off` on in a file. */
static void learn_needle(const char *name, off_t off, size_t len)
{
    OFS_AUTOFREE char *path = scratch_path(name);
    OFS_AUTOCLOSE int fd = open(path, O_RDONLY | O_CLOEXEC);
    unsigned char text[NEEDLE_LEN];

    assert_int_equal(pread(fd, text, len, off), len);
    memset(begins_piece, 0, sizeof(begins_piece));
    for (size_t i = 0; i < len; i++) {
        inverted[i] = text[i] ^ 0xff;
        begins_piece[inverted[i]] = true;
    }
    inverted_len = len;
    ofs_wipe(text, sizeof(text));
}

static bool is_piece(const unsigned char *p, const unsigned char *piece)
{
    for (size_t i = 0; i < PIECE; i++)
        if (p[i] + piece[i] != 0xff)
            return false;
    return true;
}

static bool is_needle(const unsigned char *p)
{
    for (size_t i = 0; i < inverted_len; i += PIECE)
        if (is_piece(p, inverted + i))
            return true;
    return false;
}

static unsigned count_in(int mem, uint64_t begin, uint64_t end,
                         unsigned char *block)
{
    unsigned n = 0;

    for (uint64_t at = begin; at < end; at += BLOCK - PIECE) {
        size_t want = end - at < BLOCK ? (size_t)(end - at) : BLOCK;
        ssize_t got = pread(mem, block, want, (off_t)at);

        for (ssize_t i = 0; i + PIECE <= got; i++)
            n += begins_piece[block[i] ^ 0xff] && is_needle(block + i);
    }
    return n;
}

/* How often the secret is in memory that can be written. */
static unsigned count_traces(void)
{
    OFS_AUTOCLOSE int mem = open("/proc/self/mem", O_RDONLY | O_CLOEXEC);
    unsigned char *block = mmap(NULL, BLOCK, PROT_READ | PROT_WRITE,
                                MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    FILE *maps = fopen("/proc/self/maps", "re");
    char line[512];
    unsigned n = 0;

    assert_true(mem >= 0 && maps && block != MAP_FAILED);
    while (fgets(line, sizeof(line), maps)) {
        uint64_t begin, end;
        char w;

        if (sscanf(line, "%" SCNx64 "-%" SCNx64 " r%c", &begin, &end, &w) != 3)
            continue;
        if (w == 'w' && end - begin < MAPPING_MAX &&
            begin != (uint64_t)(uintptr_t)block)
            n += count_in(mem, begin, end, block);
    }
    (void)fclose(maps);
    (void)munmap(block, BLOCK);
    return n;
}

static struct ofs_docker_auth *auth_new(void)
{
    OFS_AUTOFREE char *runtime = scratch_path("run");
    OFS_AUTOFREE char *path = ofs_strf("%s/bin:/usr/bin:/bin", scratch_dir);
    const struct ofs_docker_auth_cfg cfg = { .xdg_runtime_dir = runtime,
                                             .path = path };

    return ofs_docker_auth_new(&cfg, NULL);
}

static void find_and_drop(const char *host)
{
    OFS_AUTO(ofs_docker_auth_freep) struct ofs_docker_auth *a = auth_new();
    OFS_AUTOCRED struct ofs_cred c = { 0 };
    OFS_AUTOSECRET struct ofs_secret basic = { 0 };
    OFS_AUTO(ofs_call_done) struct ofs_call call;

    ofs_call_init(&call, OFS_NEVER);
    assert_int_equal(ofs_docker_auth_find(a, &call, host, "", &c, NULL), 0);
    assert_int_equal(c.secret.len, SECRET_LEN);
    assert_int_equal(ofs_cred_basic(&c, &basic), 0);
    assert_true(count_traces() >= 1); /* or it could not find any */
}

static void files_leave_no_trace(void **state)
{
    (void)state;
    if (TOO_MUCH_MEMORY)
        skip();
    find_and_drop("h");
    assert_int_equal(count_traces(), 0);
}

static void helpers_leave_no_trace(void **state)
{
    (void)state;
    if (TOO_MUCH_MEMORY)
        skip();
    find_and_drop("i");
    assert_int_equal(count_traces(), 0);
}

static void answers_leave_no_trace(void **state)
{
    OFS_AUTOFREE char *path = scratch_path("answer");
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf text = OFS_BUF_INIT(4096);
    struct ofs_token_answer a = { 0 };

    (void)state;
    if (TOO_MUCH_MEMORY)
        skip();
    assert_int_equal(ofs_file_read(AT_FDCWD, path, &text), 0);
    assert_int_equal(
        ofs_token_answer_parse(ofs_buf_str(&text), text.len, &a, NULL), 0);
    ofs_buf_wipe(&text);
    assert_true(count_traces() >= 1);
    ofs_token_answer_done(&a);
    assert_int_equal(count_traces(), 0);
}

/* A session: a token in a file, and a key that signs with it. */
static struct ofs_ora_auth *sign_in(struct ofs_call *call)
{
    OFS_AUTOFREE char *config = scratch_path("config");
    const struct ofs_ora_auth_cfg cfg = { .kind = "security_token",
                                          .config_file = config,
                                          .clock = &ofs_system_clock };
    struct ofs_ora_auth *auth = NULL;
    struct ofs_err err = { 0 };

    if (ofs_ora_auth_open(&cfg, call, &auth, &err) < 0)
        fail_msg("%s", err.text);
    return auth;
}

/* Sign in, sign, and forget; `while_in`: how often at least the needle must be
 * in memory meanwhile, or the test could not find any. */
static void sign_and_drop(unsigned while_in)
{
    OFS_AUTO(ofs_call_done) struct ofs_call call;
    struct ofs_strv headers = { 0 };
    struct ofs_ora_auth *auth;

    ofs_call_init(&call, OFS_NEVER);
    auth = sign_in(&call);
    assert_int_equal(ofs_ora_auth_sign(auth, &call, "GET", "https://h/x", NULL,
                                       0, &headers, NULL),
                     0);
    assert_true(count_traces() >= while_in);
    ofs_strv_wipe(&headers);
    ofs_ora_auth_free(auth);
}

static void session_tokens_leave_no_trace(void **state)
{
    (void)state;
    if (TOO_MUCH_MEMORY)
        skip();
    learn_needle("plain", NEEDLE_OFF, NEEDLE_LEN);
    sign_and_drop(2); /* the credential and the header */
    assert_int_equal(count_traces(), 0);
}

enum {
    PEM_LINE_OFF = 28 + 10 * 65, /* the begin of a line in the middle */
    DER_EXPONENT_OFF = 330,      /* in the private exponent */
};

/* What is read is found, or the tests below could not fail. */
static void assert_is_found(const char *name)
{
    OFS_AUTOFREE char *path = scratch_path(name);
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf text = OFS_BUF_INIT(4096);

    assert_int_equal(ofs_file_read(AT_FDCWD, path, &text), 0);
    assert_true(count_traces() >= 1);
}

static void keys_leave_no_trace_as_text(void **state)
{
    (void)state;
    if (TOO_MUCH_MEMORY)
        skip();
    learn_needle("key.pem", PEM_LINE_OFF, KEY_NEEDLE_LEN);
    assert_is_found("key.pem");
    sign_and_drop(0);
    assert_int_equal(count_traces(), 0);
}

static void keys_leave_no_trace_as_bytes(void **state)
{
    (void)state;
    if (TOO_MUCH_MEMORY)
        skip();
    learn_needle("key.der", DER_EXPONENT_OFF, KEY_NEEDLE_LEN);
    assert_is_found("key.der");
    sign_and_drop(0);
    assert_int_equal(count_traces(), 0);
}

static void keys_leave_no_trace_as_numbers(void **state)
{
    (void)state;
    if (TOO_MUCH_MEMORY)
        skip();
    learn_needle("key.der", DER_EXPONENT_OFF, KEY_NEEDLE_LEN);
    /* Numbers begin with their last byte on the machines that there are. */
    for (size_t i = 0; i < KEY_NEEDLE_LEN / 2; i++) {
        unsigned char c = inverted[i];

        inverted[i] = inverted[KEY_NEEDLE_LEN - 1 - i];
        inverted[KEY_NEEDLE_LEN - 1 - i] = c;
    }
    sign_and_drop(1);
    assert_int_equal(count_traces(), 0);
}

static int setup(void **state)
{
    if (scratch_setup(state) < 0)
        return -1;
    make_files();
    learn_needle("plain", NEEDLE_OFF, NEEDLE_LEN);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(files_leave_no_trace),
        cmocka_unit_test(helpers_leave_no_trace),
        cmocka_unit_test(answers_leave_no_trace),
        cmocka_unit_test(session_tokens_leave_no_trace),
        cmocka_unit_test(keys_leave_no_trace_as_text),
        cmocka_unit_test(keys_leave_no_trace_as_bytes),
        cmocka_unit_test(keys_leave_no_trace_as_numbers),
    };

    (void)argc;
    ofs_bind_now(argv);
    ofs_openssl_wipe_start();
    return cmocka_run_group_tests(tests, setup, scratch_teardown);
}
