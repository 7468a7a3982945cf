/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_IMAGE_ASK_H
#define OFS_IMAGE_ASK_H

/*
 * One list of images instead of a question for each tag: what the control
 * plane says of a repository's tags.  It is a hint: the registry is what is
 * right, and whoever opens a tag asks there.  Thread-safe.
 */

#include "tree_priv.h"

/*
 * Have the list, if there is a control plane and it gives one.  0 also when
 * there is none; -EINTR, -EAGAIN, -ENOMEM of the caller's own.
 */
int ofs_images_want(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_repo *repo, struct ofs_err *err) OFS_MUST_CHECK;

/* What a fresh list says that `tag` names, and when it was asked. */
struct ofs_image_hint {
    struct ofs_digest digest;
    int64_t at_ms;
};
bool ofs_images_hint(struct ofs_tree *t, struct ofs_repo *repo, const char *tag,
                     struct ofs_image_hint *ret);

/*
 * When that manifest was pushed: it is the same at all times, so an old list
 * will do, and one is asked for when it does not say.  *ret_s 0: nobody knows.
 */
int ofs_images_time(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_repo *repo, const struct ofs_digest *digest,
                    int64_t *ret_s, struct ofs_err *err) OFS_MUST_CHECK;

#endif
