/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_REMOTE_H
#define OFS_FAKE_REMOTE_H

/*
 * A registry in shared memory in place of net/registry: the functions that
 * push calls are defined here, so the linker takes these.  What is in it
 * survives a child that is killed.  Each call is two steps, before and after
 * its effect; any of them can fail, or be the child's last.
 */

#include "draft.h"
#include "push_priv.h"

#include "ocirfs/mediatype.h"

#include <signal.h>
#include <sys/mman.h>

#define UNUSED __attribute__((unused))

enum {
    REMOTE_THINGS = 256,
    REMOTE_BYTES = 96 * 1024 * 1024,
    REMOTE_NAME = 64,
};

enum remote_kind { REMOTE_BLOB = 1, REMOTE_MANIFEST, REMOTE_TAG };

struct remote_thing {
    enum remote_kind kind;
    char repo[REMOTE_NAME], tag[REMOTE_NAME];
    struct ofs_digest digest;
    size_t off, len; /* of the bytes; TAG: none */
};

struct fake_remote {
    _Atomic size_t n_things, used;
    struct remote_thing things[REMOTE_THINGS];
    _Atomic int steps;    /* so far */
    _Atomic int fail_at;  /* this step fails; 0: none */
    _Atomic int fail_for; /* and so many behind it */
    _Atomic int fail_code;
    _Atomic int kill_at; /* this step is the process's last; 0: none */
    atomic_bool no_mount;
    atomic_bool no_streams;
    atomic_uint n_heads, n_mounts, n_uploads, n_streams, n_puts;
    _Atomic uint64_t sent;
    atomic_uint wakes;
    atomic_uint told; /* what a child leaves to the test */
    uint8_t bytes[REMOTE_BYTES];
};

