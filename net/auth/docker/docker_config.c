/* SPDX-License-Identifier: Apache-2.0 */
#include "docker_config.h"

#include "docker_entry.h"

enum { KEY_MAX = 4096, SUFFIX_MAX = 128 };

static bool is_blank(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (!strchr(" \t\r\n", text[i]) || !text[i])
            return false;
    return true;
}

/* The member, or NULL when it is absent or null. */
static int get_object(const json_t *doc, const char *name, const json_t **ret,
                      struct ofs_err *err)
{
    const json_t *value = json_object_get(doc, name);

    *ret = NULL;
    if (!value || json_is_null(value))
        return 0;
    if (!json_is_object(value))
        return ofs_err_set(err, -EBADMSG, "'%s' is not an object", name);
    *ret = value;
    return 0;
}

/* docker takes exactly this here; a longer text is most likely a whole
 * config.json, of which it would use a part only. */
static int check_env(const json_t *doc, struct ofs_err *err)
{
    const char *name, *field;
    json_t *value, *host, *auths = json_object_get(doc, "auths");

    json_object_foreach((json_t *)(uintptr_t)doc, name, value)
    {
        if (value != auths)
            return ofs_err_set(err, -EBADMSG, "only 'auths' is allowed in it");
    }
    json_object_foreach(auths, name, host)
    {
        json_object_foreach(host, field, value)
        {
            if (strcmp(field, "auth") != 0)
                return ofs_err_set(err, -EBADMSG,
                                   "only 'auth' is allowed for a host");
        }
    }
    return 0;
}

static int get_members(struct ofs_docker_config *c, struct ofs_err *err)
{
    const json_t *store = json_object_get(c->doc, "credsStore");
    int r;

    if (!json_is_object(c->doc))
        return ofs_err_set(err, -EBADMSG, "not a JSON object");
    if (c->flavour == OFS_DOCKER_LEGACY) {
        c->auths = c->doc;
        return 0;
    }
    r = get_object(c->doc, "auths", &c->auths, err);
    if (r == 0 && c->flavour == OFS_DOCKER_ENV)
        return check_env(c->doc, err);
    if (r == 0)
        r = get_object(c->doc, "credHelpers", &c->helpers, err);
    if (r < 0 || c->flavour != OFS_DOCKER_CONFIG)
        return r;
    if (store && !json_is_string(store) && !json_is_null(store))
        return ofs_err_set(err, -EBADMSG, "'credsStore' is not a string");
    c->store = json_string_value(store);
    return 0;
}

int ofs_docker_config_parse(const char *text, size_t len,
                            enum ofs_docker_flavour flavour,
                            struct ofs_docker_config *ret, struct ofs_err *err)
{
    OFS_AUTODOCKERCONFIG struct ofs_docker_config c = { .flavour = flavour };
    int r;

    if (!is_blank(text, len)) {
        r = ofs_json_parse(text, len, &c.doc, err);
        if (r == 0)
            r = get_members(&c, err);
        if (r < 0)
            return r;
    }
    *ret = c;
    c = (struct ofs_docker_config){ 0 };
    return 0;
}

void ofs_docker_config_done(struct ofs_docker_config *c)
{
    json_decref(c->doc);
    *c = (struct ofs_docker_config){ 0 };
}

/* Drop "scheme://"; *ret_had tells whether there was one. */
static const char *drop_scheme(const char *key, bool *ret_had)
{
    const char *slashes = strstr(key, "://");

    *ret_had = slashes != NULL;
    return slashes ? slashes + 3 : key;
}

/* Does what is behind the host say no more than "the registry's API"? */
static bool is_api_path(const char *path)
{
    return ofs_str_starts(path, "/v1/") || ofs_str_starts(path, "/v2/");
}

static bool same_host(const char *a, size_t len, const char *b)
{
    /* What docker login was given may name the port that https has anyway. */
    if (len > 4 && strncmp(a + len - 4, ":443", 4) == 0 && !strchr(b, ':'))
        len -= 4;
    return len == strlen(b) && strncasecmp(a, b, len) == 0;
}

