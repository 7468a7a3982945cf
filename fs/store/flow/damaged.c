/* SPDX-License-Identifier: Apache-2.0 */

/* Digests whose bytes were wrong lately, and the attempt that comes next:
 * another origin, and after that this one again. */

#include "store_priv.h"

void ofs_damaged_init(struct ofs_damaged *d)
{
    ofs_mutex_init(&d->mtx, OFS_RANK_STORE);
}

void ofs_damaged_done(struct ofs_damaged *d)
{
    ofs_mutex_done(&d->mtx);
}

void ofs_damaged_note(struct ofs_damaged *d, const struct ofs_digest *digest,
                      int attempt)
{
    OFS_GUARD(&d->mtx);
    d->ring[d->n % OFS_DAMAGED_MAX].digest = *digest;
    d->ring[d->n % OFS_DAMAGED_MAX].attempt = !attempt;
    d->n++;
}

int ofs_damaged_attempt(struct ofs_damaged *d, const struct ofs_digest *digest)
{
    OFS_GUARD(&d->mtx);
    for (unsigned back = 1; back <= OFS_DAMAGED_MAX; back++) {
        unsigned i = (d->n - back) % OFS_DAMAGED_MAX;

        if (ofs_digest_eq(&d->ring[i].digest, digest))
            return d->ring[i].attempt;
    }
    return 0;
}
