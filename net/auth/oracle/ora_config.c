/* SPDX-License-Identifier: Apache-2.0 */
#include "ora_config.h"

#include "ocirfs/file.h"
#include "ocirfs/ora_auth.h"

#include <fcntl.h>

enum { CONFIG_MAX_BYTES = 1024 * 1024 };

enum kind { TEXT, PATH, SECRET };

static const struct row {
    const char *key;
    enum kind kind;
    size_t offset;
} rows[] = {
    { "tenancy", TEXT, offsetof(struct ofs_ora_profile, tenancy) },
    { "user", TEXT, offsetof(struct ofs_ora_profile, user) },
    { "fingerprint", TEXT, offsetof(struct ofs_ora_profile, fingerprint) },
    { "key_file", PATH, offsetof(struct ofs_ora_profile, key_file) },
    { "region", TEXT, offsetof(struct ofs_ora_profile, region) },
    { "security_token_file", PATH,
      offsetof(struct ofs_ora_profile, security_token_file) },
    { "delegation_token_file", PATH,
      offsetof(struct ofs_ora_profile, delegation_token_file) },
    { "authentication_type", TEXT,
      offsetof(struct ofs_ora_profile, authentication_type) },
    { "pass_phrase", SECRET, offsetof(struct ofs_ora_profile, pass_phrase) },
    { "key_content", SECRET, offsetof(struct ofs_ora_profile, key_content) },
};

void ofs_ora_profile_done(struct ofs_ora_profile *p)
{
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        void *member = (char *)p + rows[i].offset;

        if (rows[i].kind == SECRET)
            ofs_secret_done(member);
        else
            free(*(char **)member);
    }
    *p = (struct ofs_ora_profile){ 0 };
}

static int set_text(char **member, char *value)
{
    if (!value)
        return -ENOMEM;
    free(*member);
    *member = value;
    return 0;
}

static char *expand(const char *path, const char *home)
{
    return home && ofs_str_starts(path, "~/") ? ofs_strf("%s%s", home, path + 1)
                                              : strdup(path);
}

static int set_row(struct ofs_ora_profile *p, const struct row *row,
                   const char *value, const char *home)
{
    void *member = (char *)p + row->offset;

    switch (row->kind) {
    case SECRET:
        return ofs_secret_set(member, value, strlen(value));
    case PATH:
        return set_text(member, expand(value, home));
    case TEXT:
        return set_text(member, strdup(value));
    }
    return 0;
}

/* Keys that we do not know are other tools' business. */
static int set_key(struct ofs_ora_profile *p, const char *key,
                   const char *value, const char *home)
{
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (strcmp(rows[i].key, key) == 0)
            return set_row(p, &rows[i], value, home);
    return 0;
}

static char *trim(char *s)
{
    static const char space[] = " \t\r\f\v";
    size_t len;

    s += strspn(s, space);
    len = strlen(s);
    while (len > 0 && strchr(space, s[len - 1]))
        s[--len] = '\0';
    return s;
}

/* Where one pass over the file is. */
struct pass {
    struct ofs_ora_profile *profile;
    const char *wanted, *home;
    bool inside, found, any_section;
    unsigned line;
};

static int read_section(struct pass *p, char *line, struct ofs_err *err)
{
    char *end = strchr(line, ']');

    if (!end)
        return ofs_err_set(err, -EINVAL, "line %u: '[' without ']'", p->line);
    *end = '\0';
    p->any_section = true;
    p->inside = strcmp(trim(line + 1), p->wanted) == 0;
    p->found = p->found || p->inside;
    return 0;
}

static int read_line(struct pass *p, char *raw, struct ofs_err *err)
{
    char *line = trim(raw);
    char *eq;

    p->line++;
    if (!*line || *line == '#')
        return 0;
    if (*line == '[')
        return read_section(p, line, err);
    eq = strchr(line, '=');
    if (!eq || !p->any_section)
        return ofs_err_set(err, -EINVAL, "line %u is no 'key=value'%s", p->line,
                           eq ? " of a profile" : "");
    *eq = '\0';
    if (!p->inside)
        return 0;
    return set_key(p->profile, trim(line), trim(eq + 1), p->home);
}

static int read_pass(struct pass *p, const char *text, size_t len,
                     struct ofs_err *err)
{
    OFS_AUTOWIPEFREE char *copy = strndup(text, len);
    char *rest = copy;
    char *line;
    int r = 0;