/*
 * Does the key stand for the whole host once it is normalised?  In docker's
 * files whatever has that host does, in containers' a path without a scheme
 * is a namespace.
 */
static bool is_key_of(enum ofs_docker_flavour flavour, const char *key,
                      const char *host)
{
    bool had_scheme;
    const char *rest = drop_scheme(key, &had_scheme);
    const char *path = strchrnul(rest, '/');

    if (*path && flavour == OFS_DOCKER_CONTAINERS && !had_scheme &&
        !is_api_path(path))
        return false;
    return same_host(rest, (size_t)(path - rest), host);
}

static int check_suffix(const char *suffix, struct ofs_err *err)
{
    size_t len = strlen(suffix);

    if (len > SUFFIX_MAX || strchr(suffix, '/') ||
        !ofs_cred_is_token(suffix, len))
        return ofs_err_set(err, -EBADMSG,
                           "names a credential helper that cannot exist");
    return 0;
}

/* An entry of credHelpers counts even when it is empty: then no helper has the
 * host, not even credsStore's. */
static const json_t *find_helper(const struct ofs_docker_config *c,
                                 const char *host)
{
    const json_t *exact = json_object_get(c->helpers, host);
    const char *key;
    json_t *value;

    if (exact)
        return exact;
    json_object_foreach((json_t *)(uintptr_t)c->helpers, key, value)
    {
        if (is_key_of(c->flavour, key, host))
            return value;
    }
    return NULL;
}

int ofs_docker_config_helper(const struct ofs_docker_config *c,
                             const char *host, const char **ret,
                             struct ofs_err *err)
{
    const json_t *helper = find_helper(c, host);
    const char *suffix = helper ? json_string_value(helper) : c->store;

    if (helper && !suffix)
        return ofs_err_set(err, -EBADMSG, "'credHelpers': not a string");
    if (suffix && *suffix) {
        int r = check_suffix(suffix, err);

        if (r < 0)
            return r;
    }
    *ret = suffix && *suffix ? suffix : NULL;
    return 0;
}

/* Where the search is, so that each step has few arguments. */
struct search {
    const struct ofs_docker_config *c;
    const char *host, *origin;
    struct ofs_cred *ret;
    struct ofs_err *err;
};

static int take(const struct search *s, const json_t *entry)
{
    int r = ofs_docker_entry_cred(entry, s->origin, s->ret, s->err);

    return r < 0 ? ofs_err_wrap(s->err, r, s->host) : 0;
}

/* `host/ns/repo`, then `host/ns`, then `host`: cuts `key` down. */
static int search_paths(const struct search *s, char *key)
{
    for (;;) {
        const json_t *entry = json_object_get(s->c->auths, key);
        char *slash = strrchr(key, '/');
        int r = entry ? take(s, entry) : 0;

        if (r < 0 || s->ret->kind != OFS_CRED_NONE || !slash)
            return r;
        *slash = '\0';
    }
}

static int search_normalised(const struct search *s)
{
    const char *key;
    json_t *entry;

    json_object_foreach((json_t *)(uintptr_t)s->c->auths, key, entry)
    {
        int r = is_key_of(s->c->flavour, key, s->host) ? take(s, entry) : 0;

        if (r < 0 || s->ret->kind != OFS_CRED_NONE)
            return r;
    }
    return 0;
}

int ofs_docker_config_cred(const struct ofs_docker_config *c, const char *host,
                           const char *repo, const char *origin,
                           struct ofs_cred *ret, struct ofs_err *err)
{
    const struct search s = { c, host, origin, ret, err };
    bool with_path = c->flavour == OFS_DOCKER_CONTAINERS && repo && *repo;
    OFS_AUTOFREE char *key =
        with_path ? ofs_strf("%s/%s", host, repo) : strdup(host);
    int r;

    if (!key)
        return ofs_err_nomem(err, "a look-up of credentials");
    r = search_paths(&s, key);
    if (r == 0 && ret->kind == OFS_CRED_NONE)
        r = search_normalised(&s);
    return r;
}
