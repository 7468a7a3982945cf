/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OPTIONS_H
#define OFS_OPTIONS_H

/*
 * The command line, as people, mount(8) and fstab write it, and the few
 * environment variables that matter, as one struct that does not change after
 * start.  Only fs/app sees it; every module gets its own cfg from it.
 */

#include "ocirfs/err.h"
#include "ocirfs/log.h"
#include "ocirfs/ora_auth.h"
#include "ocirfs/store.h"
#include "ocirfs/str.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct ofs_options {
    char *source, *mountpoint; /* owned, as are the others */
    bool help, version, foreground, debug, fake;

    /* what is shown */
    int64_t ttl_ms, timeout_ms;
    struct ofs_strv repos;
    uid_t uid;
    gid_t gid;
    mode_t umask;

    /* what may be changed */
    bool read_only, allow_delete, no_overwrite;
    uint64_t staging_bytes;

    /* whom to ask */
    char *mirror, *ca_file, *auth_file; /* NULL: not given */
    bool plain_http, bg;

    /* Oracle's cloud; NULL: not given */
    char *auth, *config, *profile, *region, *compartment, *namespace_name;
    char *registry, *identity, *artifacts, *objectstorage, *federation;
    char *service_account;

    /* the cache */
    char *cache_dir;
    uint64_t cache_bytes;
    unsigned cache_fsfree_pct;
    enum ofs_verify verify;

    enum ofs_log_level log_level;
    struct ofs_strv kernel; /* options for the kernel and libfuse */
};

/* The environment, captured once, so that tests own it. */
struct ofs_env {
    const char *home, *xdg_cache_home, *xdg_runtime_dir, *xdg_config_home;
    const char *docker_config, *docker_auth_config, *registry_auth_file;
    const char *path, *term;
    struct ofs_ora_env ora;
    const char *oci_region_metadata, *oci_default_realm;
    uid_t uid;
    gid_t gid;
};
void ofs_env_capture(struct ofs_env *ret);

/*
 * Parse.  -EINVAL with one sentence that names the option and what was
 * expected.  With help or version set, source and mountpoint may be NULL.
 */
int ofs_options_parse(int argc, char *const *argv, const struct ofs_env *env,
                      struct ofs_options *ret,
                      struct ofs_err *err) OFS_MUST_CHECK;
void ofs_options_done(struct ofs_options *o);
#define OFS_AUTOOPTIONS OFS_AUTO(ofs_options_done)

/* The text of --help, made from the table that parses. */
int ofs_options_help(struct ofs_buf *b);

#endif
