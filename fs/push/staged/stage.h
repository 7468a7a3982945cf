/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_STAGE_H
#define OFS_STAGE_H

/*
 * The staging area on the local disk: numbered files, numbered records, a
 * budget for the bytes of the files, and a lock that dies with the process.
 * Knows nothing of what is in them.  Thread-safe after open.
 *
 *   <dir>/v1/lock        flock'd for as long as the area is in use
 *   <dir>/v1/files/<n>   content; mode 0600
 *   <dir>/v1/jobs/<n>    records (journal.h); n is 16 hex digits
 */

#include "ocirfs/err.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofs_stage {
    int lock_fd, files_fd, jobs_fd; /* immutable after open */
    uint64_t max_bytes;             /* immutable; 0: no limit */
    _Atomic uint64_t used_bytes;
    _Atomic uint64_t last; /* number given; 0: none yet */
};

enum { OFS_STAGE_NAME_MAX = 17 };

/* -EBUSY: another process has it; -EACCES others may look in; of the disk. */
int ofs_stage_open(struct ofs_stage *s, const char *dir, uint64_t max_bytes,
                   struct ofs_err *err) OFS_MUST_CHECK;
void ofs_stage_close(struct ofs_stage *s); /* what is in it stays */

/* A number that nothing on this disk has or had since open. */
uint64_t ofs_stage_number(struct ofs_stage *s);
const char *ofs_stage_name(uint64_t number, char name[OFS_STAGE_NAME_MAX]);

/* The file's descriptor, for reading and writing. */
int ofs_stage_create(struct ofs_stage *s, uint64_t number) OFS_MUST_CHECK;
int ofs_stage_reopen(struct ofs_stage *s, uint64_t number) OFS_MUST_CHECK;
void ofs_stage_remove(struct ofs_stage *s, uint64_t number);
/* The file of another area is ours as well, under `number`. */
int ofs_stage_link(struct ofs_stage *s, uint64_t number,
                   const struct ofs_stage *from,
                   uint64_t from_number) OFS_MUST_CHECK;

/* Numbers in one of the two folders, sorted; *ret is the caller's. -ENOMEM. */
int ofs_stage_list(int folder_fd, uint64_t **ret, size_t *ret_n) OFS_MUST_CHECK;

/* Take `bytes` of the budget.  -ENOSPC. */
int ofs_stage_charge(struct ofs_stage *s, uint64_t bytes) OFS_MUST_CHECK;
/* The same for what is there already. */
void ofs_stage_count(struct ofs_stage *s, uint64_t bytes);
void ofs_stage_discharge(struct ofs_stage *s, uint64_t bytes);

#endif
