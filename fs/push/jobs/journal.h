/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_JOURNAL_H
#define OFS_JOURNAL_H

/*
 * Records of jobs on disk: one small file each, `jobs/<n>` of the staging
 * area, replaced whole.  Of two records that want the same the one with the
 * higher number is right.  Blocks on the local disk only.
 */

#include "jobspec.h"
#include "stage.h"

/* `durable`: record and content survive a power failure. */
int ofs_journal_put(struct ofs_stage *s, uint64_t number,
                    const struct ofs_jobspec *spec, bool durable,
                    struct ofs_err *err) OFS_MUST_CHECK;
void ofs_journal_remove(struct ofs_stage *s, uint64_t number);

struct ofs_record {
    uint64_t number;
    struct ofs_jobspec spec;
};

struct ofs_records {
    struct ofs_record *at; /* owned; the oldest first */
    size_t n;
};

/*
 * Read all of them, also those of other registries.  Removes what is torn,
 * what a newer record replaces, and content that no record names.
 */
int ofs_journal_load(struct ofs_stage *s, struct ofs_records *ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
void ofs_records_done(struct ofs_records *r);

#endif
