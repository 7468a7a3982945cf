/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_IMAGE_ARCHIVE_H
#define OFS_IMAGE_ARCHIVE_H

/*
 * An image out of an archive: what `docker save` writes (all forms, also those
 * of podman, buildah, skopeo, kaniko, jib, crane) and OCI layouts in a tar;
 * plain, gzip or zstd.  Knows no network and keeps nothing on disk: it reads
 * the archive twice, for what it describes and then for its blobs.
 *
 * An OCI layout goes out byte for byte, so its digests stay.  A docker archive
 * has no manifest: one is made, and plain layers are compressed on the way,
 * which is what `docker push` does (fs/README.md, I1).
 *
 * An archive is foreign data.  Everything read from it is bounded and checked:
 * blobs against their names, layers against the configuration's diff_ids.
 * Errors: -EINVAL no archive of images, cut short, or not of the kind we can
 * push; -EBADMSG something does not have its digest; -EFBIG beyond a limit;
 * those of `call`, checked every few hundred KiB.  Not thread-safe.
 */

#include "archive_head.h"
#include "archive_manifest.h"

#include "ocirfs/call.h"
#include "ocirfs/digest.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct ofs_archive;

/*
 * Read what the archive in `fd` describes, `size` bytes read by pread(), and
 * choose the image for `repo`:`tag`: the only one, whatever its name, else the
 * one with that tag; of several with that tag the one whose repository ends
 * like `repo`.  None, or still several: -EINVAL, and the sentence lists the
 * names found.  `fd` stays the caller's and open until ofs_archive_free().
 */
int ofs_archive_open(int fd, uint64_t size, struct ofs_call *call,
                     const char *repo, const char *tag,
                     struct ofs_archive **ret,
                     struct ofs_err *err) OFS_MUST_CHECK;
void ofs_archive_free(struct ofs_archive *a);
OFS_DEFINE_AUTO(struct ofs_archive, ofs_archive_free)

/*
 * Takes the blobs, one after the other, each once, in the archive's order.
 * A negative errno of any of them ends the unpacking with it.
 */
struct ofs_archive_sink {
    /* A blob begins.  `digest` and `size` are what it will turn out to be;
     * NULL and 0: known at the end only.  1: not wanted, leave it out (when
     * the digest is known). */
    int (*begin)(void *arg, const struct ofs_digest *digest, uint64_t size,
                 struct ofs_err *err);
    int (*write)(void *arg, const void *data, size_t len, struct ofs_err *err);
    /* Only when the blob is complete and verified. */
    int (*end)(void *arg, const struct ofs_digest *digest, uint64_t size,
               struct ofs_err *err);
    void *arg;
};
int ofs_archive_unpack(struct ofs_archive *a, struct ofs_call *call,
                       const struct ofs_archive_sink *sink,
                       struct ofs_err *err) OFS_MUST_CHECK;

/*
 * What to publish when all blobs have arrived: images before the indexes that
 * name them; the last one is what the tag will name.  Complete only after
 * ofs_archive_unpack().  Borrowed.
 */
size_t ofs_archive_manifests(const struct ofs_archive *a,
                             const struct ofs_archive_manifest **ret);

#endif
