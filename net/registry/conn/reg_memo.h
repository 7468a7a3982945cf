/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_MEMO_H
#define OFS_REG_MEMO_H

/*
 * Short-lived hints: text by key until a time.  What is forgotten costs one
 * more request, so putting cannot fail and a full memo starts anew.  Not
 * thread-safe; the caller tells the time (ms).
 */

#include "ocirfs/map.h"

#include <stdint.h>

struct reg_memo {
    struct ofs_map *map; /* owned */
    size_t max;          /* hints */
};

int ofs_reg_memo_init(struct reg_memo *m, size_t max) OFS_MUST_CHECK;
void ofs_reg_memo_done(struct reg_memo *m);

void ofs_reg_memo_put(struct reg_memo *m, const char *key, const char *text,
                      int64_t until_ms);
/* Borrowed until the next call; NULL: none. */
const char *ofs_reg_memo_get(struct reg_memo *m, const char *key,
                             int64_t now_ms);
/* Only when it is (still) this text; NULL: whatever it is. */
void ofs_reg_memo_forget(struct reg_memo *m, const char *key, const char *text);

#endif
