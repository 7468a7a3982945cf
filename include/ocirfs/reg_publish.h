/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_PUBLISH_H
#define OFS_REG_PUBLISH_H

/*
 * Manifests into a registry, and tags out of it.  Threads, blocking and
 * common errors as registry.h; besides: -ENOENT with err->id
 * MANIFEST_BLOB_UNKNOWN (or a like word): the registry lacks something that
 * the manifest names; -EINVAL it refuses the manifest; -EFBIG too large;
 * -EPERM the repository is immutable; -EDQUOT.
 *
 * Manifest PUTs to one repository go out one at a time, whoever asks: OCIR
 * answers 409 to concurrent ones (net/README.md, R17).
 *
 * Source: OCI distribution-spec v1.1.1, "Pushing manifests", "Deleting tags".
 */

#include "ocirfs/registry.h"

struct ofs_manifest_put {
    const char *repo;
    const char *tag;                 /* NULL: by digest only */
    const struct ofs_digest *digest; /* of `bytes` */
    const char *media_type;
    const void *bytes; /* exact */
    size_t len;
    const struct ofs_digest *old; /* what the tag named a moment ago; alg 0:
                                     nothing; NULL: not known */
    int64_t old_ms;               /* and when that was, ofs_mono_ms() */
};

/*
 * PUT it, unless HEAD says that `tag` (or the digest) is it already; where
 * `old` is another digest, that HEAD is spared.  409: tried again, then -EBUSY.
 * 0 only when HEAD afterwards shows our digest.
 */
int ofs_registry_manifest_put(struct ofs_registry *r, struct ofs_call *call,
                              const struct ofs_manifest_put *ask,
                              struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Take a tag away and nothing else.  Asks with DELETE by tag; a registry that
 * does not support that (distribution before version 3) gets a manifest that
 * nothing else uses put under the tag and deleted by digest, which is what
 * regctl does.  Never deletes a digest that another tag may have.  -ENOENT no
 * such tag; -ENOTSUP deleting is not enabled there.
 */
int ofs_registry_tag_delete(struct ofs_registry *r, struct ofs_call *call,
                            const char *repo, const char *tag,
                            struct ofs_err *err) OFS_MUST_CHECK;

#endif
