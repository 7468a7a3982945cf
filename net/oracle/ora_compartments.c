/* SPDX-License-Identifier: Apache-2.0 */
#include "oracle_priv.h"

static void compartment_done(struct ofs_ora_compartment *c)
{
    free(c->id);
    free(c->parent_id);
    free(c->name);
}

void ofs_ora_compartments_done(struct ofs_ora_compartments *c)
{
    for (size_t i = 0; i < c->n; i++)
        compartment_done(&c->at[i]);
    free(c->at);
    *c = (struct ofs_ora_compartments){ 0 };
}

struct list {
    struct ofs_ora_compartments found;
    size_t room;
};

static int add(const json_t *item, void *arg, struct ofs_err *err)
{
    struct list *list = arg;
    struct ofs_ora_compartment c = { 0 };
    bool active = false;
    int r = ofs_ora_compartment_decode(item, &c, &active, err);

    if (r == 0 && active)
        r = ofs_ora_grow((void **)&list->found.at, list->found.n, &list->room,
                         sizeof(c));
    if (r < 0 || !active) {
        compartment_done(&c);
        return r;
    }
    list->found.at[list->found.n++] = c;
    return 0;
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
    struct list list = { 0 };
    const struct ofs_ora_lister lister = { add, &list,
                                           "inspect compartments in tenancy" };
    int r = path ? ofs_ora_list(o, call, o->identity, path, &lister, err)
                 : ofs_err_nomem(err, "a request");

    if (r < 0) {
        ofs_ora_compartments_done(&list.found);
        return r;
    }
    *ret = list.found;
    return 0;
}
