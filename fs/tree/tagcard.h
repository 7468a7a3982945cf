/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TAGCARD_H
#define OFS_TAGCARD_H

/*
 * What the control plane tells of the image behind a tag.  Asked when somebody
 * asks for it; the last few answers are kept for the ttl, because whoever reads
 * the attributes of a file reads them one by one.  Thread-safe.
 */

#include "tree_priv.h"

#include "ocirfs/oracle.h"

struct ofs_tagcard {
    atomic_uint refs;
    int64_t at_ms;
    char *uri; /* "<path>:<tag>" */
    struct ofs_ora_image image;
};

struct ofs_tagcards;

struct ofs_tagcards *ofs_tagcards_new(void); /* NULL: no memory */
void ofs_tagcards_free(struct ofs_tagcards *c);
void ofs_tagcard_unref(struct ofs_tagcard *c);
OFS_DEFINE_AUTO(struct ofs_tagcard, ofs_tagcard_unref)

/* -ENOENT: the control plane does not have it (yet). */
int ofs_tagcard_get(struct ofs_tree *t, struct ofs_call *call, const char *path,
                    const char *tag, struct ofs_tagcard **ret,
                    struct ofs_err *err) OFS_MUST_CHECK;

#endif
