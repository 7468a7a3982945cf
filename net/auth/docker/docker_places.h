/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DOCKER_PLACES_H
#define OFS_DOCKER_PLACES_H

/*
 * Where credentials are looked for, and in which order.  Pure: names no file
 * that it has looked at.
 *
 * Source: docker CLI, cli/config; containers-auth.json(5).
 */

#include "docker_config.h"

#include <sys/types.h>

enum { OFS_DOCKER_PLACES_MAX = 6 };

struct ofs_docker_place {
    enum ofs_docker_flavour flavour;
    char *path;      /* owned; NULL: the text of DOCKER_AUTH_CONFIG itself */
    bool must_exist; /* the user named this very file */
};

struct ofs_docker_places {
    struct ofs_docker_place at[OFS_DOCKER_PLACES_MAX];
    size_t n;
};

/* What the user and the environment say; NULL or "": nothing. */
struct ofs_docker_hints {
    const char *auth_file, *registry_auth_file; /* alone when given */
    const char *docker_auth_config;             /* not looked into */
    const char *docker_config, *xdg_runtime_dir, *xdg_config_home, *home;
    uid_t uid; /* names the directory that stands in for xdg_runtime_dir */
};

int ofs_docker_places_list(const struct ofs_docker_hints *hints,
                           struct ofs_docker_places *ret)
    OFS_MUST_CHECK; /* -ENOMEM */
void ofs_docker_places_done(struct ofs_docker_places *places);

#endif
