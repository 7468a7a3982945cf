/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the kernel holds open.  When a mount ends by a signal while files are
 * open, no release comes for them; without this list they would outlive the
 * tree and the store that they belong to.
 */
#include "ops_priv.h"

int ofs_opened_add(struct ofs_session *s, struct ofs_file *file,
                   struct ofs_dir *dir, uint64_t *ret_fh)
{
    struct ofs_opened *o = calloc(1, sizeof(*o));

    if (!o) {
        ofs_file_close(file);
        ofs_dir_close(dir);
        return -ENOMEM;
    }
    o->file = file;
    o->dir = dir;
    *ret_fh = (uint64_t)(uintptr_t)o;

    OFS_GUARD(&s->mtx);
    ofs_list_add(&s->opened, o);
    return 0;
}

void ofs_opened_end(struct ofs_session *s, struct ofs_opened *o)
{
    {
        OFS_GUARD(&s->mtx);
        ofs_list_remove(o);
    }
    ofs_file_close(o->file);
    ofs_dir_close(o->dir);
    free(o);
}

void ofs_opened_end_all(struct ofs_session *s)
{
    while (s->opened)
        ofs_opened_end(s, s->opened);
}
