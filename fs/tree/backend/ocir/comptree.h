/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_COMPTREE_H
#define OFS_COMPTREE_H

/*
 * The compartments of a tenancy as a tree of directories, made from the flat
 * list that the service gives.  Pure.
 *
 * Whatever the list holds, every compartment has a place: one whose parent is
 * not in the list lies below the root, and so does one of each circle.
 */

#include "ocirfs/oracle.h"

#include "nodes.h"

struct ofs_compartment {
    char *id;       /* owned */
    char *name;     /* as it is listed; owned */
    uint64_t scope; /* OFS_SCOPE_TOP, or a hash of the OCID */
    size_t parent;  /* index; the top's is its own */
    int64_t created_s;
};

struct ofs_comptree {
    struct ofs_compartment *at; /* owned; at[0] is what is mounted */
    size_t n;                   /* 0: not known yet */
};

void ofs_comptree_done(struct ofs_comptree *t);

/*
 * The tree below `wanted`: an OCID, names from the root on ("prod/eu"), or
 * NULL for the tenancy.  An OCID that is not in the list stands alone.
 * -ENOENT: no compartment has that path.
 *
 * A compartment is listed by its name; of siblings with one name (the service
 * allows none, but orphans come together) the first by OCID keeps it.  The
 * others, and those whose name is no file name, are listed by their OCID.
 */
int ofs_comptree_build(const struct ofs_ora_compartments *list,
                       const char *tenancy, const char *wanted,
                       struct ofs_comptree *ret) OFS_MUST_CHECK;

/* By scope, by OCID; NULL: there is none. */
const struct ofs_compartment *
ofs_comptree_of_scope(const struct ofs_comptree *t, uint64_t scope);
const struct ofs_compartment *ofs_comptree_of_id(const struct ofs_comptree *t,
                                                 const char *id);
/* The child that is listed as `name` or has that OCID. */
const struct ofs_compartment *
ofs_comptree_child(const struct ofs_comptree *t,
                   const struct ofs_compartment *parent, const char *name);

#endif
