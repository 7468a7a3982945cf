/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_untag.h"

#include "reg_manifests.h"

#include "ocirfs/mediatype.h"
#include "ocirfs/ref.h"
#include "ocirfs/reg_publish.h"
#include "ocirfs/reg_uploads.h"

#include <sys/random.h>

/*
 * Taking a tag away.
 *
 * Where DELETE by tag is not known, a tag can only go together with the digest
 * it is on, and with that all its other tags.  So the tag is first moved to a
 * manifest that nobody else can have, and that one is deleted.  Before the tag
 * is touched, the same DELETE is tried on the digest while it does not exist
 * yet: a registry that does not delete at all refuses there, and the tag stays
 * where it is.  Should it fail after all, the tag is put back.
 */

enum {
    GONE_MAX = 3, /* HEADs until a deleted tag is gone */
    PAUSE_MS = 1000,
    DUMMY_MAX = 2048, /* bytes */
    PUT_BACK_MS = 30 * 1000,
};

/* The blob that a manifest without content names.  Source: OCI image-spec
 * v1.1, "Guidance for an Empty Descriptor". */
#define EMPTY "{}"
#define EMPTY_DESCRIPTOR                                                       \
    "{\"mediaType\":\"application/vnd.oci.empty.v1+json\","                    \
    "\"digest\":\"sha256:44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c0" \
    "60f61caaff8a\",\"size\":2}"

struct untag {
    struct ofs_registry *r;
    struct ofs_call *call;
    const char *repo, *tag;
    char *scope, *push_scope, *what; /* owned */
};

static void untag_done(struct untag *u)
{
    free(u->scope);
    free(u->push_scope);
    free(u->what);
}

enum reg_untag_next ofs_reg_untag_next(int status, const char *id)
{
    switch (status) {
    case 200:
    case 202:
    case 204:
        return REG_UNTAG_DONE;
    case 400: /* what distribution 2 says to a DELETE without a digest */
    case 405:
    case 501:
        return strcmp(id, "NAME_INVALID") == 0 ? REG_UNTAG_FAIL
                                               : REG_UNTAG_UNKNOWN;
    case 404:
        return strcmp(id, "UNSUPPORTED") == 0 ? REG_UNTAG_UNKNOWN
                                              : REG_UNTAG_FAIL;
    default:
        return REG_UNTAG_FAIL;
    }
}

/* DELETE manifests/<ref>.  *ret_next with 0 and with a refusal. */
static int send_delete(struct untag *u, const char *ref,
                       enum reg_untag_next *ret_next, struct ofs_err *err)
{
    struct reg_end *end = &u->r->source;
    OFS_AUTOFREE char *url =
        ofs_strf("%s%s/manifests/%s", end->base, u->repo, ref);
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    struct reg_req req = {
        .method = "DELETE",
        .url = url,
        .scope = u->scope,
        .what = u->what,
        .once = true, /* a second one would find nothing */
    };
    int r;

    *ret_next = REG_UNTAG_FAIL;
    if (!url)
        return ofs_err_nomem(err, "a URL");
    r = ofs_reg_do(end, u->call, &req, &resp, err);
    if (r == 0 || err->http_status >= 300)
        *ret_next = ofs_reg_untag_next(r < 0 ? err->http_status : resp.status,
                                       r < 0 ? err->id : "");
    return r;
}

/* 1: the tag is gone; 0: it is not. */
static int is_gone(struct untag *u, struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info info = { 0 };
    int r = ofs_reg_manifest_head(&u->r->source, u->call, u->repo, u->tag,
                                  u->push_scope, /* doubts_absence= */ true,
                                  &info, err);

    return r == -ENOENT ? 1 : r;
}

static int await_gone(struct untag *u, struct ofs_err *err)
{
    int r = is_gone(u, err);

    for (int n = 1; r == 0 && n < GONE_MAX; n++) {
        r = ofs_http_pause(u->r->http, u->call, PAUSE_MS, err);
        if (r == 0)
            r = is_gone(u, err);
    }
    if (r == 0)
        return ofs_err_set(err, -EBUSY, "%s: %s: deleted, but still there",
                           u->r->source.host, u->what);
    return r < 0 ? r : 0;
}

/* --- the way around ------------------------------------------------------ */

/* A manifest that is like no other. */
static int make_dummy(struct ofs_buf *b, struct ofs_digest *ret,
                      struct ofs_err *err)
{
    uint64_t odd[2] = { 0 };

    if (getrandom(odd, sizeof(odd), 0) != (ssize_t)sizeof(odd))
        return ofs_err_errno(err, errno, "no random number");
    (void)ofs_buf_addf(b,
                       "{\"schemaVersion\":2,\"mediaType\":\"%s\","
                       "\"artifactType\":\"application/vnd.ocirfs.untagged\","
                       "\"config\":%s,\"layers\":[%s],"
                       "\"annotations\":{\"ocirfs.untagged\":\"%llx-%llx\"}}",
                       OFS_MT_OCI_MANIFEST, EMPTY_DESCRIPTOR, EMPTY_DESCRIPTOR,
                       (unsigned long long)odd[0], (unsigned long long)odd[1]);
    if (b->failed || ofs_digest_of(OFS_SHA256, b->data, b->len, ret) < 0)
        return ofs_err_nomem(err, "a manifest");
    return 0;
}

static ssize_t read_empty(void *arg, void *buf, size_t len, uint64_t off)
{
    size_t n = off < strlen(EMPTY) ? strlen(EMPTY) - (size_t)off : 0;

    (void)arg;
    if (n > len)
        n = len;
    if (n > 0)
        memcpy(buf, &EMPTY[off], n);
    return (ssize_t)n;
}

