/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

#define IMAGES "/20160918/container/images"

void ofs_ora_images_done(struct ofs_ora_images *i)
{
    for (size_t k = 0; k < i->n; k++)
        ofs_ora_image_done(&i->at[k]);
    free(i->at);
    *i = (struct ofs_ora_images){ 0 };
}

static int add(const json_t *item, void *arg, struct ofs_err *err)
{
    struct ofs_ora_images *to = arg;
    int r = ofs_vec_grow(to->at, to->n, to->room);

    if (r < 0)
        return ofs_err_nomem(err, "a list of images");
    r = ofs_ora_image_decode(item, &to->at[to->n], err);
    to->n += r == 0;
    return r < 0 ? r : 0;
}

/* isVersioned hides the parts of multi-platform images and what lost its tags;
 * deleted images may stay visible for two days. */
int ofs_ora_list_images(struct ofs_ora *o, struct ofs_call *call,
                        const char *compartment_id, const char *repository_id,
                        struct ofs_ora_images *ret, struct ofs_err *err)
{
    const char *const query[] = {
        "compartmentId",  compartment_id, "repositoryId",
        repository_id,    "isVersioned",  "true",
        "lifecycleState", "AVAILABLE",    "limit",
        "1000",           NULL,
    };
    OFS_AUTOFREE char *path = ofs_ora_path(IMAGES, query);
    OFS_AUTO(ofs_ora_images_done) struct ofs_ora_images found = { 0 };
    const struct ofs_ora_lister lister = { add, &found, OFS_ORA_READ_REPOS,
                                           compartment_id };
    int r = ofs_ora_list(o, call, o->artifacts, path, &lister, err);

    if (r == 0) {
        *ret = found;
        found = (struct ofs_ora_images){ 0 };
    }
    return r;
}

static int call_one(struct ofs_ora *o, struct ofs_call *call,
                    const struct ofs_ora_req *req, struct ofs_ora_image *ret,
                    struct ofs_err *err)
{
    OFS_AUTOORARESP struct ofs_ora_resp resp = { 0 };
    int r = req->path ? ofs_ora_call(o, call, req, &resp, err)
                      : ofs_err_nomem(err, "a request");

    if (r < 0 || !ret)
        return r;
    r = ofs_ora_image_decode(resp.doc, ret, err);
    if (r == 0)
        ret->etag = ofs_take(&resp.etag);
    return r;
}

/* JSON of one text member; NULL: no memory. */
static char *body_of(const char *name, const char *value)
{
    OFS_AUTOJSON json_t *doc = json_pack("{s:s}", name, value);

    return doc ? json_dumps(doc, JSON_COMPACT) : NULL;
}

int ofs_ora_lookup_image(struct ofs_ora *o, struct ofs_call *call,
                         const char *uri, struct ofs_ora_image *ret,
                         struct ofs_err *err)
{
    OFS_AUTOFREE char *body = body_of("imageUri", uri);
    const struct ofs_ora_req req = { .method = "POST",
                                     .base = o->artifacts,
                                     .path = IMAGES "/actions/lookupImageByUri",
                                     .body = body,
                                     .reads = true };

    return body ? call_one(o, call, &req, ret, err)
                : ofs_err_nomem(err, "a request");
}

int ofs_ora_remove_version(struct ofs_ora *o, struct ofs_call *call,
                           const struct ofs_ora_image *image, const char *tag,
                           struct ofs_err *err)
{
    OFS_AUTOFREE char *path =
        ofs_ora_path_of(IMAGES "/", image->id, "/actions/removeVersion");
    OFS_AUTOFREE char *body = body_of("version", tag);
    char token[OFS_ORA_RETRY_TOKEN_MAX];
    const struct ofs_ora_req req = { .method = "POST",
                                     .base = o->artifacts,
                                     .path = path,
                                     .body = body,
                                     .if_match = image->etag,
                                     .retry_token = token,
                                     .needs = OFS_ORA_MANAGE_REPOS,
                                     .in = image->repository_id };

    if (!body)
        return ofs_err_nomem(err, "a request");
    if (ofs_ora_retry_token(token) < 0)
        return ofs_err_set(err, -EIO, "no random numbers");
    return call_one(o, call, &req, NULL, err);
}
