/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LAYERPACK_H
#define OFS_LAYERPACK_H

/*
 * A layer of a docker archive on its way into a registry: a plain tar leaves
 * compressed with gzip, what is gzip already leaves as it came; both ways the
 * plain bytes are hashed, too, for that is what the image's configuration
 * knows.  The same layer gives the same bytes wherever zlib is the same.
 */

#include "image_archive.h"

struct ofs_tarball;

struct ofs_layerpack {
    struct ofs_digest plain; /* of the tar: the diff_id */
    struct ofs_digest digest;
    uint64_t size; /* bytes that went to the sink */
};

/*
 * Send the current member of `in` to sink->write.  -EINVAL: not a layer that a
 * docker image can have (zstd, xz, broken gzip); those of `in` and the sink.
 */
int ofs_layerpack(struct ofs_tarball *in, const struct ofs_archive_sink *sink,
                  struct ofs_layerpack *ret,
                  struct ofs_err *err) OFS_MUST_CHECK;

#endif
