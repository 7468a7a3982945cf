/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A compute instance, as itself: certificate and key from the metadata
 * service, a token from federation.  Both are fetched anew at each renewal,
 * since the certificate rotates.
 */
#include "ora_config.h"
#include "ora_federation.h"
#include "ora_imds.h"

#include "ocirfs/clock.h"
#include "ocirfs/ora_auth.h"

enum { PEM_MAX_BYTES = 64 * 1024, PROBE_MS = 1000 };

struct instance {
    struct ofs_ora_principal base;
    struct ofs_http *http, *http_direct;
    char *metadata_url, *endpoint; /* owned */
    char *obo_file;                /* delegation: owned; NULL: none */
};

static void instance_done(struct ofs_ora_principal *p)
{
    struct instance *i = (struct instance *)p;

    free(i->metadata_url);
    free(i->endpoint);
    free(i->obo_file);
}

static int get_metadata(const struct instance *i, struct ofs_call *call,
                        const char *path, struct ofs_buf *b,
                        struct ofs_err *err)
{
    return ofs_ora_imds_get(i->http_direct, call, i->metadata_url, path, b,
                            err);
}

/* 1 s is enough for a link-local address; elsewhere nobody should wait. */
static int probe_region(const struct instance *i, struct ofs_call *call,
                        struct ofs_buf *b, struct ofs_err *err)
{
    int64_t deadline_ms = call->deadline_ms;
    int64_t left_ms = ofs_call_left_ms(call);
    int r;

    if (left_ms > PROBE_MS)
        call->deadline_ms = ofs_mono_ms() + PROBE_MS;
    r = get_metadata(i, call, "instance/region", b, err);
    call->deadline_ms = deadline_ms;
    if (r < 0 && r != -EINTR && r != -EAGAIN)
        return ofs_err_set(err, -ENOENT,
                           "this is no OCI instance: its metadata service does "
                           "not answer");
    return r;
}

/* A region that is newer than our table describes itself. */
static int describe_region(const struct instance *i,
                           const struct ofs_ora_region_cfg *known,
                           const char *name, struct ofs_call *call,
                           struct ofs_ora_region *ret, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf info = OFS_BUF_INIT(64 * 1024);
    struct ofs_ora_region_cfg cfg = { 0 };

    if (known)
        cfg = *known;
    if (ofs_ora_region_of_source(name, &cfg, ret) == 0)
        return 0;
    if (get_metadata(i, call, "instance/regionInfo", &info, NULL) == 0)
        cfg.metadata = ofs_buf_str(&info);
    return ofs_ora_region_find(name, &cfg, ret, err);
}

static int find_region(struct instance *i, const struct ofs_ora_auth_cfg *cfg,
                       struct ofs_call *call, struct ofs_ora_region *ret,
                       struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1024);
    int r = probe_region(i, call, &b, err);

    if (r < 0)
        return r;
    ofs_buf_trim(&b);
    return describe_region(i, cfg->regions, ofs_buf_str(&b), call, ret, err);
}

/* People write the base with and without its last slash. */
static int set_metadata_url(struct instance *i, const char *url,
                            struct ofs_err *err)
{
    if (!url || !*url)
        return 0;
    i->metadata_url = ofs_strf("%s%s", url, ofs_str_ends(url, "/") ? "" : "/");
    return i->metadata_url ? 0 : ofs_err_nomem(err, "a principal");
}

static int instance_open(struct ofs_ora_principal *p,
                         const struct ofs_ora_auth_cfg *cfg,
                         struct ofs_call *call, struct ofs_err *err)
{
    struct instance *i = (struct instance *)p;
    struct ofs_ora_region region;
    int r;

    i->http = cfg->http;
    i->http_direct = cfg->http_direct;
    r = set_metadata_url(i, cfg->env.metadata_url, err);
    if (r == 0)
        r = find_region(i, cfg, call, &region, err);
    if (r < 0)
        return r;
    i->base.region = strdup(region.identifier);
    if (cfg->auth_endpoint)
        i->endpoint = strdup(cfg->auth_endpoint);
    else if (ofs_ora_endpoint(&region, OFS_ORA_AUTH, &i->endpoint) < 0)
        i->endpoint = NULL;
    if (!i->base.region || !i->endpoint)
        return ofs_err_nomem(err, "a principal");
    return 0;
}

