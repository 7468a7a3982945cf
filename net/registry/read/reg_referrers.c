/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_priv.h"

#include "ocirfs/json.h"
#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"

#include "reg_manifests.h"
#include "reg_pages.h"
#include "taglist.h"

/*
 * Only the source is asked: a pull-through mirror knows the referrers of what
 * it happened to fetch, and "none" would be a lie about signatures.
 *
 * Source: OCI distribution-spec v1.1.1, "Listing Referrers".
 */

enum {
    ABSENT_TTL_MS = 5 * 60000,
    TAG_HEX_MAX = 64, /* of the digest in a tag of the tag schema */
};

struct referrers_ask {
    const char *repo, *what, *scope;
    const struct ofs_digest *digest;

    size_t pages;
    json_t *index;  /* all pages so far; owned */
    char *json;     /* the first page as it came; owned */
    size_t len;     /* bytes of it */
    uint64_t bytes; /* of all pages */
};

static void ask_done(struct referrers_ask *a)
{
    json_decref(a->index);
    free(a->json);
}

/* -EBADMSG: not an index. */
static int parse_index(const char *json, size_t len, json_t **ret,
                       struct ofs_err *err)
{
    OFS_AUTOJSON json_t *doc = NULL;
    int r = ofs_json_parse(json ? json : "", len, &doc, err);

    if (r < 0)
        return r;
    if (!json_is_array(json_object_get(doc, "manifests")))
        return ofs_err_set(err, -EBADMSG, "not an index");
    *ret = ofs_take(&doc);
    return 0;
}

static int check_limits(const struct referrers_ask *a, struct ofs_err *err)
{
    size_t n = json_array_size(json_object_get(a->index, "manifests"));

    if (a->bytes > OFS_MANIFEST_MAX_BYTES || n > OFS_MANIFEST_MAX_ENTRIES)
        return ofs_err_set(err, -EFBIG, "%s: more than %d or %d MiB", a->what,
                           OFS_MANIFEST_MAX_ENTRIES,
                           OFS_MANIFEST_MAX_BYTES >> 20);
    return 0;
}

static int take_page(void *arg, const struct ofs_http_resp *resp,
                     struct reg_page *ret, struct ofs_err *err)
{
    struct referrers_ask *a = arg;
    OFS_AUTOJSON json_t *page = NULL;
    int r = parse_index(resp->body, resp->len, &page, err);

    (void)ret; /* the way on is in Link alone */
    if (r < 0)
        return ofs_err_wrap(err, r, a->what);
    a->bytes += resp->len;
    if (a->pages++ > 0) {
        if (json_array_extend(json_object_get(a->index, "manifests"),
                              json_object_get(page, "manifests")) < 0)
            return ofs_err_nomem(err, "referrers");
        return check_limits(a, err);
    }
    a->json = strndup(resp->body, resp->len);
    a->len = resp->len;
    a->index = ofs_take(&page);
    return a->json ? check_limits(a, err) : ofs_err_nomem(err, "referrers");
}

static int by_api(struct reg_end *end, struct ofs_call *call,
                  struct referrers_ask *a, struct ofs_err *err)
{
    static const char *const headers[] = { "Accept: " OFS_MT_OCI_INDEX, NULL };
    char digest[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *list = ofs_strf("%s%s/referrers/%s", end->base, a->repo,
                                       ofs_digest_format(a->digest, digest));
    struct reg_walk walk = {
        .end = end,
        .call = call,
        .scope = a->scope,
        .what = a->what,
        .headers = headers,
        .list = list,
        .take = take_page,
        .arg = a,
    };

    return list ? ofs_reg_walk(&walk, err) : ofs_err_nomem(err, "a URL");
}

/*
 * Did the API fail because there is none?  404 says the specification; others
 * refuse a path that they do not know in their own way, or have a page for
 * human eyes there.
 */
static bool is_absent(const struct referrers_ask *a, int r)
{
    if (a->pages > 0)
        return false;
    return r == -EBADMSG || r == -ENOENT || r == -EACCES || r == -EINVAL ||
           r == -EOPNOTSUPP;
}

static int add(struct ofs_buf *ret, const char *json, size_t len,
               struct ofs_err *err)
{
    int r = ofs_buf_add(ret, json, len);

