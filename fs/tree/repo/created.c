/* SPDX-License-Identifier: Apache-2.0 */
#include "created.h"

#include "ocirfs/clock.h"
#include "ocirfs/errclass.h"
#include "ocirfs/mediatype.h"

#include "content.h"
#include "left_out.h"

/*
 * Policy.  With false, `ls -l` costs one request for each tag that was never
 * seen, instead of two, and images without the annotation have no time.
 */
static const bool created_from_config = true;

enum {
    /* Index -> index -> manifest; deeper ones have no time. */
    MAX_DEPTH = 3,
    PATIENCE_MS = 5000,
};

static const char created_key[] = "org.opencontainers.image.created";

/* Builders write the year 1 for "not known"; so does 1970 for us. */
static int64_t sane(int64_t s)
{
    return s > 0 ? s : 0;
}

static bool of_annotations(const struct ofs_annotations *a, int64_t *ret_s)
{
    const char *text = ofs_annotation_get(a, created_key);
    int64_t s;

    if (!text || ofs_time_parse(text, &s) < 0)
        return false;
    *ret_s = sane(s);
    return true;
}

static int of_config(struct ofs_repos *repos, struct ofs_call *call,
                     struct ofs_repo *repo, const struct ofs_descriptor *config,
                     int64_t *ret_s, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf json = OFS_BUF_INIT(OFS_MANIFEST_MAX_BYTES);
    int64_t s = 0;
    int r;

    *ret_s = 0;
    if (!created_from_config || config->size == OFS_SIZE_UNKNOWN ||
        ofs_media_of(config->media_type) != OFS_MEDIA_CONFIG)
        return 0;
    r = ofs_config_load(repos, call, repo, config, &json, err);
    if (r == 0 && ofs_config_created(ofs_buf_str(&json), json.len, &s) == 0)
        *ret_s = sane(s);
    return r;
}

/* buildx lists what it attests as manifests of an unknown platform. */
static bool is_attestation(const struct ofs_descriptor *d)
{
    return d->platform.os && strcmp(d->platform.os, "unknown") == 0;
}

/*
 * Of all platforms of an index the first stands for all: they were built
 * together, and each more would cost two requests for each tag in `ls -l`.
 */
static const struct ofs_descriptor *first_of(const struct ofs_manifest *m)
{
    for (size_t i = 0; i < m->n_layers; i++)
        if (ofs_names_manifest(m, &m->layers[i]) &&
            !is_attestation(&m->layers[i]))
            return &m->layers[i];
    return NULL;
}

/* The manifest behind a descriptor, into *ret. */
static int descend(struct ofs_repos *repos, struct ofs_call *call,
                   struct ofs_repo *repo, const struct ofs_manifest *m,
                   struct ofs_manifest *ret, struct ofs_err *err)
{
    const struct ofs_descriptor *d = first_of(m);

    if (!d)
        return -ENOENT;
    return ofs_manifest_read(repos, call, repo, &d->digest, ret, err);
}

static int created(struct ofs_repos *repos, struct ofs_call *call,
                   struct ofs_repo *repo, const struct ofs_manifest *m,
                   int64_t *ret_s, struct ofs_err *err)
{
    OFS_AUTOMANIFEST struct ofs_manifest child = { 0 };

    for (int depth = 0; depth < MAX_DEPTH; depth++) {
        struct ofs_manifest next = { 0 };
        int r;

        if (of_annotations(&m->annotations, ret_s))
            return 0;
        if (m->kind == OFS_MANIFEST_IMAGE)
            return of_config(repos, call, repo, &m->config, ret_s, err);
        r = descend(repos, call, repo, m, &next, err);
        if (r < 0)
            return r;
        ofs_manifest_done(&child);
        child = next;
        m = &child;
    }
    return 0;
}

/* Only so long: a date is not worth the manifest. */
static int ask_created(struct ofs_repos *repos, struct ofs_call *call,
                       struct ofs_repo *repo, const struct ofs_manifest *m,
                       int64_t *ret_s, struct ofs_err *err)
{
    int64_t deadline_ms = call->deadline_ms;
    int64_t left_ms = ofs_call_left_ms(call);
    int r;

    ofs_call_hurry(call, left_ms / 2 < PATIENCE_MS ? left_ms / 2 : PATIENCE_MS);
    r = created(repos, call, repo, m, ret_s, err);
    call->deadline_ms = deadline_ms;
    return r;
}

/* What could not be had: of an image its configuration, of an index a child. */
static const struct ofs_digest *witness_of(const struct ofs_manifest *m)
{
    const struct ofs_descriptor *d =
        m->kind == OFS_MANIFEST_IMAGE ? &m->config : first_of(m);

    return d && d->digest.alg ? &d->digest : NULL;
}

/* Tell it, unless that was done, or it is the registry that is in trouble. */
static void tell_undated(struct ofs_repos *repos, struct ofs_repo *repo,
                         const char *name, const struct ofs_manifest *m,
                         const struct ofs_err *why)
{
    const struct ofs_digest *witness = witness_of(m);

    if (!witness || ofs_is_trouble_of_all(repos, why->code, why) ||
        !ofs_repo_note_unread(repos, repo, witness, why->code))
        return;
    /* Of an index often only one platform was copied. */
    if (why->code != -ENOENT || m->kind == OFS_MANIFEST_IMAGE)
        ofs_left_out(repos, repo, name, "has no date", why);
}

int ofs_created_of(struct ofs_repos *repos, struct ofs_call *call,
                   struct ofs_repo *repo, const char *name,
                   const struct ofs_manifest *m, struct ofs_date *ret,
                   struct ofs_err *err)
{
    const struct ofs_digest *witness = witness_of(m);
    struct ofs_err why = { 0 };
    int r = witness ? ofs_repo_unread(repos, repo, witness) : 0;

    *ret = (struct ofs_date){ .s = 0 };
    if (of_annotations(&m->annotations, &ret->s))
        return 0;
    if (r >= 0) {
        r = ask_created(repos, call, repo, m, &ret->s, &why);
        if (ofs_err_is(r, OFS_ERR_OWN)) {
            if (err)
                *err = why;
            return r;
        }
        if (r < 0 && why.code == r)
            tell_undated(repos, repo, name, m, &why);
    }
    if (r < 0)
        *ret = (struct ofs_date){ .undated = r != -ENOENT };
    return 0;
}
