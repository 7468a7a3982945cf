/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/reg_publish.h"

#include "reg_error.h"
#include "reg_manifests.h"
#include "reg_refuse.h"
#include "reg_repo_lock.h"

#include "ocirfs/ref.h"

enum {
    CONFLICTS_MAX = 5, /* PUTs again after a 409 */
    PAUSE_MS = 1000,   /* after one */
    HOPS_MAX = 5,
    SHOWS_MAX = 3, /* HEADs until a manifest that was taken shows */
};

struct put {
    const struct ofs_manifest_put *ask;
    struct reg_end *end;
    struct ofs_call *call;
    char *url, *scope, *what, *type; /* owned */
    char ref[OFS_DIGEST_TEXT_MAX];   /* tag (at most 128 bytes) or digest */
};

static void put_done(struct put *p)
{
    free(p->url);
    free(p->scope);
    free(p->what);
    free(p->type);
}

static int put_init(struct put *p, struct ofs_err *err)
{
    const struct ofs_manifest_put *ask = p->ask;

    if (ask->tag)
        (void)snprintf(p->ref, sizeof(p->ref), "%s", ask->tag);
    else
        (void)ofs_digest_format(ask->digest, p->ref);
    p->url = ofs_strf("%s%s/manifests/%s", p->end->base, ask->repo, p->ref);
    p->scope = ofs_reg_push_scope(ask->repo);
    p->what = ofs_strf("manifest '%.*s' of '%s'", ask->tag ? 128 : 19, p->ref,
                       ask->repo);
    p->type = ofs_strf("Content-Type: %s", ask->media_type);
    return p->url && p->scope && p->what && p->type
               ? 0
               : ofs_err_nomem(err, "a manifest");
}

/*
 * Does the registry show our manifest under that name?  1 yes, 0 no.  Before a
 * PUT a wrong "no" costs nothing; `thorough`: behind one it would be a failure.
 */
static int shows(struct put *p, bool thorough, struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    int r = ofs_reg_manifest_head(p->end, p->call, p->ask->repo, p->ref,
                                  p->scope, thorough, &info, err);

    if (r == -ENOENT)
        return 0;
    return r < 0 ? r : ofs_digest_eq(&info.digest, p->ask->digest);
}

static int pause_for(struct put *p, int64_t ms, struct ofs_err *err)
{
    return ofs_http_pause(p->end->r->http, p->call, ms, err);
}

/* The registry has taken it; now it must show. */
static int await_show(struct put *p, struct ofs_err *err)
{
    int r = shows(p, /* thorough= */ true, err);

    for (int n = 1; r == 0 && n < SHOWS_MAX; n++) {
        r = pause_for(p, PAUSE_MS, err);
        if (r == 0)
            r = shows(p, /* thorough= */ true, err);
    }
    if (r == 0)
        return ofs_err_set(err, -EBUSY,
                           "%s: %s: taken, but another one is there",
                           p->end->host, p->what);
    return r;
}

/* One PUT; any answer.  `abroad`: it is another origin's, without a token. */
static int send_to(struct put *p, const struct ofs_url *at, bool abroad,
                   struct ofs_http_resp *ret, struct ofs_err *err)
{
    const char *headers[] = { p->type, NULL };
    struct reg_req req = {
        .method = "PUT",
        .url = at->text,
        .scope = p->scope,
        .what = p->what,
        .headers = headers,
        .body = p->ask->bytes,
        .body_len = p->ask->len,
        .elsewhere = abroad,
    };

    return ofs_reg_send(p->end, p->call, &req, ret, err);
}

/* Move on to where the answer sends us, on the same host. */
static int next_place(struct put *p, const struct ofs_http_resp *resp,
                      struct ofs_url *at, struct ofs_err *err)
{
    const char *location = ofs_headers_get(&resp->headers, "Location");
    OFS_AUTOURL struct ofs_url next = { 0 };
    int r;

    if (!location)
        return ofs_reg_refuse(p->end, p->what, p->scope, resp, err);
    r = ofs_url_resolve(at, location, &next, err);
    if (r == 0)
        r = ofs_url_may_redirect(at, &next, err);
    if (r == 0 && strcmp(at->host, next.host) != 0)
        r = ofs_err_set(err, -EBADMSG, "sent on to another host, %.100s",
                        next.host);
    if (r < 0)
        return ofs_err_wrap(err, r, p->what);
    ofs_url_done(at);
    *at = next;
    next = (struct ofs_url){ 0 };
    return 0;
}

