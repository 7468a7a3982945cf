/* SPDX-License-Identifier: Apache-2.0 */
#include "app_oracle.h"

#include "ocirfs/clock.h"
#include "ocirfs/http.h"
#include "ocirfs/oracle.h"
#include "ocirfs/url.h"

/* ---- what SOURCE is ---- */

static int set_regions(struct ofs_app_oracle *c, struct ofs_err *err)
{
    const char *home = c->env->home;

    if (home) {
        c->regions_file = ofs_strf("%s/.oci/regions-config.json", home);
        if (!c->regions_file)
            return ofs_err_nomem(err, "the regions");
    }
    c->regions = (struct ofs_ora_region_cfg){
        .metadata = c->env->oci_region_metadata,
        .default_realm = c->env->oci_default_realm,
        .config_file = c->regions_file,
    };
    return 0;
}

static int set_url(char **to, const char *text, struct ofs_err *err)
{
    *to = strdup(text);
    return *to ? 0 : ofs_err_nomem(err, "a URL");
}

/* A source that is a host's name stays that host for all calls, since tokens
 * and docker's credentials belong to a name. */
static int set_region_url(struct ofs_app_oracle *c, struct ofs_err *err)
{
    c->on = true;
    if (c->o->registry)
        return set_url(&c->registry_url, c->o->registry, err);
    if (strchr(c->o->source, '.'))
        c->registry_url = ofs_strf("https://%s", c->o->source);
    else if (ofs_ora_endpoint(&c->region, OFS_ORA_REGISTRY, &c->registry_url) <
             0)
        c->registry_url = NULL;
    return c->registry_url ? 0 : ofs_err_nomem(err, "a URL");
}

static int find_by_url(struct ofs_app_oracle *c, struct ofs_err *err)
{
    int r = 0;

    if (c->o->registry)
        return ofs_err_set(err, -EINVAL,
                           "registry= goes with a region as SOURCE; '%s' is "
                           "the registry itself",
                           c->o->source);
    if (c->o->region) {
        c->on = true;
        r = ofs_ora_region_find(c->o->region, &c->regions, &c->region, err);
    }
    return r < 0 ? r : set_url(&c->registry_url, c->o->source, err);
}

int ofs_app_oracle_find(struct ofs_app_oracle *c, const struct ofs_options *o,
                        const struct ofs_env *env, struct ofs_err *err)
{
    int r;

    c->o = o;
    c->env = env;
    r = set_regions(c, err);
    if (r < 0)
        return r;
    if (strstr(o->source, "://"))
        return find_by_url(c, err);
    if (o->region)
        return ofs_err_set(err, -EINVAL,
                           "region= goes with a URL as SOURCE; '%s' names the "
                           "region itself",
                           o->source);
    r = ofs_ora_region_of_source(o->source, &c->regions, &c->region);
    if (r == -ENOENT)
        return ofs_err_set(err, -EINVAL,
                           "'%s' is no region of OCI, no name of its registry "
                           "(gru.ocir.io), and no URL (https://...)",
                           o->source);
    return r < 0 ? ofs_err_nomem(err, "a region") : set_region_url(c, err);
}

/* ---- signing in ---- */

/* Signatures, like passwords, go in the clear to this machine only. */
static int check_endpoints(const struct ofs_app_oracle *c, struct ofs_err *err)
{
    const struct {
        const char *name, *url;
    } rows[] = {
        { "identity", c->o->identity },
        { "artifacts", c->o->artifacts },
        { "objectstorage", c->o->objectstorage },
        { "federation", c->o->federation },
    };

    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOURL struct ofs_url url = { 0 };

        if (!rows[i].url)
            continue;
        if (ofs_url_parse(rows[i].url, &url, err) < 0)
            return ofs_err_wrap(err, -EINVAL, rows[i].name);
        if (strcmp(url.scheme, "https") != 0 && !ofs_url_is_loopback(&url) &&
            !c->o->plain_http)
            return ofs_err_set(err, -EINVAL,
                               "%s=%s: plain http is refused; plain_http "
                               "allows it",
                               rows[i].name, rows[i].url);
    }
    return 0;
}

static int build_direct(struct ofs_app_oracle *c, struct ofs_err *err)
{
    const struct ofs_http_cfg http = {
        .user_agent = "ocirfs/" OFS_VERSION,
        .no_proxy = true,
    };

    c->direct = ofs_http_new(&http, err);
    return c->direct ? ofs_http_start(c->direct, err) : err->code;
}

static int sign_in(struct ofs_app_oracle *c, struct ofs_http *http,
                   struct ofs_err *err)
{
    const struct ofs_ora_auth_cfg cfg = {
        .kind = c->o->auth ? c->o->auth : "auto",
        .config_file = c->o->config,
        .profile = c->o->profile,
        .auth_endpoint = c->o->federation,
        .service_account_dir = c->o->service_account,
        .env = c->env->ora,
        .regions = &c->regions,
        .region = c->region.identifier,
        .http = http,
        .http_direct = c->direct,
        .clock = &ofs_system_clock,
        .may_be_offline = c->o->bg,
    };
    struct ofs_call call;
    int r;

    ofs_call_init(&call, c->o->timeout_ms);
    r = ofs_ora_auth_open(&cfg, &call, &c->auth, err);
    ofs_call_done(&call);
    return r;
}

