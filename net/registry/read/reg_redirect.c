/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_redirect.h"

#include "ocirfs/metrics.h"

/*
 * Registries send blob requests on to an object store with a signed URL.  A
 * second read should not have to ask again, so the target is kept; but such
 * URLs end, after minutes, and then the store refuses in its own way.  Hence
 * any refusal of a target only means: ask the registry again.
 */

enum {
    HOPS_MAX = 5,
    TARGET_TTL_MS = 60000,
};

static struct ofs_metric target_hits = OFS_COUNTER(
    "ocirfs_registry_redirect_hits_total",
    "Blob requests that went straight to a redirect target known before.");

struct hunt {
    struct reg_end *end;
    struct ofs_call *call;
    const struct reg_blob_req *req;
    const char *name; /* of the hint: "repo@digest" */
    const char *scope;
    bool at_target; /* the last request went to a redirect's target */
    bool abroad;    /* an earlier one went to another origin */
};

static bool is_redirect(int status)
{
    return status == 301 || status == 302 || status == 303 || status == 307 ||
           status == 308;
}

/*
 * Credentials that were left behind stay behind, also when a later hop leads
 * back: the foreign server chose that URL.
 */
static int send_to(struct hunt *h, const struct ofs_url *at,
                   struct ofs_http_resp *ret, struct ofs_err *err)
{
    bool abroad = h->abroad || !ofs_url_same_origin(at, &h->end->url);
    struct reg_req req = {
        .method = "GET",
        .url = at->text,
        .scope = h->scope,
        .what = h->req->what,
        .headers = h->req->headers,
        .sink = h->req->sink,
        .elsewhere = abroad,
    };

    h->abroad = abroad;
    return ofs_reg_send(h->end, h->call, &req, ret, err);
}

/* Where the answer sends us; notes it. */
static int next_hop(struct hunt *h, const struct ofs_url *at,
                    const struct ofs_http_resp *resp, struct ofs_url *ret,
                    struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url next = { 0 };
    const char *location = ofs_headers_get(&resp->headers, "Location");
    int r;

    if (!location)
        return ofs_err_set(err, -EBADMSG, "a redirect without Location");
    r = ofs_url_resolve(at, location, &next, err);
    if (r == 0)
        r = ofs_url_may_redirect(at, &next, err);
    if (r < 0)
        return r;
    /* A hint does not tell how its URL was found. */
    if (!h->abroad || !ofs_url_same_origin(&next, &h->end->url))
        ofs_reg_note(h->end, REG_HINT_TARGET, h->name, next.text,
                     TARGET_TTL_MS);
    h->at_target = true;
    *ret = next;
    next = (struct ofs_url){ 0 };
    return 0;
}

static int follow(struct hunt *h, const char *start, struct ofs_http_resp *ret,
                  struct ofs_err *err)
{
    OFS_AUTOURL struct ofs_url at = { 0 };
    int r = ofs_url_parse(start, &at, err);

    for (int hop = 0; r == 0 && hop <= HOPS_MAX; hop++) {
        OFS_AUTORESP struct ofs_http_resp resp = { 0 };
        struct ofs_url next;

        r = send_to(h, &at, &resp, err);
        if (r < 0)
            return r;
        if (!is_redirect(resp.status)) {
            *ret = resp;
            resp = (struct ofs_http_resp){ 0 };
            return 0;
        }
        r = next_hop(h, &at, &resp, &next, err);
        if (r == 0) {
            ofs_url_done(&at);
            at = next;
        }
    }
    return r < 0 ? r : ofs_err_set(err, -EBADMSG, "redirected in circles");
}

/* 416 is an answer to the question, all other refusals are of the URL. */
static bool is_refusal(int status)
{
    return status >= 400 && status != 416;
}

/* Follow from `start`; a target that is of no use is not kept. */
static int follow_and_learn(struct hunt *h, const char *start,
                            struct ofs_http_resp *ret, struct ofs_err *err)
{
    int r = follow(h, start, ret, err);

    if (h->at_target && r != -EINTR && r != -ECANCELED &&
        (r < 0 || is_refusal(ret->status)))
        ofs_reg_unnote(h->end, REG_HINT_TARGET, h->name, NULL);
    return r;
}

/* By the target that is known; true: the answer (or failure) is final. */
static bool try_known(struct hunt *h, struct ofs_http_resp *ret, int *ret_r,
                      struct ofs_err *err)
{
    OFS_AUTOFREE char *known = ofs_reg_noted(h->end, REG_HINT_TARGET, h->name);

    if (!known)
        return false;
    h->at_target = true;
    *ret_r = follow_and_learn(h, known, ret, err);
    ofs_metric_add(&target_hits, 1);
    if (*ret_r < 0 || !is_refusal(ret->status))
        return true;
    ofs_http_resp_done(ret);
    *ret = (struct ofs_http_resp){ 0 };
    return false;
}

static int hunt(struct hunt *h, const char *digest, struct ofs_http_resp *ret,
                struct ofs_err *err)
{
    OFS_AUTOFREE char *url = NULL;
    int r;

    if (try_known(h, ret, &r, err))
        return r;
    url = ofs_strf("%s%s/blobs/%s", h->end->base, h->req->repo, digest);
    if (!url)
        return ofs_err_nomem(err, "a URL");
    h->at_target = false;
    h->abroad = false;
    return follow_and_learn(h, url, ret, err);
}

int ofs_reg_blob_get(struct reg_end *end, struct ofs_call *call,
                     const struct reg_blob_req *req, struct ofs_http_resp *ret,
                     bool *ret_target, struct ofs_err *err)
{
    char digest[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *name =
        ofs_strf("%s@%s", req->repo, ofs_digest_format(req->digest, digest));
    OFS_AUTOFREE char *scope = ofs_reg_scope(req->repo);
    struct hunt h = {
        .end = end, .call = call, .req = req, .name = name, .scope = scope
    };
    int r;

    if (!name || !scope)
        return ofs_err_nomem(err, "a URL");
    r = hunt(&h, digest, ret, err);
    *ret_target = h.at_target;
    return r == -EBADMSG ? ofs_err_wrap(err, r, req->what) : r;
}
