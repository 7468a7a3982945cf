/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_SESSION_H
#define OFS_REG_SESSION_H

/*
 * One upload session at the registry, a request at a time.  What a failure
 * means is for others to decide: each function returns 0 after a 2xx, else a
 * negative errno; err->http_status is 300 or more when the registry refused.
 */

#include "registry_priv.h"

/* Reads the part of some data that one request sends. */
struct reg_feed {
    const struct ofs_blob_data *data;
    uint64_t base, end;     /* bytes; `end` as OFS_UNTIL_END: what there is */
    _Atomic uint64_t *sent; /* may be NULL */
    uint64_t at;            /* has been read up to there */
    int failed;             /* what the source said; 0: nothing bad */
};

struct reg_session {
    struct reg_end *end;
    const char *repo;
    char *scope, *what; /* owned */
    struct ofs_url at;  /* where it goes on; text NULL: not open */
    bool abroad;        /* that is, or was, another host: no token for it */
    uint64_t min_chunk; /* bytes; 0: not told */
};

/* `what` is taken over.  -ENOMEM, also when it is NULL. */
int ofs_reg_session_init(struct reg_session *s, struct ofs_registry *r,
                         const char *repo, char *what,
                         struct ofs_err *err) OFS_MUST_CHECK;
void ofs_reg_session_done(
    struct reg_session *s); /* tells the registry nothing */

bool ofs_reg_session_is_open(const struct reg_session *s);
void ofs_reg_session_forget(struct reg_session *s); /* not open any more */

/* POST.  A session that was open is forgotten. */
int ofs_reg_session_open(struct reg_session *s, struct ofs_call *call,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* POST that asks for a blob of another repository.  *ret_mounted: it is there;
 * else a session is open. */
int ofs_reg_session_mount(struct reg_session *s, struct ofs_call *call,
                          const struct ofs_digest *digest, const char *from,
                          bool *ret_mounted,
                          struct ofs_err *err) OFS_MUST_CHECK;
/*
 * PATCH; `ranged`: with its Content-Range.  *ret_received: bytes the session
 * has now, by the registry's word or else ours.
 */
int ofs_reg_session_part(struct reg_session *s, struct ofs_call *call,
                         struct reg_feed *feed, bool ranged,
                         uint64_t *ret_received,
                         struct ofs_err *err) OFS_MUST_CHECK;
/*
 * PUT with the digest, and with all bytes unless `feed` is NULL.  0: the blob
 * is there, by the registry's word or, where that is vague, a HEAD.
 */
int ofs_reg_session_commit(struct reg_session *s, struct ofs_call *call,
                           const struct ofs_digest *digest,
                           struct reg_feed *feed,
                           struct ofs_err *err) OFS_MUST_CHECK;
/* GET: how many bytes it has.  -ENODATA: it does not say. */
int ofs_reg_session_ask(struct reg_session *s, struct ofs_call *call,
                        uint64_t *ret_received,
                        struct ofs_err *err) OFS_MUST_CHECK;
/* DELETE, if it is open; at most 2 s, whatever comes of it. */
void ofs_reg_session_cancel(struct reg_session *s);

/*
 * HEAD: is the blob in the session's repository?  1 it is, 0 it is not (nor is
 * it when the registry does not answer such a question).  *ret_size: 0 when
 * not told.
 */
int ofs_reg_session_look(struct reg_session *s, struct ofs_call *call,
                         const struct ofs_digest *digest, uint64_t *ret_size,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
