/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/options.h"

void ofs_env_capture(struct ofs_env *ret)
{
    *ret = (struct ofs_env){
        .home = getenv("HOME"),
        .xdg_cache_home = getenv("XDG_CACHE_HOME"),
        .xdg_runtime_dir = getenv("XDG_RUNTIME_DIR"),
        .xdg_config_home = getenv("XDG_CONFIG_HOME"),
        .docker_config = getenv("DOCKER_CONFIG"),
        .docker_auth_config = getenv("DOCKER_AUTH_CONFIG"),
        .registry_auth_file = getenv("REGISTRY_AUTH_FILE"),
        .path = getenv("PATH"),
        .uid = getuid(),
        .gid = getgid(),
    };
}
