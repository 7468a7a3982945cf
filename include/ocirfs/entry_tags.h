/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ENTRY_TAGS_H
#define OFS_ENTRY_TAGS_H

/*
 * Which tags an entry of an index.json asks for.  Pure.
 *
 * Writers of layouts do not agree on what they call an image: skopeo and
 * buildah write "1.5", podman "localhost/app:1.5", buildkit several full names
 * with commas between them, containerd a name of its own beside.
 */

#include "ocirfs/manifest.h"

/*
 * Add them to `ret`, each once.  None: the entry has no name, or one that is
 * only a digest, and is wanted by its digest.  -EINVAL: it has a name that
 * gives no tag, and `err` says which; tags of its other names are in `ret`.
 * -ENOMEM.
 */
int ofs_entry_tags(const struct ofs_annotations *a, struct ofs_strv *ret,
                   struct ofs_err *err) OFS_MUST_CHECK;

#endif
