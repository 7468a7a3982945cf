/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TOKEN_ANSWER_H
#define OFS_TOKEN_ANSWER_H

/*
 * What a token server answers, and how long to use it.  Pure; takes foreign
 * bytes.
 *
 * Source: distribution token specification.
 */

#include "ocirfs/secret.h"

#include <stdbool.h>
#include <stdint.h>

struct ofs_token_answer {
    struct ofs_secret token;
    int64_t expires_in_s; /* as told; 0: not told, or nothing sensible */
    bool issued_known;
    int64_t issued_s; /* since 1970, by the server's clock */
};

void ofs_token_answer_done(struct ofs_token_answer *a);
#define OFS_AUTOTOKENANSWER OFS_AUTO(ofs_token_answer_done)

/*
 * `token`, else `access_token`.  What is told beside it and makes no sense is
 * passed over.  -EBADMSG no token in it, or one that cannot stand in a header;
 * -ENOMEM.
 */
int ofs_token_answer_parse(const char *body, size_t len,
                           struct ofs_token_answer *ret,
                           struct ofs_err *err) OFS_MUST_CHECK;

/*
 * For how long from now the token lives, milliseconds; at least one second.
 * `date` is the answer's Date (NULL: none).  A time of issue is only compared
 * with that, so that our clock does not matter; a token that by its own times
 * is dead on arrival is taken for a fresh one, since a clock is wrong more
 * often than a server hands out dead tokens, and a 401 tells.
 */
int64_t ofs_token_life_ms(const struct ofs_token_answer *a, const char *date);

/*
 * For how long of that life it is used before a new one is fetched: until 10 %,
 * but at least 10 s, before the end; a short life at least by half.
 */
int64_t ofs_token_use_ms(int64_t life_ms);

/*
 * Is it the token that OCIR gives to nobody in particular?  It gives one for
 * wrong credentials too, instead of a 401.  False for what is no such token.
 */
bool ofs_token_is_anonymous(const struct ofs_secret *token);

/*
 * What the server says about a refusal, into `text` (of `size` bytes): a
 * message of the usual forms of errors, or "".  "" too when `secret` (may be
 * NULL) or anything that looks like one occurs in it.
 */
void ofs_token_words(const char *body, size_t len,
                     const struct ofs_secret *secret, char *text, size_t size);

#endif
