/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_REGISTRY_PRIV_H
#define OFS_FAKE_REGISTRY_PRIV_H

/* What the files of the fake registry share. */

#include "fake_priv.h"
#include "fake_registry.h"

#include "ocirfs/str.h"

/* ---- fake_content.c: what there is; locks by itself ---- */

enum fake_kind {
    FAKE_KIND_REPO = 'D', /* name "" */
    FAKE_KIND_TAG = 'T',  /* only digest and modified_s */
    FAKE_KIND_MANIFEST = 'M',
    FAKE_KIND_BLOB = 'B',
    FAKE_KIND_REFERRERS = 'R', /* data: descriptors with commas between */
};

/* Immutable once it is in; lives until the registry ends. */
struct fake_thing {
    struct fake_thing *older; /* made before, guarded by the content's lock */
    char *media_type;
    char digest[OFS_DIGEST_TEXT_MAX];
    char *data;          /* NULL: made from `seed` */
    uint64_t size, seed; /* size in bytes */
    int64_t modified_s;
};

struct fake_content;

struct fake_content *fake_content_new(void);
void fake_content_free(struct fake_content *content);
/* `like` is copied, what it points to is taken over. */
void fake_content_put(struct fake_content *content, enum fake_kind kind,
                      const char *repo, const char *name,
                      const struct fake_thing *like);
const struct fake_thing *fake_content_get(struct fake_content *content,
                                          enum fake_kind kind, const char *repo,
                                          const char *name);
void fake_content_remove(struct fake_content *content, enum fake_kind kind,
                         const char *repo, const char *name);
/* Sorted names of that kind; of all repositories when `repo` is NULL. */
void fake_content_names(struct fake_content *content, enum fake_kind kind,
                        const char *repo, struct ofs_strv *ret);
/* Let `resp` send it. */
void fake_thing_serve(const struct fake_thing *thing,
                      struct fake_response *resp);

/* ---- fake_token.c: who may; locks by itself ---- */

struct fake_tokens;

/* `url`: of the registry's server, for the realm; borrowed. */
struct fake_tokens *fake_tokens_new(const struct fake_registry_cfg *cfg,
                                    const char *url);
void fake_tokens_free(struct fake_tokens *tokens);
/* `scope`: what the request needs, "" for none.  False: 401 is in `resp`. */
bool fake_tokens_admit(struct fake_tokens *tokens,
                       const struct fake_request *req, const char *scope,
                       struct fake_response *resp);
fake_handler fake_tokens_serve; /* arg: struct fake_tokens */
void fake_tokens_expire(struct fake_tokens *tokens);
void fake_tokens_password(struct fake_tokens *tokens, const char *user,
                          const char *password);
unsigned fake_tokens_given(struct fake_tokens *tokens);

/* ---- fake_target.c: signed-looking URLs on the storage server ---- */

struct fake_targets;

struct fake_targets *fake_targets_new(unsigned uses);
void fake_targets_free(struct fake_targets *targets);
/* A new path and query for this blob; the caller frees. */
char *fake_targets_make(struct fake_targets *targets,
                        const struct fake_thing *thing);
void fake_targets_expire(struct fake_targets *targets);
fake_handler fake_targets_serve; /* arg: struct fake_targets */

/* ---- fake_pages.c: lists, a page at a time ---- */

struct fake_page {
    const char *key;            /* "tags", "repositories" */
    const char *name;           /* of the repository; NULL: none */
    const struct ofs_strv *all; /* sorted */
    const char *origin;         /* "http://127.0.0.1:1234" */
    unsigned most;              /* names on a page; 0: any */
    enum fake_link link;
};

void fake_page_serve(const struct fake_page *page,
                     const struct fake_request *req,
                     struct fake_response *resp);
/* Link: rel="next" to `target`, in the form asked for. */
void fake_page_link(struct fake_response *resp, enum fake_link link,
                    const char *origin, const char *target);

/* ---- fake_uploads.c: blobs on their way in; locks by itself ---- */

struct fake_uploads;

struct fake_uploads *fake_uploads_new(struct fake_registry *r);
void fake_uploads_free(struct fake_uploads *uploads);
/* POST: a session, or a mount. */
void fake_uploads_begin(struct fake_uploads *uploads, const char *repo,
                        const struct fake_request *req,
                        struct fake_response *resp);
/* GET, PATCH, PUT, DELETE of a session. */
void fake_uploads_go_on(struct fake_uploads *uploads, const char *id,
                        const struct fake_request *req,
                        struct fake_response *resp);
fake_handler fake_uploads_serve; /* on storage; arg: struct fake_uploads */
unsigned fake_uploads_open(struct fake_uploads *uploads);

/* ---- fake_publish.c: manifests in, manifests and tags out ---- */

void fake_publish_put(struct fake_registry *r, const char *repo,
                      const char *ref, const struct fake_request *req,
                      struct fake_response *resp);
void fake_publish_delete(struct fake_registry *r, const char *repo,
                         const char *ref, struct fake_response *resp);

/* ---- fake_serve.c: the endpoints ---- */

struct fake_registry {
    struct fake_registry_cfg cfg; /* owns its strings; immutable */
    char *url, *prefix;           /* immutable */
    struct fake_server *server, *storage;
    struct fake_content *content;
    struct fake_tokens *tokens;
    struct fake_targets *targets;
    struct fake_uploads *uploads;
};

fake_handler fake_registry_serve; /* arg: struct fake_registry */
void fake_error(struct fake_response *resp, int status, const char *code,
                const char *message);

#endif