UNUSED static struct fake_remote *remote_new(void)
{
    void *at = mmap(NULL, sizeof(struct fake_remote), PROT_READ | PROT_WRITE,
                    MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

    if (at == MAP_FAILED)
        abort();
    return at;
}

UNUSED static void remote_free(struct fake_remote *f)
{
    (void)munmap(f, sizeof(*f));
}

static inline struct fake_remote *remote_of(struct ofs_registry *r)
{
    return (struct fake_remote *)r;
}

/* 0, or what this step fails with. */
static inline int remote_step(struct fake_remote *f, struct ofs_err *err)
{
    int n = atomic_fetch_add(&f->steps, 1) + 1;
    int fail_at = atomic_load(&f->fail_at);

    if (n == atomic_load(&f->kill_at))
        (void)kill(getpid(), SIGKILL);
    if (fail_at == 0 || n < fail_at || n > fail_at + atomic_load(&f->fail_for))
        return 0;
    return ofs_err_set(err, atomic_load(&f->fail_code), "told to fail");
}

/* In this process: a child that is killed leaves nothing locked behind. */
static struct ofs_mutex remote_mtx = OFS_MUTEX_INIT(OFS_RANK_REGISTRY);

/* With remote_mtx held. */
static inline struct remote_thing *
remote_look(struct fake_remote *f, enum remote_kind kind, const char *repo,
            const struct ofs_digest *digest, const char *tag)
{
    for (size_t i = 0; i < f->n_things; i++) {
        struct remote_thing *t = &f->things[i];

        if (t->kind == kind && strcmp(t->repo, repo) == 0 &&
            (tag ? strcmp(t->tag, tag) == 0
                 : ofs_digest_eq(&t->digest, digest)))
            return t;
    }
    return NULL;
}

/* What it points to does not change, but the digest of a tag. */
static inline struct remote_thing *
remote_find(struct fake_remote *f, enum remote_kind kind, const char *repo,
            const struct ofs_digest *digest, const char *tag)
{
    OFS_GUARD(&remote_mtx);
    return remote_look(f, kind, repo, digest, tag);
}

/* False: there is no such tag. */
static inline bool remote_tag(struct fake_remote *f, const char *repo,
                              const char *tag, struct ofs_digest *ret)
{
    struct remote_thing *t;

    OFS_GUARD(&remote_mtx);
    t = remote_look(f, REMOTE_TAG, repo, NULL, tag);
    if (t)
        *ret = t->digest;
    return t;
}

/* Bytes that a thing is made of. */
struct remote_span {
    const void *bytes;
    size_t len;
};

static inline struct remote_span span(const void *bytes, size_t len)
{
    return (struct remote_span){ bytes, len };
}

static inline void remote_add(struct fake_remote *f, enum remote_kind kind,
                              const char *repo, const char *tag,
                              const struct ofs_digest *digest,
                              struct remote_span of)
{
    struct remote_thing *t;

    OFS_GUARD(&remote_mtx);
    t = remote_look(f, kind, repo, digest, tag);
    if (t) {
        if (tag)
            t->digest = *digest;
        return;
    }
    if (f->n_things == REMOTE_THINGS || f->used + of.len > REMOTE_BYTES)
        abort();
    if (of.len > 0)
        memcpy(f->bytes + f->used, of.bytes, of.len);
    t = &f->things[f->n_things];
    *t = (struct remote_thing){
        .kind = kind,
        .digest = *digest,
        .off = f->used,
        .len = of.len,
    };
    (void)snprintf(t->repo, REMOTE_NAME, "%s", repo);
    (void)snprintf(t->tag, REMOTE_NAME, "%s", tag ? tag : "");
    f->used += of.len;
    f->n_things++; /* now it is in, for who looks after a kill as well */
}

UNUSED static struct ofs_digest remote_put(struct fake_remote *f,
                                           enum remote_kind kind,
                                           const char *repo, const void *bytes,
                                           size_t len)
{
    struct ofs_digest d;

    if (ofs_digest_of(OFS_SHA256, bytes, len, &d) < 0)
        abort();
    remote_add(f, kind, repo, NULL, &d, span(bytes, len));
    return d;
}

UNUSED static bool remote_has(struct fake_remote *f, enum remote_kind kind,
                              const char *repo, const struct ofs_digest *d)
{
    return remote_find(f, kind, repo, d, NULL);
}

UNUSED static bool remote_tag_is(struct fake_remote *f, const char *repo,
                                 const char *tag, const struct ofs_digest *d)
{
    struct ofs_digest is;

    return remote_tag(f, repo, tag, &is) && ofs_digest_eq(&is, d);
}

/* ---- what is asked ---- */

void ofs_manifest_info_done(struct ofs_manifest_info *info)
{
    free(info->media_type);
    free(info->bytes);
    *info = (struct ofs_manifest_info){ 0 };
}

static inline int remote_manifest(struct ofs_registry *r, const char *repo,
                                  const char *ref,
                                  struct ofs_manifest_info *ret,
                                  struct ofs_err *err)
{
    struct fake_remote *f = remote_of(r);
    struct ofs_manifest_info info;
    struct ofs_digest d;
    struct remote_thing *t;
    int code = remote_step(f, err);

    if (code < 0)
        return code;
    if (ofs_digest_parse(ref, &d, NULL) < 0) {
        if (!remote_tag(f, repo, ref, &d))
            return ofs_err_set(err, -ENOENT, "no such tag");
    }
    t = remote_find(f, REMOTE_MANIFEST, repo, &d, NULL);
    if (!t)
        return ofs_err_set(err, -ENOENT, "no such manifest");
    info = (struct ofs_manifest_info){
        .digest = d,
        .size = t->len,
        .media_type = strdup(OFS_MT_OCI_MANIFEST),
        .bytes = strndup((char *)f->bytes + t->off, t->len),
    };
    if (!info.media_type || !info.bytes) {
        ofs_manifest_info_done(&info);
        return ofs_err_nomem(err, "a manifest");
    }
    *ret = info;
    return 0;
}

int ofs_registry_manifest_now(struct ofs_registry *r, struct ofs_call *call,
                              const char *repo, const char *ref,
                              struct ofs_manifest_info *ret,
                              struct ofs_err *err)
{
    (void)call;
    atomic_fetch_add(&remote_of(r)->n_heads, 1);
    return remote_manifest(r, repo, ref, ret, err);
}

int ofs_registry_manifest_get(struct ofs_registry *r, struct ofs_call *call,
                              const char *repo, const char *ref,
                              struct ofs_manifest_info *ret,
                              struct ofs_err *err)
{
    (void)call;
    return remote_manifest(r, repo, ref, ret, err);
}

int ofs_registry_blob_has(struct ofs_registry *r, struct ofs_call *call,
                          const char *repo, const struct ofs_digest *digest,
                          struct ofs_err *err)
{
    struct fake_remote *f = remote_of(r);
    int code = remote_step(f, err);

    (void)call;
    atomic_fetch_add(&f->n_heads, 1);
    if (code < 0)
        return code;
    if (!remote_find(f, REMOTE_BLOB, repo, digest, NULL))
        return ofs_err_set(err, -ENOENT, "no such blob");
    return 0;
}

int ofs_registry_blob_read(struct ofs_registry *r, struct ofs_call *call,
                           const struct ofs_blob_range *range,
                           ofs_blob_sink *sink, void *arg, struct ofs_err *err)
{
    struct fake_remote *f = remote_of(r);
    struct remote_thing *t =
        remote_find(f, REMOTE_BLOB, range->repo, range->digest, NULL);

    (void)call;
    if (!t)
        return ofs_err_set(err, -ENOENT, "no such blob");
    return sink(arg, f->bytes + t->off + range->off, (size_t)range->len);
}

#endif
