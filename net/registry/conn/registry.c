/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include "ocirfs/mediatype.h"
#include "ocirfs/ref.h"

enum {
    HINTS_MAX = 4096,
    DEFAULT_PROBE_MS = 1000,
};

static void end_done(struct reg_end *end)
{
    ofs_url_done(&end->url);
    free(end->base);
    free(end->origin);
    free(end->host);
}

static int check_url(const struct ofs_url *url, bool allow_plain_http,
                     struct ofs_err *err)
{
    if (strchr(url->target, '?'))
        return ofs_err_set(err, -EINVAL, "a registry's URL has no query");
    if (strcmp(url->scheme, "http") == 0 && !allow_plain_http &&
        !ofs_url_is_loopback(url))
        return ofs_err_set(err, -EINVAL,
                           "plain http to '%s' is refused; plain_http allows "
                           "it",
                           url->host);
    return 0;
}

/* Bytes of a path without the slashes at its end. */
static size_t trimmed(const char *path)
{
    size_t len = strlen(path);

    while (len > 0 && path[len - 1] == '/')
        len--;
    return len;
}

static int end_init(struct reg_end *end, const char *text,
                    bool allow_plain_http, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf origin = OFS_BUF_INIT(1024);
    int r = ofs_url_parse(text, &end->url, err);

    if (r == 0)
        r = check_url(&end->url, allow_plain_http, err);
    if (r < 0)
        return ofs_err_wrap(err, r == -ENOMEM ? r : -EINVAL, text);
    (void)ofs_url_origin(&end->url, &origin);
    end->origin = ofs_buf_take(&origin);
    if (!end->origin)
        return ofs_err_nomem(err, "a registry");
    end->base = ofs_strf("%s%.*s/v2/", end->origin,
                         (int)trimmed(end->url.target), end->url.target);
    end->host = strdup(strstr(end->origin, "://") + 3);
    return end->base && end->host ? 0 : ofs_err_nomem(err, "a registry");
}

static int parts_init(struct ofs_registry *r,
                      const struct ofs_registry_cfg *cfg, struct ofs_err *err)
{
    int e = end_init(&r->source, cfg->url, cfg->allow_plain_http, err);

    if (e == 0 && cfg->mirror_url) {
        r->has_mirror = true;
        r->mirror.is_mirror = true;
        e = end_init(&r->mirror, cfg->mirror_url, cfg->allow_plain_http, err);
    }
    if (e < 0)
        return e;
    r->accept = ofs_strf("Accept: %s", ofs_manifest_accept);
    if (!r->accept || ofs_reg_memo_init(&r->memo, HINTS_MAX) < 0)
        return ofs_err_nomem(err, "a registry");
    return 0;
}

struct ofs_registry *ofs_registry_new(const struct ofs_registry_cfg *cfg,
                                      struct ofs_err *err)
{
    OFS_AUTO(ofs_registry_freep)
    struct ofs_registry *r = calloc(1, sizeof(*r));

    if (!r) {
        (void)ofs_err_nomem(err, "a registry");
        return NULL;
    }
    r->http = cfg->http;
    r->tokens = cfg->tokens;
    r->advise = cfg->advise;
    r->advise_arg = cfg->advise_arg;
    r->clock = cfg->clock ? cfg->clock : &ofs_system_clock;
    r->probe_ms = cfg->probe_ms > 0 ? cfg->probe_ms : DEFAULT_PROBE_MS;
    r->source.r = r;
    r->mirror.r = r;
    ofs_mutex_init(&r->mtx, OFS_RANK_REGISTRY);
    ofs_thread_init(&r->health.prober);
    if (parts_init(r, cfg, err) < 0)
        return NULL;
    return ofs_take(&r);
}

void ofs_registry_free(struct ofs_registry *r)
{
    if (!r)
        return;
    ofs_registry_stop(r);
    ofs_thread_done(&r->health.prober);
    ofs_mutex_done(&r->mtx);
    ofs_reg_memo_done(&r->memo);
    free(r->accept);
    end_done(&r->source);
    end_done(&r->mirror);
    free(r);
}

const char *ofs_registry_host(const struct ofs_registry *r)
{
    return r->source.host;
}

static int add_who(struct ofs_registry *r, struct ofs_call *call,
                   const struct reg_end *end, const char *repo,
                   struct ofs_buf *b)
{
    char text[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d;
    int e = ofs_tokens_who(r->tokens, call, end->origin, repo, &d);

    return e < 0 ? e : ofs_buf_adds(b, ofs_digest_format(&d, text));
}

/* A list may be a mirror's, which has other users. */
static int find_who(struct ofs_registry *r, struct ofs_call *call,
                    const char *repo, struct ofs_digest *ret)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(2 * OFS_DIGEST_TEXT_MAX);
    int e = add_who(r, call, &r->source, repo, &b);

    if (e == 0 && r->has_mirror)
        e = add_who(r, call, &r->mirror, repo, &b);
    return e < 0 ? e : ofs_digest_of(OFS_SHA256, b.data, b.len, ret);
}

int ofs_registry_who(struct ofs_registry *r, struct ofs_call *call,
                     const char *repo, struct ofs_digest *ret)
{
    struct ofs_call at_once;
    int e;

    if (call)
        return find_who(r, call, repo, ret);
    ofs_call_init(&at_once, OFS_NEVER);
    at_once.may_wait = false;
    e = find_who(r, &at_once, repo, ret);
    ofs_call_done(&at_once);
    return e;
}

int ofs_reg_check_repo(const char *repo, struct ofs_err *err)
{
    if (ofs_repo_is_valid(repo))
        return 0;
    return ofs_err_set(err, -ENOENT, "'%s' cannot be a repository's name",
                       repo);
}

static char *hint_key(const struct reg_end *end, enum reg_hint hint,
                      const char *name)
{
    return ofs_strf("%c%c%s", (char)hint, end->is_mirror ? 'm' : 's', name);
}

void ofs_reg_note(struct reg_end *end, enum reg_hint hint, const char *name,
                  const char *text, int64_t ttl_ms)
{
    struct ofs_registry *r = end->r;
    OFS_AUTOFREE char *key = hint_key(end, hint, name);
    int64_t now = r->clock->mono_ms(r->clock);

    OFS_GUARD(&r->mtx);
    if (key)
        ofs_reg_memo_put(&r->memo, key, text, now + ttl_ms);
}

char *ofs_reg_noted(struct reg_end *end, enum reg_hint hint, const char *name)
{
    struct ofs_registry *r = end->r;
    OFS_AUTOFREE char *key = hint_key(end, hint, name);
    int64_t now = r->clock->mono_ms(r->clock);
    const char *text;

    OFS_GUARD(&r->mtx);
    text = key ? ofs_reg_memo_get(&r->memo, key, now) : NULL;
    return text ? strdup(text) : NULL;
}

void ofs_reg_unnote(struct reg_end *end, enum reg_hint hint, const char *name,
                    const char *text)
{
    struct ofs_registry *r = end->r;
    OFS_AUTOFREE char *key = hint_key(end, hint, name);

    OFS_GUARD(&r->mtx);
    if (key)
        ofs_reg_memo_forget(&r->memo, key, text);
}