/*
 * 307 and 308 are followed with the body; as with blobs, a token does not go
 * to another origin, nor from there back.
 */
static int send_put(struct put *p, struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url at = { 0 };
    bool abroad = false;
    int r = ofs_url_parse(p->url, &at, err);

    for (int hop = 0; r == 0 && hop <= HOPS_MAX; hop++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };

        r = send_to(p, &at, abroad, &resp, err);
        if (r < 0 || (resp.status >= 200 && resp.status <= 299))
            return r;
        if (resp.status != 307 && resp.status != 308)
            return ofs_reg_refuse_change(p->end, p->what, p->scope, &resp, err);
        r = next_place(p, &resp, &at, err);
        abroad = abroad || (r == 0 && !ofs_url_same_origin(&at, &p->end->url));
    }
    return r < 0 ? r
                 : ofs_err_set(err, -EBADMSG, "%s: %s: sent in circles",
                               p->end->host, p->what);
}

/* OCIR answers so to two PUTs at once (R17). */
static bool is_conflict(int r, const struct ofs_err *err)
{
    return r == -EEXIST && err->http_status == 409;
}

/* One PUT and what came of it.  1: it is there; 0: try again, and the conflict
 * is in `conflict`. */
static int attempt(struct put *p, struct ofs_err *conflict, struct ofs_err *err)
{
    struct ofs_err later;
    int r = send_put(p, err);

    if (r == 0)
        return await_show(p, err);
    if (is_conflict(r, err)) {
        *conflict = *err;
        r = pause_for(p, PAUSE_MS, err);
        return r < 0 ? r : shows(p, /* thorough= */ true, err);
    }
    /* No answer does not mean that nothing was done. */
    if (err->http_status < 300 && r != -EINTR &&
        shows(p, /* thorough= */ true, &later) == 1)
        return 1;
    return r;
}

/* Who has just seen another manifest there need not look again.  1: ours is
 * there. */
static int look_before(struct put *p, struct ofs_err *err)
{
    const struct ofs_digest *old = p->ask->old;

    if (p->ask->tag && old && !ofs_digest_eq(old, p->ask->digest))
        return 0;
    return shows(p, /* thorough= */ false, err);
}

static int put(struct put *p, struct ofs_err *err)
{
    struct ofs_err conflict = { 0 };
    int r = look_before(p, err);

    for (int n = 0; r == 0 && n <= CONFLICTS_MAX; n++)
        r = attempt(p, &conflict, err);
    if (r != 0)
        return r < 0 ? r : 0;
    *err = conflict;
    return ofs_err_wrap(err, -EBUSY, "another push is in the way");
}

static int check(const struct ofs_manifest_put *ask, struct ofs_err *err)
{
    int r = ofs_reg_check_repo(ask->repo, err);

    if (r == 0 && ask->tag && !ofs_tag_is_valid(ask->tag))
        r = ofs_err_set(err, -EINVAL, "'%s' cannot be a tag", ask->tag);
    return r;
}

static int put_in_turn(struct put *p, struct ofs_err *err)
{
    OFS_AUTO(ofs_reg_repo_lock_leave) struct reg_repo_lock turn = { 0 };
    int r = put_init(p, err);

    if (r == 0)
        r = ofs_reg_repo_lock_take(&turn, p->end->r, p->call, p->ask->repo,
                                   err);
    return r < 0 ? r : put(p, err);
}

int ofs_registry_manifest_put(struct ofs_registry *r, struct ofs_call *call,
                              const struct ofs_manifest_put *ask,
                              struct ofs_err *err)
{
    OFS_AUTO(put_done)
    struct put p = { .ask = ask, .end = &r->source, .call = call };
    struct ofs_err why = { 0 };
    int e = check(ask, &why);

    if (e == 0)
        e = ofs_reg_push_errno(put_in_turn(&p, &why), &why);
    if (e < 0 && err)
        *err = why;
    return e;
}
