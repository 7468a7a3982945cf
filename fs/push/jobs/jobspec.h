/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_JOBSPEC_H
#define OFS_JOBSPEC_H

/*
 * What was asked for, as a record that survives the process.  Pure: struct to
 * text and back.  Text, a line each, so that a person can read it:
 *
 *     ocirfs-push 1
 *     kind tag
 *     url https://registry.example
 *     repo prod/app
 *     tag 1.5
 *     digest sha256:...
 *     size 1155
 *     file 17
 *     check sha256:...        of all lines above
 *
 * Lines that a kind has no use for are left out.  A record that does not end
 * with the right check is torn and counts as absent.
 */

#include "ocirfs/buf.h"
#include "ocirfs/digest.h"

#include <stdbool.h>
#include <stdint.h>

enum ofs_job_kind {
    OFS_JOB_BLOB,     /* `file` is blob `digest` of repo */
    OFS_JOB_MANIFEST, /* acknowledged: `file` is manifest `digest`; it waits
                         for what it names */
    OFS_JOB_TAG,      /* `file` (manifest or archive) becomes `tag` */
    OFS_JOB_WISH,     /* acknowledged: `tag` is to name manifest `digest` */
    OFS_JOB_COPY,     /* manifest `digest` of `from` becomes `tag` */
    OFS_JOB_KEEP,     /* acknowledged: manifest `digest` is to be there, by
                         itself */
    OFS_JOB_N,
};

struct ofs_jobspec {
    enum ofs_job_kind kind;
    char *url; /* of the registry; owned, as are the others */
    char *repo;
    char *tag;  /* NULL: none */
    char *from; /* COPY only */
    struct ofs_digest digest;
    bool old_known;        /* TAG, COPY: what the tag named then is */
    struct ofs_digest old; /*   this; alg 0: it was not there */
    uint64_t size;         /* of the content, bytes */
    uint64_t file;         /* number in the staging area; 0: none */
};

enum { OFS_JOBSPEC_MAX_BYTES = 4096 };

void ofs_jobspec_done(struct ofs_jobspec *s);

/* Append the record.  -EINVAL: a name with a control character in it, or
 * what the kind needs is missing; else b->failed. */
int ofs_jobspec_format(const struct ofs_jobspec *s,
                       struct ofs_buf *b) OFS_MUST_CHECK;
/* -EBADMSG: torn, or not a record; -ENOMEM. */
int ofs_jobspec_parse(const char *text, size_t len,
                      struct ofs_jobspec *ret) OFS_MUST_CHECK;

/* Was it told to the user that this will be done? */
bool ofs_job_is_acknowledged(enum ofs_job_kind kind);
/* Do they want the same thing, so that the newer replaces the older? */
bool ofs_jobspec_same(const struct ofs_jobspec *a, const struct ofs_jobspec *b);

#endif