/* An instance does not change its tenancy; a certificate that does is wrong. */
static int check_tenancy(struct ofs_ora_principal *p,
                         const struct ofs_ora_cert *cert, struct ofs_err *err)
{
    if (!p->tenancy) {
        p->tenancy = strdup(cert->tenancy);
        return p->tenancy ? 0 : ofs_err_nomem(err, "a tenancy");
    }
    if (strcmp(p->tenancy, cert->tenancy) == 0)
        return 0;
    return ofs_err_set(err, -EBADMSG,
                       "the instance's certificate is of another tenancy now");
}

static int instance_fetch(struct ofs_ora_principal *p, struct ofs_call *call,
                          struct ofs_ora_credential **ret, struct ofs_err *err)
{
    const struct instance *i = (const struct instance *)p;
    OFS_AUTOBUF struct ofs_buf cert = OFS_BUF_INIT(PEM_MAX_BYTES);
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf key = OFS_BUF_INIT(PEM_MAX_BYTES);
    OFS_AUTOBUF struct ofs_buf intermediate = OFS_BUF_INIT(PEM_MAX_BYTES);
    struct ofs_ora_cert says;
    const struct ofs_ora_leaf leaf = { &cert, &key, &intermediate, &says };
    int r = get_metadata(i, call, "identity/cert.pem", &cert, err);

    if (r == 0)
        r = get_metadata(i, call, "identity/key.pem", &key, err);
    if (r == 0)
        r = get_metadata(i, call, "identity/intermediate.pem", &intermediate,
                         err);
    if (r == 0)
        r = ofs_ora_cert_parse(ofs_buf_str(&cert), cert.len, &says, err);
    if (r == 0)
        r = check_tenancy(p, &says, err);
    if (r == 0)
        r = ofs_ora_federate(i->http, call, i->endpoint, &leaf, ret, err);
    return r;
}

/*
 * Cloud Shell and the like: the instance acts for a person, whose delegation
 * token lies in a file that the profile names.
 */
static int delegation_open(struct ofs_ora_principal *p,
                           const struct ofs_ora_auth_cfg *cfg,
                           struct ofs_call *call, struct ofs_err *err)
{
    OFS_AUTOPROFILE struct ofs_ora_profile profile = { 0 };
    int r = ofs_ora_profile_load(cfg, &profile, err);

    if (r < 0)
        return r;
    if (!profile.delegation_token_file)
        return ofs_err_set(err, -ENOENT,
                           "the profile has no 'delegation_token_file'");
    ((struct instance *)p)->obo_file = ofs_take(&profile.delegation_token_file);
    return instance_open(p, cfg, call, err);
}

static int delegation_fetch(struct ofs_ora_principal *p, struct ofs_call *call,
                            struct ofs_ora_credential **ret,
                            struct ofs_err *err)
{
    const char *path = ((const struct instance *)p)->obo_file;
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf token = OFS_BUF_INIT(PEM_MAX_BYTES);
    OFS_AUTO(ofs_ora_credential_unrefp) struct ofs_ora_credential *c = NULL;
    int r = ofs_ora_token_read(path, &token, err);

    if (r == 0)
        r = instance_fetch(p, call, &c, err);
    if (r == 0 && ofs_secret_set(&c->obo_token, token.data, token.len) < 0)
        r = ofs_err_nomem(err, "a credential");
    if (r < 0)
        return r;
    *ret = ofs_take(&c);
    return 0;
}

const struct ofs_ora_principal_ops ofs_ora_delegation_ops = {
    .kind = "instance_obo_user",
    .grantee = "group GROUP",
    .advice = "has the delegation token ended? open a new session",
    .bytes = sizeof(struct instance),
    .open = delegation_open,
    .fetch = delegation_fetch,
    .done = instance_done,
};

const struct ofs_ora_principal_ops ofs_ora_instance_ops = {
    .kind = "instance_principal",
    .grantee = "dynamic-group GROUP",
    .advice = "is the instance still one of that tenancy?",
    .bytes = sizeof(struct instance),
    .open = instance_open,
    .fetch = instance_fetch,
    .done = instance_done,
};
