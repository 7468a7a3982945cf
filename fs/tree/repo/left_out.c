/* SPDX-License-Identifier: Apache-2.0 */
/* What is not shown although a registry may have it is told, once. */
#include "left_out.h"

#include "ocirfs/errclass.h"
#include "ocirfs/registry.h"

bool ofs_tag_is_shown(const struct ofs_tag *tag)
{
    return tag->known &&
           (!tag->refused || ofs_err_is(tag->refused, OFS_ERR_AWAY));
}

void ofs_left_out(struct ofs_repos *repos, struct ofs_repo *repo,
                  const char *name, const char *what, const struct ofs_err *why)
{
    struct ofs_err told = { 0 };

    (void)ofs_err_set(&told, why->code, "'%s' of '%s' %s: %s", name, repo->path,
                      what, why->text);
    memcpy(told.request_id, why->request_id, sizeof(told.request_id));
    repos->hooks->left_out(repos->hooks_arg, repo->path, name, &told);
}

bool ofs_is_trouble_of_all(struct ofs_repos *repos, int code,
                           const struct ofs_err *err)
{
    return ofs_err_is(code, OFS_ERR_AWAY) &&
           (err->http_status == 429 || !ofs_registry_is_up(repos->registry));
}

int ofs_repo_unread(struct ofs_repos *repos, struct ofs_repo *repo,
                    const struct ofs_digest *digest)
{
    OFS_GUARD(&repo->mtx);
    return ofs_unread_find(&repo->unread, digest, ofs_sync_now(repos->sync),
                           repos->sync->ttl_ms);
}

bool ofs_repo_note_unread(struct ofs_repos *repos, struct ofs_repo *repo,
                          const struct ofs_digest *digest, int code)
{
    OFS_GUARD(&repo->mtx);
    return ofs_unread_note(&repo->unread, digest, code,
                           ofs_sync_now(repos->sync));
}
