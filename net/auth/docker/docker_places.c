/* SPDX-License-Identifier: Apache-2.0 */
#include "docker_places.h"

/* A variable that is set to nothing counts as not set, as in the tools. */
static bool is_set(const char *value)
{
    return value && *value;
}

/* Takes `path` over; NULL is a failed allocation. */
static int add_own(struct ofs_docker_places *places,
                   enum ofs_docker_flavour flavour, char *path)
{
    if (!path)
        return -ENOMEM;
    places->at[places->n++] =
        (struct ofs_docker_place){ .flavour = flavour, .path = path };
    return 0;
}

/*
 * What kind of file the user named goes by its name: the tools read any file
 * as an auth.json, but who points at docker's own file means what docker reads
 * in it, credsStore too.
 */
static enum ofs_docker_flavour flavour_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    const char *name = slash ? slash + 1 : path;

    if (strcmp(name, "config.json") == 0)
        return OFS_DOCKER_CONFIG;
    return strcmp(name, ".dockercfg") == 0 ? OFS_DOCKER_LEGACY
                                           : OFS_DOCKER_CONTAINERS;
}

static int add_named(struct ofs_docker_places *places, const char *path)
{
    int r = add_own(places, flavour_of(path), strdup(path));

    if (r == 0)
        places->at[0].must_exist = true;
    return r;
}

static int add_containers(struct ofs_docker_places *places,
                          const struct ofs_docker_hints *h)
{
    static const char name[] = "containers/auth.json";
    int r;

    if (is_set(h->xdg_runtime_dir))
        r = add_own(places, OFS_DOCKER_CONTAINERS,
                    ofs_strf("%s/%s", h->xdg_runtime_dir, name));
    else
        r = add_own(
            places, OFS_DOCKER_CONTAINERS,
            ofs_strf("/run/containers/%lu/auth.json", (unsigned long)h->uid));
    if (r < 0)
        return r;
    if (is_set(h->xdg_config_home))
        return add_own(places, OFS_DOCKER_CONTAINERS,
                       ofs_strf("%s/%s", h->xdg_config_home, name));
    if (is_set(h->home))
        return add_own(places, OFS_DOCKER_CONTAINERS,
                       ofs_strf("%s/.config/%s", h->home, name));
    return 0;
}

static int add_docker(struct ofs_docker_places *places,
                      const struct ofs_docker_hints *h)
{
    int r = 0;

    if (is_set(h->docker_config))
        r = add_own(places, OFS_DOCKER_CONFIG,
                    ofs_strf("%s/config.json", h->docker_config));
    else if (is_set(h->home))
        r = add_own(places, OFS_DOCKER_CONFIG,
                    ofs_strf("%s/.docker/config.json", h->home));
    if (r == 0 && is_set(h->home))
        r = add_own(places, OFS_DOCKER_LEGACY,
                    ofs_strf("%s/.dockercfg", h->home));
    return r;
}

static int list(const struct ofs_docker_hints *h,
                struct ofs_docker_places *places)
{
    int r;

    if (is_set(h->auth_file))
        return add_named(places, h->auth_file);
    if (is_set(h->registry_auth_file))
        return add_named(places, h->registry_auth_file);
    if (is_set(h->docker_auth_config))
        places->at[places->n++] =
            (struct ofs_docker_place){ .flavour = OFS_DOCKER_ENV };
    r = add_containers(places, h);
    return r < 0 ? r : add_docker(places, h);
}

int ofs_docker_places_list(const struct ofs_docker_hints *hints,
                           struct ofs_docker_places *ret)
{
    OFS_AUTO(ofs_docker_places_done) struct ofs_docker_places places = { 0 };
    int r = list(hints, &places);

    if (r < 0)
        return r;
    *ret = places;
    places.n = 0;
    return 0;
}

void ofs_docker_places_done(struct ofs_docker_places *places)
{
    for (size_t i = 0; i < places->n; i++)
        free(places->at[i].path);
    places->n = 0;
}