static int push_empty(struct untag *u, struct ofs_err *err)
{
    const struct ofs_blob_data data = { .read = read_empty,
                                        .size = strlen(EMPTY) };
    struct ofs_digest digest;
    const struct ofs_blob_push push = {
        .repo = u->repo,
        .digest = &digest,
        .data = &data,
    };
    enum ofs_pushed how;

    if (ofs_digest_of(OFS_SHA256, EMPTY, strlen(EMPTY), &digest) < 0)
        return ofs_err_nomem(err, "a digest");
    return ofs_registry_blob_push(u->r, u->call, &push, &how, err);
}

/* Let the tag name these bytes. */
static int point_to(struct untag *u, const struct ofs_manifest_info *to,
                    struct ofs_err *err)
{
    const struct ofs_manifest_put put = {
        .repo = u->repo,
        .tag = u->tag,
        .digest = &to->digest,
        .media_type = to->media_type,
        .bytes = to->bytes,
        .len = (size_t)to->size,
    };

    return ofs_registry_manifest_put(u->r, u->call, &put, err);
}

/* Would the registry delete it?  The digest does not exist yet. */
static int try_delete(struct untag *u, const char *digest, struct ofs_err *err)
{
    enum reg_untag_next next;
    int r = send_delete(u, digest, &next, err);

    if (r == 0 || r == -ENOENT)
        return 0;
    if (next == REG_UNTAG_UNKNOWN)
        return ofs_err_set(err, -ENOTSUP,
                           "%s: %s: the registry deletes nothing",
                           u->r->source.host, u->what);
    return r;
}

/*
 * Back to what it was: also for a caller that has given up, since otherwise
 * the tag would name a manifest that nobody knows.
 */
static int put_back(struct untag *u, const struct ofs_manifest_info *old, int r,
                    struct ofs_err *err)
{
    char digest[OFS_DIGEST_TEXT_MAX];
    struct ofs_call *theirs = u->call;
    struct ofs_call ours;
    int gone, failed = 0;

    ofs_call_init(&ours, PUT_BACK_MS);
    u->call = &ours;
    gone = is_gone(u, NULL);
    if (gone != 1)
        failed = point_to(u, old, NULL);
    u->call = theirs;
    ofs_call_done(&ours);
    if (gone == 1)
        return 0;
    if (failed < 0)
        return ofs_err_set(err, r, "%s: %s: not deleted, and lost: it was %s",
                           u->r->source.host, u->what,
                           ofs_digest_format(&old->digest, digest));
    return r;
}

static int swap_and_delete(struct untag *u, const struct ofs_manifest_info *old,
                           const struct ofs_manifest_info *dummy,
                           struct ofs_err *err)
{
    char digest[OFS_DIGEST_TEXT_MAX];
    enum reg_untag_next next;
    int r = try_delete(u, ofs_digest_format(&dummy->digest, digest), err);

    if (r == 0)
        r = push_empty(u, err);
    if (r < 0)
        return r;
    r = point_to(u, dummy, err);
    if (r == 0)
        r = send_delete(u, digest, &next, err);
    return r < 0 ? put_back(u, old, r, err) : await_gone(u, err);
}

static int around(struct untag *u, struct ofs_err *err)
{
    OFS_AUTO(ofs_manifest_info_done) struct ofs_manifest_info old = { 0 };
    OFS_AUTOBUF struct ofs_buf bytes = OFS_BUF_INIT(DUMMY_MAX);
    OFS_AUTOFREE char *type = strdup(OFS_MT_OCI_MANIFEST);
    struct ofs_manifest_info dummy = { .media_type = type };
    int r = ofs_reg_manifest_get(&u->r->source, u->call, u->repo, u->tag, &old,
                                 err);

    if (r == 0)
        r = make_dummy(&bytes, &dummy.digest, err);
    if (r == 0 && !type)
        r = ofs_err_nomem(err, "a manifest");
    if (r < 0)
        return r;
    dummy.bytes = bytes.data;
    dummy.size = bytes.len;
    return swap_and_delete(u, &old, &dummy, err);
}

static int untag(struct untag *u, struct ofs_err *err)
{
    enum reg_untag_next next;
    struct ofs_err why;
    int r = is_gone(u, err);

    if (r != 0)
        return r == 1 ? -ENOENT : r;
    r = send_delete(u, u->tag, &next, err);
    if (r == 0)
        return await_gone(u, err);
    if (next == REG_UNTAG_UNKNOWN)
        return around(u, err);
    /* No answer does not mean that nothing was done, and libcurl may have
     * asked twice: then it was not there the second time. */
    if ((err->http_status < 300 || r == -ENOENT) && r != -EINTR &&
        is_gone(u, &why) == 1)
        return 0;
    return r;
}

int ofs_registry_tag_delete(struct ofs_registry *r, struct ofs_call *call,
                            const char *repo, const char *tag,
                            struct ofs_err *err)
{
    OFS_AUTO(untag_done)
    struct untag u = { .r = r, .call = call, .repo = repo, .tag = tag };
    struct ofs_err why = { 0 };
    int e = ofs_reg_check_repo(repo, err);

    if (e < 0)
        return e;
    if (!ofs_tag_is_valid(tag))
        return ofs_err_set(err, -ENOENT, "'%s' cannot be a tag", tag);
    u.scope = ofs_strf("repository:%s:pull,push,delete", repo);
    u.push_scope = ofs_reg_push_scope(repo);
    u.what = ofs_strf("tag '%s' of '%s'", tag, repo);
    if (!u.scope || !u.push_scope || !u.what)
        return ofs_err_nomem(err, "a tag");
    e = untag(&u, &why);
    if (e < 0 && err)
        *err = why;
    return e;
}
