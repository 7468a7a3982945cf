/* SPDX-License-Identifier: Apache-2.0 */
/* index.json and oci-layout of a repository. */
#include "view_layout.h"

#include "ocirfs/process.h"

#include "layout_files.h"
#include "new_repos.h"
#include "readings.h"
#include "repo_state.h"

#include <sys/stat.h>

int64_t ofs_layout_valid(struct ofs_tree *t, const char *path, int64_t ms)
{
    return t->push && ofs_new_repo_has(&t->new_repos, path) ? 0 : ms;
}

/* He may write what he has read. */
static void note_reading(const struct ofs_tree *t, const struct ofs_call *call,
                         struct ofs_repo *repo, struct ofs_bytes *bytes)
{
    const struct ofs_reader who = { call->who, ofs_process_of(call->who) };

    if (t->push)
        ofs_reading_note(repo, &who, bytes);
}

static int open_index(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_file *f, struct ofs_err *err)
{
    OFS_AUTO(ofs_bytes_unrefp) struct ofs_bytes *bytes = NULL;
    OFS_REPO_HOLD(held, &t->repos, f->node->path);
    struct ofs_index index;
    int64_t left_ms;
    int r;

    if (!held.repo)
        return ofs_err_nomem(err, "index.json");
    r = ofs_index_get(&t->repos, call, held.repo, &index, &left_ms, err);
    if (r < 0)
        return r;
    bytes = index.bytes;
    if (!ofs_digest_eq(&index.digest, &f->node->digest)) {
        ofs_bytes_unref(bytes);
        /* Only where writers change it between a look-up and an open (T62). */
        bytes = t->push ? ofs_index_old(held.repo, &f->node->digest) : NULL;
    }
    if (!bytes)
        return ofs_err_set(err, -ESTALE, "the tags have changed");
    note_reading(t, call, held.repo, bytes);
    f->bytes = ofs_take(&bytes);
    return 0;
}

static int open_header(struct ofs_tree *t, struct ofs_call *call,
                       struct ofs_file *f, struct ofs_err *err)
{
    (void)t;
    (void)call;
    f->bytes = ofs_bytes_new(ofs_layout_header, strlen(ofs_layout_header));
    return f->bytes ? 0 : ofs_err_nomem(err, "oci-layout");
}

int ofs_layout_leave(const struct ofs_tree *t, const char *name,
                     struct ofs_err *err)
{
    if (t->space.allow_delete)
        return 0;
    return ofs_err_set(err, -EPERM,
                       "every repository has '%s'; rm of tags, and -r of "
                       "repositories, needs -o allow_delete",
                       name);
}

/* For good in a directory that somebody here is filling; elsewhere it is a view
 * of the tags, which goes with the last of them. */
static int layout_remove(struct ofs_tree *t, struct ofs_call *call,
                         const struct ofs_named *what, struct ofs_err *err)
{
    if (ofs_new_repo_hide(&t->new_repos, call->who, what->spec->path,
                          ofs_new_repo_part(what->name)) == 0)
        return 0;
    return ofs_layout_leave(t, what->name, err);
}

const struct ofs_view ofs_view_index = {
    .kind = "index.json",
    .type = S_IFREG,
    .path = "index.json",
    .place = OFS_PLACE_REPO,
    .open = open_index,
    .remove = layout_remove,
};

const struct ofs_view ofs_view_header = {
    .kind = "oci-layout",
    .type = S_IFREG,
    .path = "oci-layout",
    .place = OFS_PLACE_REPO,
    .open = open_header,
    .remove = layout_remove,
};
