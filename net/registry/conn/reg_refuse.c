/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_refuse.h"

#include "reg_error.h"

/* The repository that a scope begins with (owned); NULL: with none. */
static char *repo_of_scope(const char *scope)
{
    const char *repo = scope ? strchr(scope, ':') : NULL;

    return repo ? strndup(repo + 1, strcspn(repo + 1, ":")) : NULL;
}

static void add_advice(const struct ofs_registry *r, const char *scope,
                       struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf advice = OFS_BUF_INIT(sizeof(err->text));
    OFS_AUTOFREE char *repo = repo_of_scope(scope);
    struct ofs_err told;

    if (!repo)
        return;
    r->advise(r->advise_arg, repo, strstr(scope, ",push") != NULL, &advice);
    (void)ofs_err_set(&told, err->code, "%.180s; %s", err->text,
                      ofs_buf_str(&advice));
    memcpy(err->text, told.text, sizeof(err->text));
}

int ofs_reg_refuse(const struct reg_end *end, const char *what,
                   const char *scope, const struct ofs_http_resp *resp,
                   struct ofs_err *err)
{
    int r = ofs_reg_refused(end->host, what, resp, err);

    if (err && end->r->advise && !end->is_mirror && resp->status == 403)
        add_advice(end->r, scope, err);
    return r;
}

int ofs_reg_refuse_change(const struct reg_end *end, const char *what,
                          const char *scope, const struct ofs_http_resp *resp,
                          struct ofs_err *err)
{
    int r = ofs_reg_refuse(end, what, scope, resp, err);

    if (!err || !end->r->advise || r != -ENOENT || ofs_reg_is_lost(err->id))
        return r;
    err->code = -EACCES;
    add_advice(end->r, scope, err);
    return -EACCES;
}
