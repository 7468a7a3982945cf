/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DOCKER_ENTRY_H
#define OFS_DOCKER_ENTRY_H

/* One entry of `auths`: what it holds.  Pure. */

#include "ocirfs/cred.h"
#include "ocirfs/json.h"

/*
 * registrytoken before identitytoken before auth before username and password.
 * Kind NONE for an entry that holds nothing ("{}": a helper has the secret).
 * -EBADMSG: wrong types, or an `auth` that is not base64 of user:password.
 */
int ofs_docker_entry_cred(const json_t *entry, const char *origin,
                          struct ofs_cred *ret,
                          struct ofs_err *err) OFS_MUST_CHECK;

#endif
