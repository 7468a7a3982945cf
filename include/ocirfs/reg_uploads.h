/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_UPLOADS_H
#define OFS_REG_UPLOADS_H

/*
 * Blobs into a registry.  Threads, blocking and common errors as registry.h;
 * besides: -EDQUOT over quota, -EFBIG too large for the registry, -EBADMSG it
 * received other bytes than the digest says.  An upload takes as long as it
 * moves: give it a call without a deadline; silence ends it.  The mirror is
 * never written to.
 *
 * Source: OCI distribution-spec v1.1.1, "Pushing blobs"; decisions R12
 * to R16 in net/README.md.
 */

#include "ocirfs/registry.h"

/* Data (registry.h) that were not there yet may be there now.  Any thread. */
void ofs_uploads_wake(struct ofs_registry *r);

enum ofs_pushed {
    OFS_PUSHED_EXISTS,   /* it was there already */
    OFS_PUSHED_MOUNTED,  /* from another repository of the registry */
    OFS_PUSHED_UPLOADED, /* the bytes went over the wire */
};

/*
 * Make sure that a blob is in `repo`: HEAD; else a cross-repository mount from
 * the first of `from` that works; else an upload of `data`, whose size is
 * known.  Resets, 5xx, a token that ends in the middle, a lost upload session
 * and a final PUT whose answer got lost are survived; chunks only where the
 * registry says 413 to the whole.  Verified by the registry's answer, else by
 * HEAD.
 */
struct ofs_blob_push {
    const char *repo;
    const struct ofs_digest *digest;
    const struct ofs_blob_data *data; /* NULL: HEAD and mount only, then
                                         -ENOENT */
    const struct ofs_strv *from;      /* repositories; may be NULL */
    _Atomic uint64_t *sent;           /* bytes of `data` so far; may be NULL */
    bool known_missing;               /* HEAD has been asked: leave it out */
};
int ofs_registry_blob_push(struct ofs_registry *r, struct ofs_call *call,
                           const struct ofs_blob_push *ask,
                           enum ofs_pushed *ret_how,
                           struct ofs_err *err) OFS_MUST_CHECK;

/*
 * An upload that runs while its data are still being written and whose digest
 * is known at the end only: POST, one PATCH without Content-Range, PUT.  Made
 * for the case that all goes well: any failure of `stream` or `finish` means
 * to start over with ofs_registry_blob_push() from the staged copy.
 */
struct ofs_upload;

int ofs_upload_open(struct ofs_registry *r, struct ofs_call *call,
                    const char *repo, struct ofs_upload **ret,
                    struct ofs_err *err) OFS_MUST_CHECK;
/* Send all of `data`; returns when its end was read and the registry has it. */
int ofs_upload_stream(struct ofs_upload *u, struct ofs_call *call,
                      const struct ofs_blob_data *data, _Atomic uint64_t *sent,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* 0: the registry has the blob under that digest. */
int ofs_upload_finish(struct ofs_upload *u, struct ofs_call *call,
                      const struct ofs_digest *digest,
                      struct ofs_err *err) OFS_MUST_CHECK;
/* Frees; a session that was not finished is cancelled (DELETE), unless the
 * registry does not answer soon.  Blocks for at most 2 s. */
void ofs_upload_close(struct ofs_upload *u);
OFS_DEFINE_AUTO(struct ofs_upload, ofs_upload_close)

#endif
