/* SPDX-License-Identifier: Apache-2.0 */
#include "unread.h"

#include "freshness.h"

static const struct ofs_unread_one *one_of(const struct ofs_unread *u,
                                           const struct ofs_digest *digest)
{
    for (unsigned i = 0; i < OFS_UNREAD; i++)
        if (u->at[i].digest.alg && ofs_digest_eq(&u->at[i].digest, digest))
            return &u->at[i];
    return NULL;
}

int ofs_unread_find(const struct ofs_unread *u, const struct ofs_digest *digest,
                    int64_t now_ms, int64_t for_ms)
{
    const struct ofs_unread_one *one = one_of(u, digest);

    return one && ofs_fresh_left(one->at_ms, now_ms, for_ms) > 0 ? one->code
                                                                 : 0;
}

bool ofs_unread_note(struct ofs_unread *u, const struct ofs_digest *digest,
                     int code, int64_t now_ms)
{
    const struct ofs_unread_one *one = one_of(u, digest);
    unsigned i = one ? (unsigned)(one - u->at) : u->next;
    bool news = !one || one->code != code;

    u->at[i] = (struct ofs_unread_one){ .digest = *digest,
                                        .code = code,
                                        .at_ms = now_ms };
    if (!one)
        u->next = (u->next + 1) % OFS_UNREAD;
    return news;
}
