/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

void ofs_ora_compartments_done(struct ofs_ora_compartments *c)
{
    for (size_t i = 0; i < c->n; i++)
        ofs_ora_compartment_done(&c->at[i]);
    free(c->at);
    *c = (struct ofs_ora_compartments){ 0 };
}

static int add(const json_t *item, void *arg, struct ofs_err *err)
{
    struct ofs_ora_compartments *to = arg;
    int r = ofs_vec_grow(to->at, to->n, to->room);

    if (r < 0)
        return ofs_err_nomem(err, "a list of compartments");
    r = ofs_ora_compartment_decode(item, &to->at[to->n], err);
    to->n += r == 0;
    return r < 0 ? r : 0;
}

/*
 * ACCESSIBLE: those one may see and the parents on the way, in one list for
 * the whole tree.  The root is the tenancy itself and is not in it.
 */
int ofs_ora_list_compartments(struct ofs_ora *o, struct ofs_call *call,
                              struct ofs_ora_compartments *ret,
                              struct ofs_err *err)
{
    const char *const query[] = {
        "compartmentId",
        ofs_ora_auth_tenancy(o->auth),
        "compartmentIdInSubtree",
        "true",
        "accessLevel",
        "ACCESSIBLE",
        "limit",
        "1000",
        NULL,
    };
    OFS_AUTOFREE char *path = ofs_ora_path("/20160918/compartments", query);
    OFS_AUTO(ofs_ora_compartments_done)
    struct ofs_ora_compartments found = { 0 };
    const struct ofs_ora_lister lister = { add, &found, "inspect compartments",
                                           NULL };
    int r = ofs_ora_list(o, call, o->identity, path, &lister, err);

    if (r == 0) {
        *ret = found;
        found = (struct ofs_ora_compartments){ 0 };
    }
    return r;
}