    return r < 0 ? ofs_err_set(err, r, "referrers: more than there is room for")
                 : 0;
}

/* Of an index that is the only page its own bytes, else all in one. */
static int give(struct referrers_ask *a, struct ofs_buf *ret,
                struct ofs_err *err)
{
    if (a->pages > 1) {
        free(a->json);
        a->json = json_dumps(a->index, JSON_COMPACT);
        if (!a->json)
            return ofs_err_nomem(err, "referrers");
        a->len = strlen(a->json);
    }
    return add(ret, a->json, a->len, err);
}

/* The index under the tag "sha256-<hex>", as clients push it there. */
static int by_tag(struct reg_end *end, struct ofs_call *call,
                  const struct referrers_ask *a, struct ofs_buf *ret,
                  struct ofs_err *err)
{
    char digest[OFS_DIGEST_TEXT_MAX];
    const char *hex = strchr(ofs_digest_format(a->digest, digest), ':') + 1;
    OFS_AUTOFREE char *tag =
        ofs_strf("%s-%.*s", ofs_digest_alg_name(a->digest), TAG_HEX_MAX, hex);
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    OFS_AUTOJSON json_t *index = NULL;
    int r;

    if (!tag)
        return ofs_err_nomem(err, "referrers");
    r = ofs_reg_manifest_get(end, call, a->repo, tag, &info, err);
    if (r == 0)
        r = parse_index(info.bytes, info.size, &index, err);
    if (r == 0)
        return add(ret, info.bytes, info.size, err);
    /* No such tag, or something else under it. */
    if (r == -ENOENT || (r == -EBADMSG && info.bytes))
        r = ofs_layout_index(NULL, 0, ret) < 0 ? ofs_err_nomem(err, "referrers")
                                               : 0;
    return r;
}

static int ask_source(struct reg_end *end, struct ofs_call *call,
                      struct referrers_ask *a, struct ofs_buf *ret,
                      struct ofs_err *err)
{
    OFS_AUTOFREE char *absent = ofs_reg_noted(end, REG_HINT_REFERRERS, a->repo);
    struct ofs_err trouble = { 0 };
    int r;

    if (absent)
        return by_tag(end, call, a, ret, err);
    r = by_api(end, call, a, &trouble);
    if (r == 0)
        return give(a, ret, err);
    if (is_absent(a, r)) {
        /* A repository that is not there yet, or not for us, may have the API
         * later. */
        if (r != -EACCES && strcmp(trouble.id, "NAME_UNKNOWN") != 0)
            ofs_reg_note(end, REG_HINT_REFERRERS, a->repo, "", ABSENT_TTL_MS);
        return by_tag(end, call, a, ret, err);
    }
    if (err)
        *err = trouble;
    return r;
}

int ofs_registry_referrers(struct ofs_registry *r, struct ofs_call *call,
                           const char *repo, const struct ofs_digest *digest,
                           struct ofs_buf *ret, struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];
    OFS_AUTOFREE char *what = ofs_strf("referrers of '%.19s' in '%s'",
                                       ofs_digest_format(digest, text), repo);
    OFS_AUTOFREE char *scope = ofs_reg_scope(repo);
    OFS_AUTO(ask_done)
    struct referrers_ask a = {
        .repo = repo, .what = what, .scope = scope, .digest = digest
    };
    int e = ofs_reg_check_repo(repo, err);

    if (e < 0)
        return e;
    if (!what || !scope)
        return ofs_err_nomem(err, "referrers");
    return ask_source(&r->source, call, &a, ret, err);
}
