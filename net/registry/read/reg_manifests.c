/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_manifests.h"
#include "reg_refuse.h"

#include "ocirfs/manifest.h"
#include "ocirfs/mediatype.h"
#include "ocirfs/ref.h"

enum { REDIRECTS_MAX = 5 };

/* One manifest that is asked for. */
struct ask {
    const char *repo, *ref;
    struct ofs_digest digest; /* of `ref`; alg 0: it is a tag */
    const char *scope;
    char *url, *what;    /* owned */
    bool doubts_absence; /* a HEAD's 404 is to be confirmed by a GET */
};

static void ask_done(struct ask *a)
{
    free(a->url);
    free(a->what);
}

void ofs_manifest_info_done(struct ofs_manifest_info *info)
{
    free(info->media_type);
    free(info->bytes);
    *info = (struct ofs_manifest_info){ 0 };
}

static int ask_init(struct ask *a, const struct reg_end *end, const char *repo,
                    const char *ref, const char *scope, struct ofs_err *err)
{
    *a = (struct ask){ .repo = repo, .ref = ref, .scope = scope };
    if (!ofs_tag_is_valid(ref) && ofs_digest_parse(ref, &a->digest, NULL) < 0)
        return ofs_err_set(err, -ENOENT,
                           "'%s' is neither a tag nor a digest we know", ref);
    a->url = ofs_strf("%s%s/manifests/%s", end->base, repo, ref);
    a->what = ofs_strf("manifest '%.*s' of '%s'", a->digest.alg ? 19 : 128, ref,
                       repo);
    return a->url && a->scope && a->what ? 0 : ofs_err_nomem(err, "a URL");
}

static int send_ask(struct reg_end *end, struct ofs_call *call,
                    const struct ask *a, const char *method,
                    struct ofs_http_resp *ret, struct ofs_err *err)
{
    const char *headers[] = { end->r->accept, NULL };
    struct reg_req req = {
        .method = method,
        .url = a->url,
        .scope = a->scope,
        .what = a->what,
        .headers = headers,
        .max_body = OFS_MANIFEST_MAX_BYTES,
        .max_redirects = REDIRECTS_MAX,
    };

    return ofs_reg_send(end, call, &req, ret, err);
}

static int mismatch(const struct ask *a, const char *whose,
                    const struct ofs_digest *is, struct ofs_err *err)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_err_set(err, -EBADMSG, "%s: %s digest is %.19s...", a->what,
                       whose, ofs_digest_format(is, text));
}

/* The digest that the server tells; alg 0: none that we know. */
static struct ofs_digest told_digest(const struct ofs_headers *headers)
{
    const char *value = ofs_headers_get(headers, "Docker-Content-Digest");
    struct ofs_digest d = { 0 };

    if (value && ofs_digest_parse(value, &d, NULL) < 0)
        d = (struct ofs_digest){ 0 };
    return d;
}

/* The media type as told, owned; NULL: none, or no memory. */
static char *told_type(const struct ofs_headers *headers)
{
    const char *value = ofs_headers_get(headers, "Content-Type");
    OFS_AUTOBUF struct ofs_buf type = OFS_BUF_INIT(1024);

    if (!value || ofs_media_type(value, &type) < 0 ||
        !ofs_media_is_type(ofs_buf_str(&type)))
        return NULL;
    return ofs_buf_take(&type);
}

/* A type that says what it is, not a file server's guess. */
static bool is_telling(const char *type)
{
    return type && strstr(type, "/vnd.");
}

static int64_t modified_s(const struct ofs_headers *headers)
{
    const char *value = ofs_headers_get(headers, "Last-Modified");
    int64_t s;

    return value && ofs_time_parse(value, &s) == 0 && s > 0 ? s : 0;
}

/* Do the bytes have this digest? */
static int compare(const struct ask *a, const struct ofs_http_resp *resp,
                   const struct ofs_digest *want, struct ofs_err *err)
{
    struct ofs_digest is;

    if (!want->alg)
        return 0;
    if (ofs_digest_of(want->alg, resp->body, resp->len, &is) < 0)
        return ofs_err_nomem(err, "a digest");
    return ofs_digest_eq(&is, want) ? 0 : mismatch(a, "the bytes'", &is, err);
}