static int set_host(struct ofs_app_oracle *c, struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url url = { 0 };
    OFS_AUTOBUF struct ofs_buf origin = OFS_BUF_INIT(1024);
    int r = ofs_url_parse(c->registry_url, &url, err);

    if (r < 0)
        return ofs_err_wrap(err, -EINVAL, c->registry_url);
    if (ofs_url_origin(&url, &origin) == 0)
        c->registry_host = strdup(strstr(ofs_buf_str(&origin), "://") + 3);
    return c->registry_host ? 0 : ofs_err_nomem(err, "a URL");
}

static int build_client(struct ofs_app_oracle *c, struct ofs_http *http,
                        struct ofs_err *err)
{
    const struct ofs_ora_cfg cfg = {
        .http = http,
        .auth = c->auth,
        .region = &c->region,
        .identity_url = c->o->identity,
        .artifacts_url = c->o->artifacts,
        .objectstorage_url = c->o->objectstorage,
        .clock = &ofs_system_clock,
    };

    c->client = ofs_ora_new(&cfg, err);
    return c->client ? 0 : err->code;
}

int ofs_app_oracle_build(struct ofs_app_oracle *c, struct ofs_http *http,
                         struct ofs_err *err)
{
    int r;

    if (!c->on)
        return 0;
    r = check_endpoints(c, err);
    if (r == 0)
        r = set_host(c, err);
    if (r == 0)
        r = build_direct(c, err);
    if (r == 0)
        r = sign_in(c, http, err);
    if (r == 0)
        r = build_client(c, http, err);
    return r;
}

/* ---- the check before the mount ---- */

/* A wrong one would make every repository a stranger's. */
static int check_namespace(struct ofs_app_oracle *c, struct ofs_call *call,
                           struct ofs_err *err)
{
    const char *said = c->o->namespace_name;
    int r = ofs_ora_namespace(c->client, call, &c->namespace_name, err);

    if (r == 0 && said && strcmp(said, c->namespace_name) != 0)
        return ofs_err_set(err, -EINVAL,
                           "namespace=%s is not this tenancy's; it is '%s'",
                           said, c->namespace_name);
    if (r < 0 && said)
        return 0; /* whoever says it wants to do without the question */
    return r < 0 ? ofs_err_wrap(err, r, "the tenancy's namespace") : 0;
}

int ofs_app_oracle_check(struct ofs_app_oracle *c, struct ofs_call *call,
                         struct ofs_err *err)
{
    return c->on ? check_namespace(c, call, err) : 0;
}

/* ---- for others ---- */

static int find_principal(void *arg, struct ofs_call *call, const char *host,
                          const char *repo, struct ofs_cred *ret,
                          struct ofs_err *err)
{
    const struct ofs_app_oracle *c = arg;

    (void)call;
    (void)repo;
    if (strcmp(host, c->registry_host) != 0)
        return 0; /* a mirror has other users */
    return ofs_cred_sign(c->auth, ofs_ora_auth_kind(c->auth), ret) < 0
               ? ofs_err_nomem(err, "a credential")
               : 0;
}

void ofs_app_oracle_advise(const struct ofs_app_oracle *c, bool writes,
                           const char *place, struct ofs_buf *ret)
{
    (void)ofs_buf_addf(
        ret, "perhaps a policy is missing: Allow %s to %s repos in %s",
        ofs_ora_auth_grantee(c->auth), writes ? "manage" : "read",
        *place ? place : "tenancy");
}

struct ofs_cred_source ofs_app_oracle_creds(struct ofs_app_oracle *c)
{
    if (!c->on)
        return (struct ofs_cred_source){ 0 };
    return (struct ofs_cred_source){ .find = find_principal, .arg = c };
}

/* Missing rights hide things; whoever misses them should be able to see why. */
static void warn(void *arg, const char *sentence)
{
    (void)arg;
    ofs_log(OFS_WARN, "ocir: %s", sentence);
}

/* NULL: not known yet. */
static const char *namespace_of(const struct ofs_app_oracle *c)
{
    return c->namespace_name ? c->namespace_name : c->o->namespace_name;
}

char *ofs_app_oracle_name(const struct ofs_app_oracle *c, const char *repo)
{
    return ofs_strf("%s/%s", namespace_of(c), repo);
}

struct ofs_ocir_cfg ofs_app_oracle_tree(const struct ofs_app_oracle *c)
{
    if (!c->on)
        return (struct ofs_ocir_cfg){ 0 };
    return (struct ofs_ocir_cfg){
        .ora = c->client,
        .tenancy = ofs_ora_auth_tenancy(c->auth),
        .namespace_name = namespace_of(c),
        .compartment = c->o->compartment,
        .warn = warn,
    };
}

void ofs_app_oracle_stop(struct ofs_app_oracle *c)
{
    if (c->direct)
        ofs_http_stop(c->direct);
}

void ofs_app_oracle_done(struct ofs_app_oracle *c)
{
    ofs_ora_free(c->client);
    ofs_ora_auth_free(c->auth);
    ofs_http_free(c->direct);
    free(c->registry_url);
    free(c->registry_host);
    free(c->regions_file);
    free(c->namespace_name);
    *c = (struct ofs_app_oracle){ 0 };
}
