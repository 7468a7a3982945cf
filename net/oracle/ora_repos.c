/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

#define REPOSITORIES "/20160918/container/repositories"

void ofs_ora_repositories_done(struct ofs_ora_repositories *r)
{
    for (size_t i = 0; i < r->n; i++)
        ofs_ora_repository_done(&r->at[i]);
    free(r->at);
    *r = (struct ofs_ora_repositories){ 0 };
}

/* Repositories that are being deleted are not there for a user. */
static bool is_available(const json_t *item)
{
    const char *state =
        json_string_value(json_object_get(item, "lifecycleState"));

    return !state || ofs_str_ieq(state, "AVAILABLE");
}

static int add(const json_t *item, void *arg, struct ofs_err *err)
{
    struct ofs_ora_repositories *to = arg;
    int r = 0;

    if (!is_available(item))
        return 0;
    r = ofs_vec_grow(to->at, to->n, to->room);
    if (r < 0)
        return ofs_err_nomem(err, "a list of repositories");
    r = ofs_ora_repository_decode(item, &to->at[to->n], err);
    to->n += r == 0;
    return r < 0 ? r : 0;
}

int ofs_ora_list_repositories(struct ofs_ora *o, struct ofs_call *call,
                              const char *compartment_id, bool subtree,
                              struct ofs_ora_repositories *ret,
                              struct ofs_err *err)
{
    const char *const query[] = {
        "compartmentId",
        compartment_id,
        "compartmentIdInSubtree",
        subtree ? "true" : NULL,
        "limit",
        "1000",
        NULL,
    };
    OFS_AUTOFREE char *path = ofs_ora_path(REPOSITORIES, query);
    OFS_AUTO(ofs_ora_repositories_done)
    struct ofs_ora_repositories found = { 0 };
    const struct ofs_ora_lister lister = { add, &found, OFS_ORA_READ_REPOS,
                                           subtree ? NULL : compartment_id };
    int r = ofs_ora_list(o, call, o->artifacts, path, &lister, err);

    if (r == 0) {
        *ret = found;
        found = (struct ofs_ora_repositories){ 0 };
    }
    return r;
}

/* A call about one repository; its answer, where it is one, into `ret`. */
static int call_one(struct ofs_ora *o, struct ofs_call *call,
                    const struct ofs_ora_req *req,
                    struct ofs_ora_repository *ret, struct ofs_err *err)
{
    OFS_AUTOORARESP struct ofs_ora_resp resp = { 0 };
    int r = req->path ? ofs_ora_call(o, call, req, &resp, err)
                      : ofs_err_nomem(err, "a request");

    if (r < 0 || !ret)
        return r;
    r = ofs_ora_repository_decode(resp.doc, ret, err);
    if (r == 0)
        ret->etag = ofs_take(&resp.etag);
    return r;
}

int ofs_ora_get_repository(struct ofs_ora *o, struct ofs_call *call,
                           const char *id, struct ofs_ora_repository *ret,
                           struct ofs_err *err)
{
    OFS_AUTOFREE char *path = ofs_ora_path_of(REPOSITORIES "/", id, "");
    const struct ofs_ora_req req = {
        .method = "GET", .base = o->artifacts, .path = path, .in = id
    };

    return call_one(o, call, &req, ret, err);
}

/* JSON text of `doc`, which it takes; NULL: no memory. */
static char *dump(json_t *doc)
{
    char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;

    json_decref(doc);
    return text;
}

/* `req` says where and, in its policy, for what. */
static int post(struct ofs_ora *o, struct ofs_call *call,
                struct ofs_ora_req *req, json_t *body,
                struct ofs_ora_repository *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *text = dump(body);
    char token[OFS_ORA_RETRY_TOKEN_MAX];

    if (!text)
        return ofs_err_nomem(err, "a request");
    if (ofs_ora_retry_token(token) < 0)
        return ofs_err_set(err, -EIO, "no random numbers");
    req->method = "POST";
    req->base = o->artifacts;
    req->body = text;
    req->retry_token = token;
    req->needs = OFS_ORA_MANAGE_REPOS;
    return call_one(o, call, req, ret, err);
}

int ofs_ora_create_repository(struct ofs_ora *o, struct ofs_call *call,
                              const char *compartment_id, const char *name,
                              struct ofs_ora_repository *ret,
                              struct ofs_err *err)
{
    struct ofs_ora_req req = { .path = REPOSITORIES, .in = compartment_id };

    return post(o, call, &req,
                json_pack("{s:s, s:s}", "compartmentId", compartment_id,
                          "displayName", name),
                ret, err);
}

int ofs_ora_delete_repository(struct ofs_ora *o, struct ofs_call *call,
                              const char *id, const char *etag,
                              struct ofs_err *err)
{
    OFS_AUTOFREE char *path = ofs_ora_path_of(REPOSITORIES "/", id, "");
    const struct ofs_ora_req req = { .method = "DELETE",
                                     .base = o->artifacts,
                                     .path = path,
                                     .if_match = etag,
                                     .needs = OFS_ORA_MANAGE_REPOS,
                                     .in = id };

    return call_one(o, call, &req, NULL, err);
}

int ofs_ora_move_repository(struct ofs_ora *o, struct ofs_call *call,
                            const char *id, const char *compartment_id,
                            struct ofs_err *err)
{
    OFS_AUTOFREE char *path =
        ofs_ora_path_of(REPOSITORIES "/", id, "/actions/changeCompartment");

    struct ofs_ora_req req = { .path = path,
                               .in = id,
                               .and_in = compartment_id };

    return post(o, call, &req,
                json_pack("{s:s}", "compartmentId", compartment_id), NULL, err);
}

static json_t *describe(const struct ofs_ora_repository_change *c)
{
    json_t *doc = json_object();
    int bad = 0;

    if (c->is_public >= 0)
        bad |= json_object_set_new(doc, "isPublic", json_boolean(c->is_public));
    if (c->is_immutable >= 0)
        bad |= json_object_set_new(doc, "isImmutable",
                                   json_boolean(c->is_immutable));
    if (c->readme)
        bad |= json_object_set_new(
            doc, "readme",
            json_pack("{s:s, s:s}", "content", c->readme, "format",
                      c->readme_format ? c->readme_format : "TEXT_MARKDOWN"));
    if (!bad)
        return doc;
    json_decref(doc);
    return NULL;
}

int ofs_ora_update_repository(struct ofs_ora *o, struct ofs_call *call,
                              const char *id,
                              const struct ofs_ora_repository_change *change,
                              struct ofs_err *err)
{
    OFS_AUTOFREE char *path = ofs_ora_path_of(REPOSITORIES "/", id, "");
    OFS_AUTOFREE char *body = dump(describe(change));
    const struct ofs_ora_req req = { .method = "PUT",
                                     .base = o->artifacts,
                                     .path = path,
                                     .body = body,
                                     .needs = OFS_ORA_MANAGE_REPOS,
                                     .in = id };

    if (!body)
        return ofs_err_set(err, -EINVAL, "a readme must be UTF-8 text");
    return call_one(o, call, &req, NULL, err);
}
