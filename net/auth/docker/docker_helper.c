/* SPDX-License-Identifier: Apache-2.0 */
#include "docker_helper.h"

#include "child.h"

#include "ocirfs/json.h"
#include "ocirfs/metrics.h"

#include <fcntl.h>
#include <sys/stat.h>

enum {
    TIMEOUT_MS = 30 * 1000, /* it may ask the user for a keyring's password */
    MAX_OUTPUT = 64 * 1024,
    PATH_BYTES_MAX = 4096,
    COMPLAINT_MAX = 160,
    WORD_MAX_BYTES = 32, /* a longer one in a complaint may be a secret */
};

static const char usual_path[] = "/usr/local/bin:/usr/bin:/bin";
static const char not_found[] = "credentials not found in native keychain";

static struct ofs_metric helper_runs = OFS_COUNTER(
    "ocirfs_helper_runs_total", "Credential helpers that were started.");

struct answer {
    char *user, *secret; /* owned */
};

static const struct ofs_json_field answer_fields[] = {
    { "Username", OFS_JSON_STR, offsetof(struct answer, user), true },
    { "Secret", OFS_JSON_STR, offsetof(struct answer, secret), true },
    { 0 },
};

static void answer_done(struct answer *a)
{
    ofs_wipe_free(a->user);
    ofs_wipe_free(a->secret);
}

static bool is_program(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && S_ISREG(st.st_mode) &&
           faccessat(AT_FDCWD, path, X_OK, AT_EACCESS) == 0;
}

/*
 * Where `name` is, in `b`.  Directories that are not absolute are passed over:
 * what runs must not depend on where the daemon happens to stand.
 */
static int find_program(const char *path, const char *name, struct ofs_buf *b,
                        struct ofs_err *err)
{
    const char *dirs = path ? path : usual_path;

    while (*dirs) {
        size_t len = strcspn(dirs, ":");

        ofs_buf_reset(b);
        (void)ofs_buf_addf(b, "%.*s/%s", (int)len, dirs, name);
        if (b->failed == -ENOMEM)
            return ofs_err_nomem(err, name);
        if (*dirs == '/' && !b->failed && is_program(ofs_buf_str(b)))
            return 0;
        dirs += len;
        dirs += *dirs == ':';
    }
    return ofs_err_set(err, -EIO, "there is no %s in PATH", name);
}

static size_t trimmed_len(const char *text, size_t len)
{
    while (len > 0 && strchr(" \t\r\n", text[len - 1]))
        len--;
    return len;
}

/* Could there be a secret in it?  A complaint is a sentence; an answer is
 * JSON, and a token is a long word. */
static bool is_harmless(const char *text, size_t len)
{
    size_t word = 0;

    if (len == 0 || len > COMPLAINT_MAX)
        return false;
    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        word = c == ' ' ? 0 : word + 1;
        if (c < ' ' || c > '~' || strchr("{}\"", c) || word > WORD_MAX_BYTES)
            return false;
    }
    return memchr(text, ' ', len) != NULL;
}

static int failed(const char *name, const struct ofs_child_result *result,
                  struct ofs_err *err)
{
    const char *text = ofs_buf_str(&result->output);
    size_t len = trimmed_len(text, result->output.len);

    if (result->signal)
        return ofs_err_set(err, -EIO, "%s was ended by signal %d", name,
                           result->signal);
    if (is_harmless(text, len))
        return ofs_err_set(err, -EIO, "%s: %.*s", name, (int)len, text);
    return ofs_err_set(err, -EIO, "%s failed with exit status %d", name,
                       result->exit_code);
}

static bool says_not_found(const struct ofs_child_result *result)
{
    const char *text = ofs_buf_str(&result->output);

    return trimmed_len(text, result->output.len) == strlen(not_found) &&
           ofs_str_starts(text, not_found);
}

static int decode(const struct ofs_buf *output, const char *origin,
                  struct ofs_cred *ret, struct ofs_err *err)
{
    OFS_AUTO(answer_done) struct answer a = { 0 };
    OFS_AUTOJSON json_t *doc = NULL;
    struct ofs_secret secret; /* borrows */
    int r = ofs_json_parse(ofs_buf_str(output), output->len, &doc, err);

    if (r == 0)
        r = ofs_json_decode(doc, answer_fields, &a, err);
    if (r < 0)
        return r;
    secret.text = a.secret;
    secret.len = strlen(a.secret);
    if (!*a.user && secret.len == 0)
        return 0;
    return ofs_cred_make(OFS_CRED_BASIC, a.user, &secret, origin, ret, err);
}

/* An exit status that was not told is one that the answer speaks for. */
static int judge(const char *name, const struct ofs_child_result *result,
                 struct ofs_cred *ret, struct ofs_err *err)
{
    int r;

    if (result->exit_code != 0 && says_not_found(result))
        return 0;
    if (result->signal || result->exit_code > 0)
        return failed(name, result, err);
    r = decode(&result->output, name, ret, err);
    return r < 0 ? ofs_err_wrap(err, r, name) : 0;
}

int ofs_docker_helper_get(const struct ofs_docker_helper_cfg *cfg,
                          struct ofs_call *call, const char *suffix,
                          const char *host, struct ofs_cred *ret,
                          struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf program = OFS_BUF_INIT(PATH_BYTES_MAX);
    OFS_AUTOFREE char *name = ofs_strf("docker-credential-%s", suffix);
    OFS_AUTOCHILD struct ofs_child_result result = { 0 };
    struct ofs_child what = {
        .name = name,
        .arg = "get",
        .input = host,
        .max_output = MAX_OUTPUT,
        .timeout_ms = cfg->timeout_ms > 0 ? cfg->timeout_ms : TIMEOUT_MS,
    };
    int r;

    if (!name)
        return ofs_err_nomem(err, "a credential helper");
    r = find_program(cfg->path, name, &program, err);
    if (r < 0)
        return r;
    what.program = ofs_buf_str(&program);
    ofs_metric_add(&helper_runs, 1);
    r = ofs_child_run(&what, call, &result, err);
    if (r == -EFBIG) { /* the sentence stays: it names the limit */
        if (err)
            err->code = -EBADMSG;
        return -EBADMSG;
    }
    return r < 0 ? r : judge(name, &result, ret, err);
}
