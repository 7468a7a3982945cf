/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

enum { DEFAULT_ATTEMPTS = 4 };

static int set_url(char **to, const char *override,
                   const struct ofs_ora_region *region,
                   enum ofs_ora_service service)
{
    if (!override)
        return ofs_ora_endpoint(region, service, to);
    *to = strdup(override);
    return *to ? 0 : -ENOMEM;
}

struct ofs_ora *ofs_ora_new(const struct ofs_ora_cfg *cfg, struct ofs_err *err)
{
    OFS_AUTO(ofs_ora_freep) struct ofs_ora *o = calloc(1, sizeof(*o));

    if (!o ||
        set_url(&o->identity, cfg->identity_url, cfg->region,
                OFS_ORA_IDENTITY) < 0 ||
        set_url(&o->artifacts, cfg->artifacts_url, cfg->region,
                OFS_ORA_ARTIFACTS) < 0 ||
        set_url(&o->objectstorage, cfg->objectstorage_url, cfg->region,
                OFS_ORA_OBJECTSTORAGE) < 0) {
        (void)ofs_err_nomem(err, "the control plane's client");
        return NULL;
    }
    o->http = cfg->http;
    o->auth = cfg->auth;
    o->clock = cfg->clock;
    o->max_attempts = cfg->max_attempts ? cfg->max_attempts : DEFAULT_ATTEMPTS;
    return ofs_take(&o);
}

void ofs_ora_use_places(struct ofs_ora *o, ofs_ora_place_fn *place, void *arg)
{
    o->place = place;
    o->place_arg = arg;
}

void ofs_ora_free(struct ofs_ora *o)
{
    if (!o)
        return;
    free(o->identity);
    free(o->artifacts);
    free(o->objectstorage);
    free(o);
}

bool ofs_ora_who(struct ofs_ora *o, struct ofs_digest *ret)
{
    return ofs_ora_auth_who(o->auth, ret);
}

/* The body is a JSON string by itself: "ansh81vru1zp". */
int ofs_ora_namespace(struct ofs_ora *o, struct ofs_call *call, char **ret,
                      struct ofs_err *err)
{
    const struct ofs_ora_req req = { .method = "GET",
                                     .base = o->objectstorage,
                                     .path = "/n/" };
    OFS_AUTOORARESP struct ofs_ora_resp resp = { 0 };
    int r = ofs_ora_call(o, call, &req, &resp, err);

    if (r < 0)
        return r;
    if (!json_is_string(resp.doc))
        return ofs_err_set(err, -EBADMSG, "the namespace is no string");
    *ret = strdup(json_string_value(resp.doc));
    return *ret ? 0 : ofs_err_nomem(err, "a namespace");
}
