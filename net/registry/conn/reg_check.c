/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_refuse.h"

enum { REDIRECTS_MAX = 5 };

static int not_one(const struct reg_end *end, const char *why,
                   struct ofs_err *err)
{
    return ofs_err_set(err, -EBADMSG, "%s: not a registry: %s", end->host, why);
}

/* Any web server answers something; a registry does so in its own way. */
static int check_answer(const struct reg_end *end,
                        const struct ofs_http_resp *resp, struct ofs_err *err)
{
    const char *type = ofs_headers_get(&resp->headers, "Content-Type");

    if (resp->status == 404)
        return not_one(end, "nothing at /v2/", err);
    if (resp->status < 200 || resp->status > 299)
        return ofs_reg_refuse(end, "/v2/", "", resp, err);
    if (type && ofs_str_starts(type, "text/html"))
        return not_one(end, "a web page at /v2/", err);
    return 0;
}

static int check_base(struct reg_end *end, struct ofs_call *call,
                      struct ofs_err *err)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = {
        .method = "GET",
        .url = end->base,
        .scope = "",
        .what = "/v2/",
        .max_redirects = REDIRECTS_MAX,
        .ask_anyway = true,
    };
    int r = ofs_reg_send(end, call, &req, &resp, err);

    return r < 0 ? r : check_answer(end, &resp, err);
}

/* One tag is little to ask for, and every reader may. */
static int check_repo(struct reg_end *end, struct ofs_call *call,
                      const char *repo, const char *query, struct ofs_err *err)
{
    OFS_AUTOFREE char *url =
        ofs_strf("%s%s/tags/list%s", end->base, repo, query);
    OFS_AUTOFREE char *scope = ofs_reg_scope(repo);
    OFS_AUTOFREE char *what = ofs_strf("repository '%s'", repo);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = {
        .method = "GET",
        .url = url,
        .scope = scope,
        .what = what,
        .max_body = 16U << 20,
        .max_redirects = REDIRECTS_MAX,
        .ask_anyway = true,
    };

    if (!url || !scope || !what)
        return ofs_err_nomem(err, "a URL");
    return ofs_reg_do(end, call, &req, &resp, err);
}

int ofs_registry_check(struct ofs_registry *r, struct ofs_call *call,
                       const char *repo, struct ofs_err *err)
{
    struct reg_end *end = &r->source;
    int e = repo ? ofs_reg_check_repo(repo, err) : 0;

    if (e == 0)
        e = check_base(end, call, err);
    /*
     * A token that is good for nothing in particular is refused to the
     * nameless by some registries that let them read what is public.
     */
    if (!repo || (e < 0 && e != -EACCES))
        return e;
    e = check_repo(end, call, repo, "?n=1", err);
    return e == -EINVAL ? check_repo(end, call, repo, "", err) : e;
}
