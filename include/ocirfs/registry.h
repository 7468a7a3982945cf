/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REGISTRY_H
#define OFS_REGISTRY_H

/*
 * One registry that speaks the OCI distribution specification, read side
 * (reg_uploads.h and reg_publish.h write).  Knows tokens, the odd answers of
 * real servers, an optional mirror that is asked first, and whether the
 * registry answers at all.  Thread-safe; every call blocks as its ofs_call
 * allows and returns -EAGAIN when it may not.
 *
 * Common errors: -ENOENT no such repository, tag or blob; -EACCES 401 after a
 * new token, 403; -ETIMEDOUT, -EBUSY, -EBADMSG the server broke the protocol
 * or its bytes their digest; -EHOSTUNREACH, -ECONNREFUSED, -EPROTO not
 * reached; -EINTR; -EIO.  err->text has the registry's own words.
 *
 * When the registry did not answer once (time-out, no connection), calls fail
 * at once with the same errno until a probe in the background is answered
 * again, so that a dead registry costs one deadline, not one for each file.
 *
 * Source: OCI distribution-spec v1.1.1; Docker Registry HTTP API V2.
 */

#include "ocirfs/call.h"
#include "ocirfs/digest.h"
#include "ocirfs/http.h"
#include "ocirfs/str.h"
#include "ocirfs/token.h"

struct ofs_registry;

/* What somebody can do whom it does not let read, or write, a repository: a
 * part of a sentence. */
typedef void ofs_registry_advice_fn(void *arg, const char *repo, bool writes,
                                    struct ofs_buf *ret);

struct ofs_registry_cfg {
    const char *url;        /* "https://host[:port][/prefix]" */
    const char *mirror_url; /* NULL: none */
    struct ofs_http *http;
    struct ofs_tokens *tokens;
    const struct ofs_clock *clock;
    bool allow_plain_http; /* http elsewhere than on loopback */
    int64_t probe_ms;      /* pause between probes while it is down; 0: 1 s */
    /* Added to what a 403 says; NULL: nobody knows.  A registry that has it
     * says 404 to writers whom it does not let in, too. */
    ofs_registry_advice_fn *advise;
    void *advise_arg;
};

/* -EINVAL: a URL that is not one, or plain http without leave. */
struct ofs_registry *ofs_registry_new(const struct ofs_registry_cfg *cfg,
                                      struct ofs_err *err);
/* Make the probing thread; after daemonising. */
int ofs_registry_start(struct ofs_registry *r,
                       struct ofs_err *err) OFS_MUST_CHECK;
void ofs_registry_stop(struct ofs_registry *r);
void ofs_registry_free(struct ofs_registry *r);
OFS_DEFINE_AUTO(struct ofs_registry, ofs_registry_free)

/*
 * GET /v2/: is it a registry, and do our credentials work?  Learns the
 * challenge, so that what follows carries its token at once.  Does not care
 * for being down: it asks.  `repo` (may be NULL): one that must be readable,
 * since a bearer registry takes any user for an empty scope.
 */
int ofs_registry_check(struct ofs_registry *r, struct ofs_call *call,
                       const char *repo, struct ofs_err *err) OFS_MUST_CHECK;

/* "host:port" or "host" for messages; borrowed. */
const char *ofs_registry_host(const struct ofs_registry *r);

/*
 * As whom a repository ("": the registry) is asked, without the network: the
 * same as long as the user is the same.  `call` is for a credential helper;
 * NULL: what it last said.  -EAGAIN and others: nobody knows.
 */
int ofs_registry_who(struct ofs_registry *r, struct ofs_call *call,
                     const char *repo, struct ofs_digest *ret) OFS_MUST_CHECK;

struct ofs_registry_health {
    bool up;
    int64_t down_since_s;                          /* wall clock, when not up */
    char why[sizeof(((struct ofs_err *)0)->text)]; /* last trouble */
};
void ofs_registry_health(struct ofs_registry *r,
                         struct ofs_registry_health *ret);

/* Does it answer, as far as is known?  Takes at most a second, when a request
 * has just found that it does not and the probe is out. */
bool ofs_registry_is_up(struct ofs_registry *r);

/*
 * All repositories, sorted, without duplicates and invalid names.  -ENOTSUP:
 * the registry has no catalog or does not show it to us (401, 403, 404, 405).
 * -EFBIG: over 1,000,000 names or a list that pages in circles.
 */
