/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/docker_auth.h"

#include "docker_helper.h"
#include "docker_places.h"
#include "json_wipe.h"

#include "ocirfs/clock.h"
#include "ocirfs/file.h"
#include "ocirfs/flight.h"
#include "ocirfs/log.h"

#include <fcntl.h>

enum {
    FILE_MAX_BYTES = 1024 * 1024,
    KEEP_MS = 30 * 1000, /* a helper's answer */
    ANSWERS_MAX = 64,    /* hosts and helpers are few; a bound all the same */
};

/*
 * What a helper said a moment ago.  Each repository has its token, and without
 * this a listing of a thousand of them would start a thousand helpers, maybe
 * with a question to the user each.  Short, and forgotten on demand, because
 * what a helper hands out may end.
 */
struct answer {
    struct answer *next;
    char *suffix, *host;
    struct ofs_cred cred;
    int64_t at_ms;
};

struct ofs_docker_auth {
    struct ofs_docker_places places; /* immutable after new */
    struct ofs_secret env;           /* DOCKER_AUTH_CONFIG; immutable */
    char *path;                      /* immutable */
    int64_t helper_timeout_ms;       /* immutable */
    struct ofs_flights *flights;     /* helpers that run */
    struct ofs_mutex mtx;
    struct answer *answers; /* newest first; guarded by mtx */
};

static void answer_free(struct answer *a)
{
    if (!a)
        return;
    free(a->suffix);
    free(a->host);
    ofs_cred_done(&a->cred);
    free(a);
}
OFS_DEFINE_AUTO(struct answer, answer_free)

static void answers_free(struct answer *list)
{
    while (list) {
        struct answer *next = list->next;

        answer_free(list);
        list = next;
    }
}

static int fill(struct ofs_docker_auth *a,
                const struct ofs_docker_auth_cfg *cfg)
{
    const char *env = cfg->docker_auth_config;
    const struct ofs_docker_hints hints = {
        .auth_file = cfg->auth_file,
        .registry_auth_file = cfg->registry_auth_file,
        .docker_auth_config = env,
        .docker_config = cfg->docker_config,
        .xdg_runtime_dir = cfg->xdg_runtime_dir,
        .xdg_config_home = cfg->xdg_config_home,
        .home = cfg->home,
        .uid = getuid(),
    };

    a->helper_timeout_ms = cfg->helper_timeout_ms;
    a->path = cfg->path ? strdup(cfg->path) : NULL;
    a->flights = ofs_flights_new();
    if ((cfg->path && !a->path) || !a->flights)
        return -ENOMEM;
    if (env && ofs_secret_set(&a->env, env, strlen(env)) < 0)
        return -ENOMEM;
    return ofs_docker_places_list(&hints, &a->places);
}

struct ofs_docker_auth *
ofs_docker_auth_new(const struct ofs_docker_auth_cfg *cfg, struct ofs_err *err)
{
    struct ofs_docker_auth *a = calloc(1, sizeof(*a));

    ofs_json_wipe_start();
    if (a)
        ofs_mutex_init(&a->mtx, OFS_RANK_TOKEN);
    if (!a || fill(a, cfg) < 0) {
        ofs_docker_auth_free(a);
        (void)ofs_err_nomem(err, "the places of credentials");
        return NULL;
    }
    return a;
}

void ofs_docker_auth_free(struct ofs_docker_auth *a)
{
    if (!a)
        return;
    answers_free(a->answers);
    ofs_flights_free(a->flights);
    ofs_docker_places_done(&a->places);
    ofs_secret_done(&a->env);
    ofs_mutex_done(&a->mtx);
    free(a->path);
    free(a);
}

static bool is_of(const struct answer *answer, const char *suffix,
                  const char *host)
{
    return strcmp(answer->host, host) == 0 &&
           (!suffix || strcmp(answer->suffix, suffix) == 0);
}

