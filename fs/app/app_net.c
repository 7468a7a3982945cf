/* SPDX-License-Identifier: Apache-2.0 */
#include "app_priv.h"

#include "ocirfs/clock.h"
#include "ocirfs/docker_auth.h"
#include "ocirfs/http.h"
#include "ocirfs/openssl_wipe.h"
#include "ocirfs/registry.h"
#include "ocirfs/token.h"
#include "ocirfs/tree.h"

enum { WHO_MS = 5000 };

static int find_cred(void *arg, struct ofs_call *call, const char *host,
                     const char *repo, struct ofs_cred *ret,
                     struct ofs_err *err)
{
    return ofs_docker_auth_find(arg, call, host, repo, ret, err);
}

static void forget_cred(void *arg, const char *host)
{
    ofs_docker_auth_forget(arg, host);
}

static int build_docker_auth(struct ofs_app *a, struct ofs_err *err)
{
    const struct ofs_docker_auth_cfg files = {
        .auth_file = a->o->auth_file,
        .registry_auth_file = a->env->registry_auth_file,
        .docker_auth_config = a->env->docker_auth_config,
        .docker_config = a->env->docker_config,
        .xdg_runtime_dir = a->env->xdg_runtime_dir,
        .xdg_config_home = a->env->xdg_config_home,
        .home = a->env->home,
        .path = a->env->path,
    };

    /* Read at each look-up; but a wrong name should be told now. */
    if (files.auth_file && access(files.auth_file, R_OK) < 0)
        return ofs_err_set(err, -EINVAL, "auth_file '%s': %s", files.auth_file,
                           strerror(errno));
    a->docker_auth = ofs_docker_auth_new(&files, err);
    return a->docker_auth ? 0 : err->code;
}

static int build_tokens(struct ofs_app *a, struct ofs_err *err)
{
    const struct ofs_cred_source docker = { find_cred, forget_cred,
                                            a->docker_auth };
    const struct ofs_cred_source principal = ofs_app_oracle_creds(&a->ora);
    /* Who names a file does not want to be somebody else when it is refused. */
    bool docker_first = !principal.find || a->o->auth_file;
    const struct ofs_tokens_cfg tokens = {
        .http = a->http,
        .creds = docker_first ? docker : principal,
        .more_creds = docker_first ? principal : docker,
        .refusal_is_final = docker_first,
        .clock = &ofs_system_clock,
        .client_id = "ocirfs",
        .allow_plain_http = a->o->plain_http,
    };

    a->tokens = ofs_tokens_new(&tokens, err);
    return a->tokens ? 0 : err->code;
}

static int build_http(struct ofs_app *a, struct ofs_err *err)
{
    const struct ofs_http_cfg http = {
        .user_agent = "ocirfs/" OFS_VERSION,
        .ca_file = a->o->ca_file,
        .stall_timeout_ms = a->o->timeout_ms,
        .connect_timeout_ms = a->o->timeout_ms < 10000 ? a->o->timeout_ms : 0,
    };

    a->http = ofs_http_new(&http, err);
    return a->http ? ofs_http_start(a->http, err) : err->code;
}

static void advise(void *arg, const char *repo, bool writes,
                   struct ofs_buf *ret)
{
    OFS_AUTOBUF struct ofs_buf place = OFS_BUF_INIT(1024);
    struct ofs_app *a = arg;

    if (a->tree)
        ofs_tree_policy_place(a->tree, repo, &place);
    ofs_app_oracle_advise(&a->ora, writes, ofs_buf_str(&place), ret);
}

static int build_registry(struct ofs_app *a, struct ofs_err *err)
{
    const struct ofs_registry_cfg registry = {
        .advise = a->ora.on ? advise : NULL,
        .advise_arg = a,
        .url = a->ora.registry_url,
        .mirror_url = a->o->mirror,
        .http = a->http,
        .tokens = a->tokens,
        .clock = &ofs_system_clock,
        .allow_plain_http = a->o->plain_http,
    };

    a->registry = ofs_registry_new(&registry, err);
    return a->registry ? 0 : err->code;
}

/* What an earlier mount saw is for the same user only, and a helper that knows
 * him takes its time. */
static void learn_who(struct ofs_app *a)
{
    struct ofs_digest d;
    struct ofs_call call;

    ofs_call_init(&call, a->o->timeout_ms < WHO_MS ? a->o->timeout_ms : WHO_MS);
    (void)!ofs_registry_who(a->registry, &call, "", &d);
    ofs_call_done(&call);
}

int ofs_app_build_net(struct ofs_app *a, struct ofs_err *err)
{
    int r;

    ofs_openssl_wipe_start();
    r = ofs_app_oracle_find(&a->ora, a->o, a->env, err);
    if (r == 0)
        r = build_http(a, err);
    if (r == 0)
        r = build_docker_auth(a, err);
    if (r == 0)
        r = ofs_app_oracle_build(&a->ora, a->http, err);
    if (r == 0)
        r = build_tokens(a, err);
    if (r == 0)
        r = build_registry(a, err);
    if (r == 0)
        learn_who(a);
    return r;
}

/* With the first repository that was named, if it is known how the registry
 * calls it. */
static int check(struct ofs_app *a, struct ofs_call *call, struct ofs_err *err)
{
    const char *repo = a->o->repos.n ? a->o->repos.at[0] : NULL;
    OFS_AUTOFREE char *name = NULL;
    int r = ofs_app_oracle_check(&a->ora, call, err);

    if (r == 0 && repo && a->ora.on) {
        name = ofs_app_oracle_name(&a->ora, repo);
        if (!name)
            return ofs_err_nomem(err, "a name");
    }
    if (r == 0 && !repo)
        r = ofs_tree_check(a->tree, call, err);
    if (r == 0)
        r = ofs_registry_check(a->registry, call, name ? name : repo, err);
    /* With repos= the registry alone decides; what else is missing is told. */
    if (r == 0 && repo)
        r = ofs_tree_check(a->tree, call, err);
    return r;
}

int ofs_app_check_net(struct ofs_app *a, struct ofs_err *err)
{
    struct ofs_call call;
    int r;

    if (a->o->bg)
        return 0;
    ofs_call_init(&call, a->o->timeout_ms);
    r = check(a, &call, err);
    ofs_call_done(&call);
    return r;
}

void ofs_app_stop_net(struct ofs_app *a)
{
    if (a->http)
        ofs_http_stop(a->http);
    ofs_app_oracle_stop(&a->ora);
}

void ofs_app_free_net(struct ofs_app *a)
{
    ofs_registry_free(a->registry);
    ofs_tokens_free(a->tokens);
    ofs_docker_auth_free(a->docker_auth);
    ofs_app_oracle_done(&a->ora);
    ofs_http_free(a->http);
}