    if (!copy)
        return ofs_err_nomem(err, "a configuration");
    while (r == 0 && (line = strsep(&rest, "\n")))
        r = read_line(p, line, err);
    return r;
}

int ofs_ora_profile_parse(const char *text, size_t len, const char *name,
                          const char *home, struct ofs_ora_profile *ret,
                          struct ofs_err *err)
{
    OFS_AUTOPROFILE struct ofs_ora_profile profile = { 0 };
    struct pass defaults = {
        &profile, "DEFAULT", home, false, false, false, 0
    };
    struct pass named = { &profile, name, home, false, false, false, 0 };
    int r = read_pass(&defaults, text, len, err);

    if (r == 0)
        r = read_pass(&named, text, len, err);
    if (r == 0 && !named.found)
        r = ofs_err_set(err, -ENOENT, "there is no profile [%.64s]", name);
    if (r < 0)
        return r;
    *ret = profile;
    profile = (struct ofs_ora_profile){ 0 };
    return 0;
}

int ofs_ora_profile_override(struct ofs_ora_profile *p,
                             const struct ofs_ora_env *env)
{
    const struct {
        const char *key, *value;
    } overrides[] = {
        { "tenancy", env->cli_tenancy },
        { "user", env->cli_user },
        { "fingerprint", env->cli_fingerprint },
        { "key_file", env->cli_key_file },
        { "key_content", env->cli_key_content },
        { "region", env->cli_region },
        { "pass_phrase", env->cli_passphrase },
        { "security_token_file", env->cli_security_token_file },
    };
    int r = 0;

    for (size_t i = 0; r == 0 && i < OFS_COUNT_OF(overrides); i++)
        if (overrides[i].value && overrides[i].value[0])
            r = set_key(p, overrides[i].key, overrides[i].value, env->home);
    if (r == 0 && !p->region && env->region && env->region[0])
        r = set_key(p, "region", env->region, env->home);
    return r;
}

static const char *first(const char *a, const char *b, const char *c)
{
    return a ? a : b ? b : c;
}

/* What somebody named must be there; what we merely looked for need not. */
static int was_asked_for(int r, const char *asked, struct ofs_err *err)
{
    if (r != -ENOENT || !asked)
        return r;
    if (err)
        err->code = -EINVAL;
    return -EINVAL;
}

int ofs_ora_profile_load(const struct ofs_ora_auth_cfg *cfg,
                         struct ofs_ora_profile *ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_buf_wipe) struct ofs_buf text = OFS_BUF_INIT(CONFIG_MAX_BYTES);
    const char *asked =
        first(cfg->config_file, cfg->env.cli_config_file, cfg->env.config_file);
    const char *name =
        first(cfg->profile, cfg->env.cli_profile, cfg->env.config_profile);
    OFS_AUTOFREE char *path = asked ? expand(asked, cfg->env.home)
                              : cfg->env.home
                                  ? ofs_strf("%s/.oci/config", cfg->env.home)
                                  : NULL;
    int r;

    if (!path)
        return ofs_err_set(err, -ENOENT, "no HOME to look for .oci/config in");
    r = ofs_file_read(AT_FDCWD, path, &text);
    if (r < 0) {
        (void)ofs_err_errno(err, -r, path);
        return was_asked_for(r, asked, err);
    }
    r = ofs_ora_profile_parse(ofs_buf_str(&text), text.len,
                              name ? name : "DEFAULT", cfg->env.home, ret, err);
    if (r == 0)
        return 0;
    (void)ofs_err_wrap(err, r, path);
    return was_asked_for(r, name, err);
}

int ofs_ora_profile_merge(const struct ofs_ora_auth_cfg *cfg,
                          bool env_is_enough, struct ofs_ora_profile *ret,
                          struct ofs_err *err)
{
    bool has_key = cfg->env.cli_key_content || cfg->env.cli_key_file;
    int r = 0;

    if (!env_is_enough || !cfg->env.cli_tenancy || !has_key)
        r = ofs_ora_profile_load(cfg, ret, err);
    if (r == 0 && ofs_ora_profile_override(ret, &cfg->env) < 0)
        r = ofs_err_nomem(err, "a profile");
    return r;
}
