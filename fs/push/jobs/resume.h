/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_RESUME_H
#define OFS_RESUME_H

/* The thread that goes on with what is left over. */

#include "jobs.h"

#include "ocirfs/thread.h"

struct ofs_resumer {
    struct ofs_jobs *jobs; /* outlives it */
    char *others; /* folder of other mounts' staging areas; owned; or NULL */
    struct ofs_call trying; /* of the job that it tries; its own */
    struct ofs_thread thread;
};

/* `others` is the resumer's. */
void ofs_resumer_init(struct ofs_resumer *s, struct ofs_jobs *jobs,
                      char *others);
void ofs_resumer_done(struct ofs_resumer *s); /* after stop */
int ofs_resumer_start(struct ofs_resumer *s) OFS_MUST_CHECK;
void ofs_resumer_stop(struct ofs_resumer *s);
void ofs_resumer_poke(void *arg); /* some job is to be tried again */

#endif