/* With a->mtx held.  Take out what is of that helper (NULL: any) and host, and
 * what is beyond the bound; the caller frees it outside the lock. */
static struct answer *take_out(struct ofs_docker_auth *a, const char *suffix,
                               const char *host)
{
    struct answer **link = &a->answers, *taken = NULL;
    unsigned n = 0;

    while (*link) {
        struct answer *answer = *link;

        if (n + 1 >= ANSWERS_MAX || is_of(answer, suffix, host)) {
            *link = answer->next;
            answer->next = taken;
            taken = answer;
        } else {
            link = &answer->next;
            n++;
        }
    }
    return taken;
}

void ofs_docker_auth_forget(struct ofs_docker_auth *a, const char *host)
{
    struct answer *taken;

    {
        OFS_GUARD(&a->mtx);
        taken = take_out(a, NULL, host);
    }
    answers_free(taken);
}

/* Ask about one host; what a flight and its followers share. */
struct question {
    struct ofs_docker_auth *a;
    const char *suffix, *host;
    int64_t since_ms; /* an answer from then on will do */
};

/* 1 and a copy, 0 when nothing is remembered, or -ENOMEM. */
static int recall(const struct question *q, struct ofs_cred *ret)
{
    OFS_GUARD(&q->a->mtx);
    for (const struct answer *a = q->a->answers; a; a = a->next)
        if (is_of(a, q->suffix, q->host) && a->at_ms >= q->since_ms)
            return ofs_cred_copy(&a->cred, ret) < 0 ? -ENOMEM : 1;
    return 0;
}

static void remember(const struct question *q, struct answer *fresh)
{
    struct answer *taken;

    {
        OFS_GUARD(&q->a->mtx);
        taken = take_out(q->a, q->suffix, q->host);
        fresh->next = q->a->answers;
        q->a->answers = fresh;
    }
    answers_free(taken);
}

static int run_helper(struct ofs_call *call, void *arg, struct ofs_err *err)
{
    const struct question *q = arg;
    const struct ofs_docker_helper_cfg cfg = {
        .path = q->a->path,
        .timeout_ms = q->a->helper_timeout_ms,
    };
    OFS_AUTO(answer_freep) struct answer *fresh = NULL;
    OFS_AUTOCRED struct ofs_cred known = { 0 };
    int r = recall(q, &known);

    if (r != 0)
        return r < 0 ? ofs_err_nomem(err, "a credential") : 0;
    fresh = calloc(1, sizeof(*fresh));
    if (fresh) {
        fresh->suffix = strdup(q->suffix);
        fresh->host = strdup(q->host);
    }
    if (!fresh || !fresh->suffix || !fresh->host)
        return ofs_err_nomem(err, "a credential");
    r = ofs_docker_helper_get(&cfg, call, q->suffix, q->host, &fresh->cred,
                              err);
    if (r < 0)
        return r;
    fresh->at_ms = ofs_mono_ms();
    remember(q, ofs_take(&fresh));
    return 0;
}

/*
 * A memory that is young enough, or the helper, one process at a time for all
 * who ask.  Its answer comes through the memory; should somebody forget it in
 * between, it is asked once more.
 */
static int ask_helper(struct ofs_docker_auth *a, struct ofs_call *call,
                      const char *suffix, const char *host,
                      struct ofs_cred *ret, struct ofs_err *err)
{
    /* Who may not wait gets what was last heard. */
    struct question q = { a, suffix, host,
                          call->may_wait ? ofs_mono_ms() - KEEP_MS
                                         : INT64_MIN };
    OFS_AUTOFREE char *key = ofs_strf("%s %s", suffix, host);

    if (!key)
        return ofs_err_nomem(err, "a credential");
    for (;;) {
        int r = recall(&q, ret);

        if (r < 0)
            return ofs_err_nomem(err, "a credential");
        if (r > 0)
            return 0;
        if (!call->may_wait)
            return -EAGAIN;
        r = ofs_flights_run(a->flights, key, call, run_helper, &q, err);
        if (r < 0)
            return r;
    }
}

