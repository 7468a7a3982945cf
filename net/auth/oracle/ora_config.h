/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_CONFIG_H
#define OFS_ORA_CONFIG_H

/*
 * The INI-like file that Oracle's CLI and SDKs share (~/.oci/config), and one
 * profile of it with what the environment overrides.  Pure but for reading
 * the file.
 *
 * Source: OCI documentation, "SDK and CLI Configuration File" and "CLI
 * Environment Variables".
 */

#include "ora_key.h"

#include "ocirfs/secret.h"

#include <stdbool.h>

struct ofs_ora_auth_cfg;
struct ofs_ora_env;

/* NULL: not said.  Paths have their "~/" expanded. */
struct ofs_ora_profile {
    char *tenancy, *user, *fingerprint, *key_file, *region; /* owned */
    char *security_token_file, *delegation_token_file, *authentication_type;
    struct ofs_secret pass_phrase, key_content;
};

void ofs_ora_profile_done(struct ofs_ora_profile *p);
#define OFS_AUTOPROFILE OFS_AUTO(ofs_ora_profile_done)

/*
 * The profile `name` of a configuration text; what it lacks comes from
 * [DEFAULT].  -ENOENT no such profile; -EINVAL a line that is none, with its
 * number.
 */
int ofs_ora_profile_parse(const char *text, size_t len, const char *name,
                          const char *home, struct ofs_ora_profile *ret,
                          struct ofs_err *err) OFS_MUST_CHECK;

/* Take over what OCI_CLI_* say, one by one; OCI_REGION where no region is
 * said at all.  -ENOMEM. */
int ofs_ora_profile_override(struct ofs_ora_profile *p,
                             const struct ofs_ora_env *env) OFS_MUST_CHECK;

/*
 * The file: option, OCI_CLI_CONFIG_FILE, OCI_CONFIG_FILE, ~/.oci/config; the
 * profile: option, OCI_CLI_PROFILE, OCI_CONFIG_PROFILE, DEFAULT.  -ENOENT:
 * there is none; -EINVAL: the one that was asked for is not there.
 */
int ofs_ora_profile_load(const struct ofs_ora_auth_cfg *cfg,
                         struct ofs_ora_profile *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;
/* The same with what OCI_CLI_* say; `env_is_enough`: these alone, if they name
 * the tenancy and a key as well. */
int ofs_ora_profile_merge(const struct ofs_ora_auth_cfg *cfg,
                          bool env_is_enough, struct ofs_ora_profile *ret,
                          struct ofs_err *err) OFS_MUST_CHECK;

/* The private key of a profile, from its text or file. */
int ofs_ora_profile_key(const struct ofs_ora_profile *p,
                        struct ofs_ora_key **ret,
                        struct ofs_err *err) OFS_MUST_CHECK;

#endif
