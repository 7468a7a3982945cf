/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/options.h"

/* An empty variable says nothing: build files have no other way to unset one. */
static const char *env_value(const char *name)
{
    const char *value = getenv(name);

    return value && *value ? value : NULL;
}

static struct ofs_ora_env capture_oci(void)
{
    return (struct ofs_ora_env){
        .home = env_value("HOME"),
        .cli_user = env_value("OCI_CLI_USER"),
        .cli_tenancy = env_value("OCI_CLI_TENANCY"),
        .cli_fingerprint = env_value("OCI_CLI_FINGERPRINT"),
        .cli_key_content = env_value("OCI_CLI_KEY_CONTENT"),
        .cli_key_file = env_value("OCI_CLI_KEY_FILE"),
        .cli_region = env_value("OCI_CLI_REGION"),
        .cli_passphrase = env_value("OCI_CLI_PASSPHRASE"),
        .cli_security_token_file = env_value("OCI_CLI_SECURITY_TOKEN_FILE"),
        .cli_config_file = env_value("OCI_CLI_CONFIG_FILE"),
        .cli_profile = env_value("OCI_CLI_PROFILE"),
        .cli_auth = env_value("OCI_CLI_AUTH"),
        .config_file = env_value("OCI_CONFIG_FILE"),
        .config_profile = env_value("OCI_CONFIG_PROFILE"),
        .region = env_value("OCI_REGION"),
        .rp_version = env_value("OCI_RESOURCE_PRINCIPAL_VERSION"),
        .rp_rpst = env_value("OCI_RESOURCE_PRINCIPAL_RPST"),
        .rp_private_pem = env_value("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"),
        .rp_passphrase =
            env_value("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM_PASSPHRASE"),
        .rp_region = env_value("OCI_RESOURCE_PRINCIPAL_REGION"),
        .kubernetes_host = env_value("KUBERNETES_SERVICE_HOST"),
        .kubernetes_port = env_value("KUBERNETES_SERVICE_PORT_PROXYMUX"),
        .metadata_url = env_value("OCI_METADATA_BASE_URL"),
    };
}

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
        .term = getenv("TERM"),
        .ora = capture_oci(),
        .oci_region_metadata = env_value("OCI_REGION_METADATA"),
        .oci_default_realm = env_value("OCI_DEFAULT_REALM"),
        .uid = getuid(),
        .gid = getgid(),
    };
}
