/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OPTVALUE_H
#define OFS_OPTVALUE_H

/*
 * Values of options: each parser writes into the member it is given and
 * returns 0, -EBADMSG (not such a value) or -ENOMEM.
 */

#include <stdbool.h>

typedef int ofs_opt_parse(const char *text, void *member);

ofs_opt_parse ofs_opt_time;    /* int64_t, ms; plain numbers are seconds */
ofs_opt_parse ofs_opt_size;    /* uint64_t, bytes */
ofs_opt_parse ofs_opt_percent; /* unsigned; "5" or "5%" */
ofs_opt_parse ofs_opt_id;      /* uid_t, gid_t */
ofs_opt_parse ofs_opt_mode;    /* mode_t, octal */
ofs_opt_parse ofs_opt_text;    /* char *, owned; the last one wins */
ofs_opt_parse ofs_opt_url;     /* the same, without user or password in it */
ofs_opt_parse ofs_opt_path;    /* the same, absolute: a daemon works in "/" */
ofs_opt_parse ofs_opt_auth;    /* char *, owned: a kind of principal */
ofs_opt_parse ofs_opt_list;    /* struct ofs_strv, adds to it; ':' separates */
ofs_opt_parse ofs_opt_true;    /* bool */
ofs_opt_parse ofs_opt_verify;  /* enum ofs_verify */
ofs_opt_parse ofs_opt_level;   /* enum ofs_log_level */

/* Does a URL have `user@` or `user:password@` before its host? */
bool ofs_opt_has_user(const char *url);

/* What a text must be to be such a value: "a number"; never NULL. */
const char *ofs_opt_wants(ofs_opt_parse *parse);

#endif