static int verify(const struct ask *a, const struct ofs_http_resp *resp,
                  struct ofs_digest *ret, struct ofs_err *err)
{
    struct ofs_digest told = told_digest(&resp->headers);
    int r = compare(a, resp, &a->digest, err);

    if (r == 0)
        r = compare(a, resp, &told, err);
    if (r < 0)
        return r;
    if (a->digest.alg || told.alg) {
        *ret = a->digest.alg ? a->digest : told;
        return 0;
    }
    r = ofs_digest_of(OFS_SHA256, resp->body, resp->len, ret);
    return r < 0 ? ofs_err_nomem(err, "a digest") : 0;
}

/* The type of bytes that came without a telling one; owned, NULL: no memory. */
static char *type_by_content(const struct ofs_http_resp *resp, char *told)
{
    OFS_AUTOFREE char *type = told;
    OFS_AUTOMANIFEST struct ofs_manifest m = { 0 };

    if (is_telling(type))
        return ofs_take(&type);
    if (ofs_manifest_decode(resp->body, resp->len, type, &m, NULL) == 0)
        return ofs_take(&m.media_type);
    return type ? ofs_take(&type) : strdup("application/octet-stream");
}

static int take_body(const struct ask *a, struct ofs_http_resp *resp,
                     struct ofs_manifest_info *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done)
    struct ofs_manifest_info info = {
        .size = resp->len,
        .modified_s = modified_s(&resp->headers),
    };
    OFS_AUTOFREE char *told = told_type(&resp->headers);
    int r;

    if (resp->len == 0)
        return ofs_err_set(err, -EBADMSG, "%s: no bytes", a->what);
    if (ofs_media_of(told) == OFS_MEDIA_SCHEMA1)
        return ofs_err_set(err, -EBADMSG,
                           "%s: docker schema 1, which is too old", a->what);
    r = verify(a, resp, &info.digest, err);
    if (r < 0)
        return r;
    info.media_type = type_by_content(resp, ofs_take(&told));
    if (!info.media_type)
        return ofs_err_nomem(err, "a manifest");
    info.bytes = ofs_take(&resp->body);
    *ret = info;
    info = (struct ofs_manifest_info){ 0 };
    return 0;
}

static int get(struct reg_end *end, struct ofs_call *call, const struct ask *a,
               struct ofs_manifest_info *ret, struct ofs_err *err)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    int r = send_ask(end, call, a, "GET", &resp, err);

    if (r < 0)
        return r;
    if (resp.status != 200)
        return ofs_reg_refuse(end, a->what, a->scope, &resp, err);
    return take_body(a, &resp, ret, err);
}

int ofs_reg_manifest_get(struct reg_end *end, struct ofs_call *call,
                         const char *repo, const char *ref,
                         struct ofs_manifest_info *ret, struct ofs_err *err)
{
    OFS_AUTO(ask_done) struct ask a = { 0 };
    OFS_AUTOFREE char *scope = ofs_reg_scope(repo);
    int r = ask_init(&a, end, repo, ref, scope, err);

    return r < 0 ? r : get(end, call, &a, ret, err);
}

/* What the headers tell; -ENODATA: not all. */
static int info_of_head(const struct ask *a, const struct ofs_headers *headers,
                        struct ofs_manifest_info *ret, struct ofs_err *err)
{
    const char *length = ofs_headers_get(headers, "Content-Length");
    struct ofs_digest told = told_digest(headers);
    OFS_AUTOFREE char *type = told_type(headers);
    uint64_t size;

    /* Then the length is that of other bytes. */
    if (ofs_headers_get(headers, "Content-Encoding"))
        return -ENODATA;
    if (a->digest.alg && told.alg == a->digest.alg &&
        !ofs_digest_eq(&told, &a->digest))
        return mismatch(a, "the server's", &told, err);
    /* A HEAD answered without a thought has length 0. */
    if (!length || ofs_str_u64(length, &size) < 0 || size == 0 ||
        !is_telling(type) || (!told.alg && !a->digest.alg))
        return -ENODATA;
    *ret = (struct ofs_manifest_info){
        .digest = a->digest.alg ? a->digest : told,
        .size = size,
        .media_type = ofs_take(&type),
        .modified_s = modified_s(headers),
    };
    return 0;
}

