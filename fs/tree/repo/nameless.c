/* SPDX-License-Identifier: Apache-2.0 */
#include "nameless.h"

#include "ocirfs/log.h"

static struct ofs_nameless *nameless_new(const struct ofs_descriptor *d)
{
    OFS_AUTO(ofs_nameless_freep)
    struct ofs_nameless *n = calloc(1, sizeof(*n));

    if (!n)
        return NULL;
    n->digest = d->digest;
    n->size = d->size;
    n->media_type = strdup(d->media_type);
    return n->media_type ? ofs_take(&n) : NULL;
}

/* With repo.mtx held: where it is, or the end of the list. */
static struct ofs_nameless **link_to(struct ofs_repo *repo,
                                     const struct ofs_digest *digest)
{
    struct ofs_nameless **at = &repo->nameless;

    while (*at && !ofs_digest_eq(&(*at)->digest, digest))
        at = &(*at)->next;
    return at;
}

/* True: it is new there. */
static bool insert_new(struct ofs_repo *repo, struct ofs_nameless **fresh)
{
    struct ofs_nameless **at;

    OFS_GUARD(&repo->mtx);
    at = link_to(repo, &(*fresh)->digest);
    if (*at)
        return false;
    *at = ofs_take(fresh);
    repo->version++;
    return true;
}

void ofs_nameless_add(struct ofs_repos *repos, const char *path,
                      const struct ofs_descriptor *d)
{
    OFS_AUTO(ofs_nameless_freep) struct ofs_nameless *fresh = nameless_new(d);
    OFS_REPO_HOLD(held, repos, path);
    char digest[OFS_DIGEST_TEXT_MAX];

    if (!held.repo || !fresh || !insert_new(held.repo, &fresh))
        return; /* it is in the registry all the same */
    /* The state stays: no registry could tell of it. */
    (void)ofs_repo_ref(repos, held.repo);
    (void)ofs_digest_format(&d->digest, digest);
    ofs_log(OFS_WARN,
            "index.json of '%s' gives %s no tag: it is in the registry by its "
            "digest only, and in what index.json shows to this mount; "
            "'ln %s TAG' in that directory names it",
            path, digest, digest);
}

/* The one of that digest, or all. */
static struct ofs_nameless *take_out(struct ofs_repo *repo,
                                     const struct ofs_digest *digest)
{
    struct ofs_nameless **at, *out;

    OFS_GUARD(&repo->mtx);
    at = digest ? link_to(repo, digest) : &repo->nameless;
    out = *at;
    if (!out)
        return NULL;
    repo->version++;
    *at = digest ? out->next : NULL;
    if (digest)
        out->next = NULL;
    return out;
}

void ofs_nameless_drop(struct ofs_repos *repos, const char *path,
                       const struct ofs_digest *digest)
{
    OFS_REPO_HOLD(held, repos, path);
    struct ofs_nameless *out = held.repo ? take_out(held.repo, digest) : NULL;

    for (const struct ofs_nameless *n = out; n; n = n->next)
        ofs_repo_put(repos, held.repo);
    ofs_nameless_free(out);
}
