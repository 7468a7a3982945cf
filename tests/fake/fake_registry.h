/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_REGISTRY_H
#define OFS_FAKE_REGISTRY_H

/*
 * A registry inside the test program: repositories with tags, manifests and
 * blobs, token endpoint, catalog, paging, referrers, uploads, mounts, and a
 * second server ("storage") that blobs are redirected to.  A repository is
 * made by what is put into it.  What it serves may
 * be changed at any time from any thread; it misbehaves by the fault script
 * of its servers (fake_server.h).  What cannot be done aborts the program.
 *
 * Source: OCI distribution-spec v1.1.1; Docker token authentication.
 */

#include "fake_server.h"

#include "ocirfs/digest.h"

struct fake_registry;

enum fake_auth {
    FAKE_AUTH_NONE,
    FAKE_AUTH_BASIC,  /* user and password with every request */
    FAKE_AUTH_BEARER, /* tokens from GET or POST /token on the same server */
};

enum fake_link {
    FAKE_LINK_RELATIVE, /* </v2/r/tags/list?...>; rel="next" */
    FAKE_LINK_ABSOLUTE, /* <http://127.0.0.1:port/v2/...>; rel="next" */
    FAKE_LINK_UNQUOTED, /* relative; rel=next */
    FAKE_LINK_NONE,     /* pages end without one: ask with last= yourself */
};

/* Where an upload goes on, by what the registry says. */
enum fake_location {
    FAKE_LOCATION_ABSOLUTE, /* http://127.0.0.1:port/v2/...?_state=... */
    FAKE_LOCATION_RELATIVE, /* /v2/...?_state=... */
    FAKE_LOCATION_BARE,     /* /v2/... */
    FAKE_LOCATION_STORAGE,  /* at the second server, without tokens */
};

struct fake_registry_cfg {
    const char *prefix; /* path before /v2, "/prefix"; NULL: none */
    enum fake_auth auth;
    const char *user, *password; /* NULL: tokens for anyone */
    const char *identity_token;  /* refresh token that POST takes; or NULL */
    int64_t expires_in;  /* told with each token, seconds; 0: 300; -1: not
                            told.  Tokens do not end by themselves. */
    unsigned token_uses; /* a token is good for so many requests; 0: any */
    bool narrow_tokens;  /* a token opens only what its scope named */
    bool no_catalog;     /* 404 UNSUPPORTED */
    bool no_referrers;   /* 404: the tag schema is all there is */
    unsigned page;       /* most names on a page; 0: as many as asked */
    enum fake_link link;
    bool storage;       /* blobs answer 307 to the second server */
    bool no_mounts;     /* a mount is answered with a session */
    bool no_status;     /* GET of a session: 404 */
    bool no_delete;     /* DELETE: 405 */
    bool no_tag_delete; /* DELETE by tag: 400, as distribution 2 */
    bool immutable;     /* a tag is not moved: 412 */
    bool range_unit;    /* "Range: bytes=0-9" instead of "0-9" */
    enum fake_location location;
    int done_status;      /* at the end of an upload; 0: 201 */
    uint64_t max_body;    /* longer blob requests are 413; 0: none */
    uint64_t min_chunk;   /* OCI-Chunk-Min-Length; 0: not told */
    unsigned target_uses; /* such a target is good for n requests, then 403;
                             0: any */
};

/* `cfg` may be NULL: all zero. */
struct fake_registry *fake_registry_start(const struct fake_registry_cfg *cfg);
void fake_registry_free(struct fake_registry *r);
OFS_DEFINE_AUTO(struct fake_registry, fake_registry_free)

const char *fake_registry_url(const struct fake_registry *r); /* with prefix */
struct fake_server *fake_registry_server(struct fake_registry *r);
struct fake_server *fake_registry_storage(struct fake_registry *r);

/* Bytes of the blob that `seed` makes; the same everywhere, any offset. */
void fake_blob_fill(uint64_t seed, void *buf, size_t len, uint64_t off);

/* Each of these makes the repository when it is not there. */
void fake_registry_repo(struct fake_registry *r, const char *repo);
struct ofs_digest fake_registry_blob(struct fake_registry *r, const char *repo,
                                     const void *data, size_t len);
/* A blob that costs no memory, whatever its size (hashing it takes time). */
struct ofs_digest fake_registry_seeded(struct fake_registry *r,
                                       const char *repo, uint64_t seed,
                                       uint64_t size);
struct ofs_digest fake_registry_manifest(struct fake_registry *r,
                                         const char *repo,
                                         const char *media_type,
                                         const void *bytes, size_t len);
/* Set or move a tag, to anything; `modified_s` > 0 is its Last-Modified. */
void fake_registry_tag(struct fake_registry *r, const char *repo,
                       const char *tag, const struct ofs_digest *to,
                       int64_t modified_s);
void fake_registry_untag(struct fake_registry *r, const char *repo,
                         const char *tag);
/* Take a blob or a manifest away. */
void fake_registry_remove(struct fake_registry *r, const char *repo,
                          const struct ofs_digest *digest);
/* One descriptor, as JSON, of what refers to `subject`. */
void fake_registry_referrer(struct fake_registry *r, const char *repo,
                            const struct ofs_digest *subject,
                            const char *descriptor);

/*
 * An OCI image: config, `n_layers` seeded layers of `layer_size` bytes (seeds
 * `seed`, `seed` + 1, ...), manifest, and the tag unless it is NULL.
 */
struct fake_image {
    struct ofs_digest manifest, config;
    struct ofs_digest layers[16];
    size_t manifest_size, config_size; /* bytes */
};
struct fake_image fake_registry_image(struct fake_registry *r, const char *repo,
                                      const char *tag, uint64_t seed,
                                      unsigned n_layers, uint64_t layer_size);
/* `n` tags "<prefix>0000", ... of one repository, to the same manifest. */
void fake_registry_many_tags(struct fake_registry *r, const char *repo,
                             const char *prefix, unsigned n,
                             const struct ofs_digest *to);

/* Is such a blob or manifest in the repository? */
bool fake_registry_has(struct fake_registry *r, const char *repo,
                       const struct ofs_digest *digest);
/* What a tag names; false: there is no such tag. */
bool fake_registry_tagged(struct fake_registry *r, const char *repo,
                          const char *tag, struct ofs_digest *ret);
/* Uploads that were begun and neither finished nor cancelled. */
unsigned fake_registry_sessions(struct fake_registry *r);

void fake_registry_expire_tokens(struct fake_registry *r);
void fake_registry_expire_targets(struct fake_registry *r);
/* Other credentials from now on; tokens given stay good. */
void fake_registry_password(struct fake_registry *r, const char *user,
                            const char *password);
/* Tokens given so far. */
unsigned fake_registry_tokens(struct fake_registry *r);

#endif
