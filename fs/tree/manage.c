/* SPDX-License-Identifier: Apache-2.0 */
#include "manage.h"

#include "ocirfs/reg_publish.h"

#include "card.h"
#include "manage_ocir.h"
#include "manage_plain.h"

int ofs_manage_mkdir(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_node *dir, const char *name,
                     struct ofs_node_spec *ret, struct ofs_err *err)
{
    return t->tenancy ? ofs_ocir_mkdir(t, call, dir, name, ret, err)
                      : ofs_plain_mkdir(t, call, dir, name, ret, err);
}

int ofs_manage_rmdir(struct ofs_tree *t, struct ofs_call *call,
                     const struct ofs_node *dir, const char *name,
                     struct ofs_err *err)
{
    return t->tenancy ? ofs_ocir_rmdir(t, call, dir, name, err)
                      : ofs_plain_rmdir(t, call, dir, name, err);
}

int ofs_manage_move(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *dir, const char *name,
                    const struct ofs_node *to_dir, const char *to_name,
                    struct ofs_err *err)
{
    if (t->tenancy)
        return ofs_ocir_move(t, call, dir, name, to_dir, to_name, err);
    return ofs_err_set(err, -EXDEV,
                       "a plain registry cannot rename repository '%s'", name);
}

int ofs_manage_untag(struct ofs_tree *t, struct ofs_call *call,
                     const char *repo, const char *tag, struct ofs_err *err)
{
    return t->tenancy
               ? ofs_ocir_untag(t, call, repo, tag, err)
               : ofs_registry_tag_delete(t->registry, call, repo, tag, err);
}

int ofs_manage_may_move(struct ofs_tree *t, struct ofs_call *call,
                        const char *repo, const char *tag,
                        const struct ofs_digest *old, struct ofs_err *err)
{
    return t->tenancy ? ofs_ocir_may_move(t, call, repo, tag, old, err) : 0;
}

bool ofs_manage_is_immutable(struct ofs_tree *t, const char *repo)
{
    return t->tenancy && ofs_card_is_immutable(t, repo);
}