/* One look-up, as it goes from place to place. */
struct search {
    struct ofs_docker_auth *a;
    struct ofs_call *call;
    const char *host, *repo;
    struct ofs_cred *ret;
    struct ofs_err *err;
};

/*
 * The file's helper, then the file's own entry.  docker does not look at the
 * entry when there is a helper; where the helper has nothing, or is not there,
 * an entry can only help.  When there is none, the helper's trouble counts.
 */
static int search_config(const struct search *s,
                         const struct ofs_docker_config *c, const char *origin)
{
    struct ofs_err trouble = { 0 };
    const char *suffix;
    int r = ofs_docker_config_helper(c, s->host, &suffix, s->err);

    if (r < 0)
        return r;
    if (suffix)
        r = ask_helper(s->a, s->call, suffix, s->host, s->ret, &trouble);
    if (s->ret->kind != OFS_CRED_NONE)
        return 0;
    if (r == 0 || r == -EIO || r == -EBADMSG) {
        int own =
            ofs_docker_config_cred(c, s->host, s->repo, origin, s->ret, s->err);

        if (own < 0 || s->ret->kind != OFS_CRED_NONE)
            return own;
    }
    if (r < 0 && s->err)
        *s->err = trouble;
    return r;
}

static int search_text(const struct search *s, const char *text, size_t len,
                       const struct ofs_docker_place *place)
{
    const char *origin = place->path ? place->path : "DOCKER_AUTH_CONFIG";
    OFS_AUTODOCKERCONFIG struct ofs_docker_config c = { 0 };
    int r = ofs_docker_config_parse(text, len, place->flavour, &c, s->err);

    if (r == 0)
        r = search_config(s, &c, origin);
    return r < 0 ? ofs_err_wrap(s->err, r, origin) : 0;
}

/* A file that we may not look at is not ours: HOME is another user's in many
 * a container.  One that the user named must be read. */
static bool is_absent(int r)
{
    return r == -ENOENT || r == -ENOTDIR || r == -EACCES;
}

static int search_file(const struct search *s,
                       const struct ofs_docker_place *place)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf text = OFS_BUF_INIT(FILE_MAX_BYTES);
    int r = ofs_file_read(AT_FDCWD, place->path, &text);

    if (r == 0)
        return search_text(s, ofs_buf_str(&text), text.len, place);
    if (r == -EFBIG)
        return ofs_err_set(s->err, -EBADMSG, "%s is larger than 1 MiB",
                           place->path);
    if (!place->must_exist && is_absent(r)) {
        ofs_log(OFS_DEBUG, "docker_auth: '%s' is passed over: %s", place->path,
                strerrordesc_np(-r));
        return 0;
    }
    return ofs_err_errno(s->err, -r, place->path);
}

/*
 * The first place with a hit wins.  A malformed DOCKER_AUTH_CONFIG does not
 * end the search, as with docker; but it is told when nothing else was found,
 * rather than going on as nobody.
 */
int ofs_docker_auth_find(struct ofs_docker_auth *a, struct ofs_call *call,
                         const char *host, const char *repo,
                         struct ofs_cred *ret, struct ofs_err *err)
{
    const struct search s = { a, call, host, repo, ret, err };
    struct ofs_err env_trouble = { 0 };

    for (size_t i = 0; i < a->places.n && ret->kind == OFS_CRED_NONE; i++) {
        const struct ofs_docker_place *place = &a->places.at[i];
        const struct search env = { a, call, host, repo, ret, &env_trouble };
        int r = place->path ? search_file(&s, place)
                            : search_text(&env, a->env.text, a->env.len, place);

        if (r < 0 && place->path)
            return r;
    }
    if (ret->kind != OFS_CRED_NONE || env_trouble.code == 0)
        return 0;
    if (err)
        *err = env_trouble;
    return env_trouble.code;
}
