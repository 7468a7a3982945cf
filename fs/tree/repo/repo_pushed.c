/* SPDX-License-Identifier: Apache-2.0 */
#include "repo_pushed.h"

#include "ocirfs/clock.h"

#include "repo_state.h"

void ofs_repo_fed(struct ofs_repo *repo, const struct ofs_digest *digest,
                  uint64_t size)
{
    OFS_GUARD(&repo->mtx);
    repo->fed = true;
    /* Without memory it is asked for. */
    (void)!ofs_blobset_put(&repo->blobs, digest, size, OFS_KNOWN_BLOB);
}

int ofs_repo_tag_names(struct ofs_repo *repo, const char *tag,
                       struct ofs_digest *ret)
{
    const struct ofs_tag *found;

    OFS_GUARD(&repo->mtx);
    found = ofs_tags_find(&repo->tags, tag);
    if (!found)
        return -ENOENT;
    if (!found->known)
        return -EAGAIN;
    *ret = found->info.digest;
    return 0;
}

/*
 * With repo.mtx held: a tag was set or taken away just now, so whatever was
 * asked before says nothing of it, also when its answer is still on its way.
 */
static void touch(struct ofs_repo *repo)
{
    repo->n_written++;
    repo->version++;
    repo->dirty = true;
    repo->changed_s = ofs_wall_s();
    if (repo->list.state == OFS_LIST_REFUSED)
        repo->list.state = OFS_LIST_UNKNOWN;
}

/* The name is there; what it names is asked for by whoever wants to know,
 * since its time is in the image's configuration. */
void ofs_repo_tagged(struct ofs_repo *repo, const char *name)
{
    struct ofs_tag *tag;

    OFS_GUARD(&repo->mtx);
    touch(repo);
    tag = ofs_tags_need(&repo->tags, name);
    if (!tag) {
        repo->list.state = OFS_LIST_UNKNOWN;
        return;
    }
    tag->known = false;
    tag->ours = true;
    tag->refused = 0;
}

void ofs_repo_untagged(struct ofs_repos *repos, const char *path,
                       const char *tag)
{
    OFS_REPO_HOLD(held, repos, path);

    if (!held.repo)
        return;
    OFS_GUARD(&held.repo->mtx);
    touch(held.repo);
    ofs_tags_remove(&held.repo->tags, tag);
}

uint64_t ofs_repo_written(struct ofs_repo *repo)
{
    OFS_GUARD(&repo->mtx);
    return repo->n_written;
}
