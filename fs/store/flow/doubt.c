/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Has somebody else changed the file?  A whole one is sealed: made read-only,
 * and what it looks like remembered (blobfile.h, rule 5).  Each read compares.
 * A file that looks otherwise is not wrong, it is in doubt: a chunk at a time
 * is proven by its sums when it is read, and when all are it is sealed anew.
 */

#include "store_priv.h"

static struct ofs_metric broken_total =
    OFS_COUNTER("ocirfs_store_seals_broken_total",
                "Times the file of a whole blob was changed by others.");

static bool is_all_here(const struct ofs_object *o)
{
    for (uint32_t i = 0; i < o->n_chunks; i++)
        if (ofs_object_state(o, i) == OFS_ABSENT)
            return false;
    return true;
}

/* Where all is there nothing has to be written any more, so that a file that
 * changes from now on is not changed by us. */
void ofs_doubt_attached(struct ofs_object *o)
{
    if (o->file.seal)
        atomic_store(&o->seal, o->file.seal);
    else if (is_all_here(o))
        o->began_as = ofs_blobfile_look(&o->file);
}

/* One thread at a time, and none without need. */
static bool sealing_begin(struct ofs_object *o, uint64_t *ret_began_as)
{
    OFS_GUARD(&o->mtx);
    if (!atomic_load(&o->complete) || atomic_load(&o->seal) || o->sealing ||
        o->file_bad || o->breaking)
        return false;
    *ret_began_as = o->began_as;
    o->sealing = true;
    return true;
}

static void sealing_end(struct ofs_object *o, uint64_t look)
{
    OFS_GUARD(&o->mtx);
    if (look && atomic_load(&o->complete))
        atomic_store(&o->seal, look);
    o->sealing = false;
}

void ofs_doubt_settle(struct ofs_object *o)
{
    uint64_t began_as, look = 0;

    if (!atomic_load(&o->complete) || atomic_load(&o->seal) ||
        !sealing_begin(o, &began_as))
        return;
    if (began_as && began_as != ofs_blobfile_look(&o->file))
        ofs_doubt_all(o);
    else
        look = ofs_blobfile_seal(&o->file);
    sealing_end(o, look);
}

/* What another process sealed meanwhile is as good as sealed by us. */
void ofs_doubt_all(struct ofs_object *o)
{
    uint64_t sealed = ofs_blobfile_seal_look(&o->file);
    uint64_t look = ofs_blobfile_look(&o->file);

    OFS_GUARD(&o->mtx);
    atomic_store(&o->seal, sealed);
    if (sealed)
        return;
    ofs_metric_add(&broken_total, 1);
    o->began_as = look;
    for (uint32_t i = 0; i < o->n_chunks; i++)
        if (ofs_object_state(o, i) == OFS_PRESENT)
            ofs_object_set(o, i, OFS_SUSPECT);
}
