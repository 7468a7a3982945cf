/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_session.h"

#include "ocirfs/reg_uploads.h"

/*
 * An upload beside the writing: no second try at anything, since the staged
 * copy is uploaded anew when this fails.
 */

struct ofs_upload {
    struct reg_session s;
    char *repo; /* owned */
};

static void upload_free(struct ofs_upload *u)
{
    if (!u)
        return;
    ofs_reg_session_done(&u->s);
    free(u->repo);
    free(u);
}
OFS_DEFINE_AUTO(struct ofs_upload, upload_free)

int ofs_upload_open(struct ofs_registry *r, struct ofs_call *call,
                    const char *repo, struct ofs_upload **ret,
                    struct ofs_err *err)
{
    OFS_AUTO(upload_freep) struct ofs_upload *u = NULL;
    int e = ofs_reg_check_repo(repo, err);

    if (e < 0)
        return e;
    u = calloc(1, sizeof(*u));
    if (!u || !(u->repo = strdup(repo)))
        return ofs_err_nomem(err, "an upload");
    e = ofs_reg_session_init(&u->s, r, u->repo,
                             ofs_strf("upload to '%s'", repo), err);
    if (e == 0)
        e = ofs_reg_session_open(&u->s, call, err);
    if (e < 0)
        return e;
    *ret = ofs_take(&u);
    return 0;
}

int ofs_upload_stream(struct ofs_upload *u, struct ofs_call *call,
                      const struct ofs_blob_data *data, _Atomic uint64_t *sent,
                      struct ofs_err *err)
{
    struct reg_feed feed = {
        .data = data,
        .end = data->size, /* as OFS_UNTIL_END, too */
        .sent = sent,
    };
    uint64_t received = 0;
    int r = ofs_reg_session_part(&u->s, call, &feed, /* ranged= */ false,
                                 &received, err);

    if (r == 0 && received != feed.at && feed.at > 1)
        return ofs_err_set(err, -EIO, "%s: has not taken all", u->s.what);
    return r;
}

int ofs_upload_finish(struct ofs_upload *u, struct ofs_call *call,
                      const struct ofs_digest *digest, struct ofs_err *err)
{
    int r = ofs_reg_session_commit(&u->s, call, digest, NULL, err);

    if (r == 0)
        ofs_reg_session_forget(&u->s);
    return r;
}

void ofs_upload_close(struct ofs_upload *u)
{
    if (!u)
        return;
    ofs_reg_session_cancel(&u->s);
    upload_free(u);
}