/*
 * Is that perhaps a refusal of HEAD only?  Seen with GET working beside: 400,
 * 405 and 501; 401, 403 and 500 of proxies; 404 of pull-through caches for what
 * they do not have yet.  Who is told to come later does so.
 */
static bool may_be_of_head(const struct ask *a, int status)
{
    if (status == 404)
        return a->doubts_absence;
    return status >= 400 && status != 408 && status != 429 && status < 503;
}

static int head(struct reg_end *end, struct ofs_call *call, const struct ask *a,
                struct ofs_manifest_info *ret, struct ofs_err *err)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    int r = send_ask(end, call, a, "HEAD", &resp, err);

    if (r < 0)
        return r;
    if (resp.status == 200)
        r = info_of_head(a, &resp.headers, ret, err);
    else if (may_be_of_head(a, resp.status))
        r = -ENODATA;
    else
        return ofs_reg_refuse(end, a->what, a->scope, &resp, err);
    if (r != -ENODATA)
        return r;
    r = get(end, call, a, ret, err);
    if (r == 0)
        free(ofs_take(&ret->bytes));
    return r;
}

int ofs_reg_manifest_head(struct reg_end *end, struct ofs_call *call,
                          const char *repo, const char *ref, const char *scope,
                          bool doubts_absence, struct ofs_manifest_info *ret,
                          struct ofs_err *err)
{
    OFS_AUTO(ask_done) struct ask a = { 0 };
    int r = ask_init(&a, end, repo, ref, scope, err);

    a.doubts_absence = doubts_absence;
    return r < 0 ? r : head(end, call, &a, ret, err);
}

/* What the public functions hand to the route. */
struct task {
    const char *repo, *ref;
    bool doubts_absence; /* as for struct ask */
    struct ofs_manifest_info *ret;
};

static int head_op(struct reg_end *end, struct ofs_call *call, void *arg,
                   struct ofs_err *err)
{
    struct task *t = arg;
    OFS_AUTOFREE char *scope = ofs_reg_scope(t->repo);

    return ofs_reg_manifest_head(end, call, t->repo, t->ref, scope,
                                 t->doubts_absence, t->ret, err);
}

static int get_op(struct reg_end *end, struct ofs_call *call, void *arg,
                  struct ofs_err *err)
{
    struct task *t = arg;

    return ofs_reg_manifest_get(end, call, t->repo, t->ref, t->ret, err);
}

static int find(struct ofs_registry *r, struct ofs_call *call, struct task *t,
                struct ofs_err *err)
{
    struct reg_task task = { .op = head_op, .arg = t };
    int e = ofs_reg_check_repo(t->repo, err);

    return e < 0 ? e : ofs_reg_route(r, call, &task, err);
}

int ofs_registry_manifest_head(struct ofs_registry *r, struct ofs_call *call,
                               const char *repo, const char *ref,
                               struct ofs_manifest_info *ret,
                               struct ofs_err *err)
{
    struct task t = {
        .repo = repo, .ref = ref, .doubts_absence = true, .ret = ret
    };

    return find(r, call, &t, err);
}

int ofs_registry_manifest_now(struct ofs_registry *r, struct ofs_call *call,
                              const char *repo, const char *ref,
                              struct ofs_manifest_info *ret,
                              struct ofs_err *err)
{
    struct task t = { .repo = repo, .ref = ref, .ret = ret };

    return find(r, call, &t, err);
}

int ofs_registry_manifest_get(struct ofs_registry *r, struct ofs_call *call,
                              const char *repo, const char *ref,
                              struct ofs_manifest_info *ret,
                              struct ofs_err *err)
{
    struct task t = { .repo = repo, .ref = ref, .ret = ret };
    struct reg_task task = { .op = get_op, .arg = &t };
    int e = ofs_reg_check_repo(repo, err);

    return e < 0 ? e : ofs_reg_route(r, call, &task, err);
}