int ofs_registry_catalog(struct ofs_registry *r, struct ofs_call *call,
                         struct ofs_strv *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;

/* All tags of a repository, likewise.  -ENOENT: no such repository. */
int ofs_registry_tags(struct ofs_registry *r, struct ofs_call *call,
                      const char *repo, struct ofs_strv *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;

struct ofs_manifest_info {
    struct ofs_digest digest;
    uint64_t size;      /* bytes */
    char *media_type;   /* owned; never NULL */
    int64_t modified_s; /* Last-Modified; 0: not told */
    char *bytes;        /* the exact ones, owned; NULL after a HEAD */
};
void ofs_manifest_info_done(struct ofs_manifest_info *info);

/*
 * HEAD a manifest.  `ref` is a tag or a digest.  A server that leaves out
 * length or digest, or refuses HEAD, is asked with GET instead.
 */
int ofs_registry_manifest_head(struct ofs_registry *r, struct ofs_call *call,
                               const char *repo, const char *ref,
                               struct ofs_manifest_info *ret,
                               struct ofs_err *err) OFS_MUST_CHECK;
/* The same for who is about to put one: a HEAD's 404 is believed at once. */
int ofs_registry_manifest_now(struct ofs_registry *r, struct ofs_call *call,
                              const char *repo, const char *ref,
                              struct ofs_manifest_info *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;

/*
 * GET a manifest: its exact bytes and what is known of it.  Verified: the
 * digest is computed from the bytes and compared with `ref` when that is a
 * digest, and with the server's word.  -EBADMSG, -EFBIG beyond
 * OFS_MANIFEST_MAX_BYTES.
 */
int ofs_registry_manifest_get(struct ofs_registry *r, struct ofs_call *call,
                              const char *repo, const char *ref,
                              struct ofs_manifest_info *ret,
                              struct ofs_err *err) OFS_MUST_CHECK;

/* Is the blob in that repository, and how long is it (bytes)? */
int ofs_registry_blob_head(struct ofs_registry *r, struct ofs_call *call,
                           const char *repo, const struct ofs_digest *digest,
                           uint64_t *ret_size,
                           struct ofs_err *err) OFS_MUST_CHECK;

/*
 * The same for who can send it: a HEAD's 404 is believed at once, since a
 * wrong "no" only costs a mount.
 */
int ofs_registry_blob_has(struct ofs_registry *r, struct ofs_call *call,
                          const char *repo, const struct ofs_digest *digest,
                          struct ofs_err *err) OFS_MUST_CHECK;

/* Bytes of a blob, in order; on the HTTP engine's thread (see http.h). */
typedef int ofs_blob_sink(void *arg, const void *data, size_t len);

/*
 * Bytes to send.  `read` is called on the HTTP engine's thread and must not
 * wait: up to `len` bytes at `off`; how many; 0 at the end; -EAGAIN: not
 * written yet, ofs_uploads_wake() will tell; another negative errno ends the
 * request with it.  Begins again at any earlier offset when an attempt is
 * repeated.
 */
struct ofs_blob_data {
    ssize_t (*read)(void *arg, void *buf, size_t len, uint64_t off);
    void *arg;
    uint64_t size; /* bytes, or OFS_UNTIL_END (httpreq.h) */
};

/*
 * Stream bytes [off, off + len) of a blob of `size` bytes to `sink`.  `len`
 * > 0, the range lies within the blob.  Not verified: only the whole has a
 * digest (fs/store does it).
 *
 * Takes care of: 200 for a range (skips to `off`, stops after `len`, and the
 * server is remembered), a wrong Content-Range, short and long bodies,
 * redirects (target kept for a minute, asked anew when it refuses), a token
 * that ends while reading.  After a broken connection it goes on where the
 * sink is; gives up after 3 attempts without a single byte.
 *
 * The sink gets exactly `len` bytes on success, fewer on failure.  -EBADMSG:
 * the server's size differs from `size`.  The mirror is asked only when
 * `use_mirror` (a mirror that served bad bytes is passed over).
 */
struct ofs_blob_range {
    const char *repo;
    const struct ofs_digest *digest;
    uint64_t size, off, len; /* bytes */
    bool use_mirror;
};
int ofs_registry_blob_read(struct ofs_registry *r, struct ofs_call *call,
                           const struct ofs_blob_range *range,
                           ofs_blob_sink *sink, void *arg,
                           struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Manifests that name `digest` as their subject: an index's exact bytes,
 * appended to `ret`.  Uses the referrers API with paging merged into one
 * index, or the tag schema where the API is absent; an empty index when there
 * are none.  -EFBIG: beyond OFS_MANIFEST_MAX_BYTES, or the limit of `ret`.
 */
int ofs_registry_referrers(struct ofs_registry *r, struct ofs_call *call,
                           const char *repo, const struct ofs_digest *digest,
                           struct ofs_buf *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

#endif
