/* SPDX-License-Identifier: Apache-2.0 */
#include "docker_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte tells what kind of file the rest is: C, D, L or E. */
static enum ofs_docker_flavour flavour_of(uint8_t letter)
{
    switch (letter) {
    case 'C':
        return OFS_DOCKER_CONTAINERS;
    case 'L':
        return OFS_DOCKER_LEGACY;
    case 'E':
        return OFS_DOCKER_ENV;
    default:
        return OFS_DOCKER_CONFIG;
    }
}

static void check_cred(const struct ofs_cred *c)
{
    OFS_AUTOSECRET struct ofs_secret basic = { 0 };

    if (c->kind == OFS_CRED_NONE)
        return;
    if (!c->secret.text || !c->origin || c->secret.text[c->secret.len])
        abort();
    if ((c->kind == OFS_CRED_BASIC) != (c->user != NULL))
        abort();
    if (c->kind == OFS_CRED_BEARER &&
        !ofs_cred_is_token(c->secret.text, c->secret.len))
        abort();
    if (ofs_cred_basic(c, &basic) == 0 && strpbrk(basic.text, "\r\n"))
        abort();
}

static void look_up(const struct ofs_docker_config *c, const char *host,
                    const char *repo)
{
    OFS_AUTOCRED struct ofs_cred cred = { 0 };
    const char *suffix = NULL;
    int r = ofs_docker_config_helper(c, host, &suffix, NULL);

    if ((r != 0 && r != -EBADMSG) || (suffix && strchr(suffix, '/')))
        abort();
    r = ofs_docker_config_cred(c, host, repo, "file", &cred, NULL);
    if (r != 0 && r != -EBADMSG && r != -ENOMEM)
        abort();
    if (r != 0 && cred.kind != OFS_CRED_NONE)
        abort();
    check_cred(&cred);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTODOCKERCONFIG struct ofs_docker_config c = { 0 };
    const char *text = (const char *)data + 1;
    int r;

    if (size < 1)
        return 0;
    r = ofs_docker_config_parse(text, size - 1, flavour_of(*data), &c, NULL);
    if (r != 0 && r != -EBADMSG && r != -ENOMEM)
        abort();
    if (r != 0)
        return 0;
    look_up(&c, "h", "ns/app");
    look_up(&c, "h:5000", NULL);
    return 0;
}
