/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/options.h"

#include "nearest.h"
#include "optvalue.h"

#include <stdio.h>

enum {
    DEFAULT_TTL_MS = 10 * 1000,
    DEFAULT_TIMEOUT_MS = 30 * 1000,
    DEFAULT_FSFREE_PCT = 5,
};

#define DEFAULT_CACHE_BYTES   (10ull * 1024 * 1024 * 1024)
#define DEFAULT_STAGING_BYTES (20ull * 1024 * 1024 * 1024)

/* One option of ours: `name` or `name=VALUE`. */
struct row {
    const char *name;
    const char *value; /* what to call the value in --help; NULL: none */
    ofs_opt_parse *parse;
    size_t offset;
    const char *help;
};

#define FIELD(member) offsetof(struct ofs_options, member)

static const struct row rows[] = {
    { "ttl", "TIME", ofs_opt_time, FIELD(ttl_ms),
      "how long names and tags are cached (10s)" },
    { "timeout", "TIME", ofs_opt_time, FIELD(timeout_ms),
      "longest time one operation may take (30s)" },
    { "repos", "A[:B...]", ofs_opt_list, FIELD(repos),
      "repositories to show, if there is no catalog" },
    { "mirror", "URL", ofs_opt_url, FIELD(mirror),
      "a pull-through registry to ask first" },
    { "ca_file", "FILE", ofs_opt_path, FIELD(ca_file),
      "certificates to trust, PEM (the system's)" },
    { "auth_file", "FILE", ofs_opt_path, FIELD(auth_file),
      "credentials; else podman's and docker's files" },
    { "plain_http", NULL, ofs_opt_true, FIELD(plain_http),
      "allow http:// beyond loopback" },
    { "bg", NULL, ofs_opt_true, FIELD(bg),
      "mount even if the registry does not answer yet" },
    { "cache", "DIR", ofs_opt_path, FIELD(cache_dir),
      "blobs (~/.cache/ocirfs; root: /var/cache/ocirfs)" },
    { "cache_size", "SIZE", ofs_opt_size, FIELD(cache_bytes),
      "maximum size of the cache; 0: no limit (10G)" },
    { "cache-fsfree", "PERCENT", ofs_opt_percent, FIELD(cache_fsfree_pct),
      "share of the disk the cache leaves free (5%)" },
    { "ro", NULL, ofs_opt_true, FIELD(read_only), "change nothing" },
    { "allow_delete", NULL, ofs_opt_true, FIELD(allow_delete),
      "let rm delete tags, and rmdir repositories" },
    { "no_overwrite", NULL, ofs_opt_true, FIELD(no_overwrite),
      "refuse to overwrite an existing tag" },
    { "staging_size", "SIZE", ofs_opt_size, FIELD(staging_bytes),
      "maximum size of staged writes; 0: no limit (20G)" },
    { "verify", "lazy|strict|always", ofs_opt_verify, FIELD(verify),
      "strict: whole first; always: once more (lazy)" },
    { "uid", "N", ofs_opt_id, FIELD(uid), "owner of all files (the caller)" },
    { "gid", "N", ofs_opt_id, FIELD(gid), "group of all files (the caller's)" },
    { "umask", "OCTAL", ofs_opt_mode, FIELD(umask),
      "permission bits to remove (0)" },
    { "log", "LEVEL", ofs_opt_level, FIELD(log_level),
      "error, warn, info or debug (info)" },
};

static const struct row oci_rows[] = {
    { "auth", "KIND", ofs_opt_auth, FIELD(auth),
      "how to sign in; see below (auto)" },
    { "config", "FILE", ofs_opt_path, FIELD(config),
      "Oracle's CLI and SDK config (~/.oci/config)" },
    { "profile", "NAME", ofs_opt_text, FIELD(profile),
      "the profile in it (DEFAULT)" },
    { "compartment", "NAME", ofs_opt_text, FIELD(compartment),
      "show only this one: prod/eu, or an OCID (all)" },
    { "region", "REGION", ofs_opt_text, FIELD(region),
      "treat the URL in SOURCE as OCIR in that region" },
    { "namespace", "NAME", ofs_opt_text, FIELD(namespace_name),
      "the tenancy's namespace (ask Object Storage)" },
    { "registry", "URL", ofs_opt_url, FIELD(registry),
      "override the registry's URL" },
    { "identity", "URL", ofs_opt_url, FIELD(identity),
      "override Identity's URL" },
    { "artifacts", "URL", ofs_opt_url, FIELD(artifacts),
      "override Artifacts' URL" },
    { "objectstorage", "URL", ofs_opt_url, FIELD(objectstorage),
      "override Object Storage's URL" },
    { "federation", "URL", ofs_opt_url, FIELD(federation),
      "override Auth's URL (instance principals)" },
    { "service_account", "DIR", ofs_opt_path, FIELD(service_account),
      "a pod's (/var/run/secrets/kubernetes.io/...)" },
};

static const struct group {
    const char *heading; /* in --help */
    const struct row *rows;
    size_t n;
} groups[] = {
    { "options", rows, OFS_COUNT_OF(rows) },
    { "options for OCIR", oci_rows, OFS_COUNT_OF(oci_rows) },
};

/* Of mount(8) and libfuse; handed on as they are. */
static const char *const kernel_options[] = {
    "allow_other", "auto_unmount", "dev",     "nodev",   "suid",       "nosuid",
    "exec",        "noexec",       "noatime", "dirsync", "nodiratime",
};

/* Of fstab and mount(8) only, or about times that the registry says and writes
 * that are confirmed in any case; there is nothing to do for us. */
static const char *const ignored_options[] = {
    "rw",         "defaults",      "auto",        "noauto",
    "user",       "nouser",        "users",       "nousers",
    "owner",      "noowner",       "group",       "nogroup",
    "nofail",     "_netdev",       "atime",       "relatime",
    "norelatime", "diratime",      "strictatime", "lazytime",
    "nolazytime", "nostrictatime", "async",       "sync",
    "mand",       "nomand",        "iversion",    "noiversion",
    "silent",     "loud",          "symfollow",   "default_permissions",
};

static bool is_one_of(const char *s, const char *const *list, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (strcmp(s, list[i]) == 0)
            return true;
    return false;
}

static const struct row *find_row(const char *name, size_t len)
{
    for (size_t i = 0; i < OFS_COUNT_OF(groups); i++) {
        const struct row *end = groups[i].rows + groups[i].n;

        for (const struct row *row = groups[i].rows; row < end; row++)
            if (ofs_nearest_same(name, len, row->name))
                return row;
    }
    return NULL;
}

/* An option that nobody knows, and what was perhaps meant. */
static int unknown(const char *option, size_t len, struct ofs_err *err)
{
    struct ofs_nearest near = { 0 };

    for (size_t i = 0; i < OFS_COUNT_OF(groups); i++)
        for (size_t j = 0; j < groups[i].n; j++)
            ofs_nearest_offer(&near, option, len, groups[i].rows[j].name);
    for (size_t i = 0; i < OFS_COUNT_OF(kernel_options); i++)
        ofs_nearest_offer(&near, option, len, kernel_options[i]);
    if (near.word)
        return ofs_err_set(err, -EINVAL,
                           "unknown option '%.*s'; did you mean '%s'?",
                           (int)len, option, near.word);
    return ofs_err_set(err, -EINVAL,
                       "unknown option '%.*s'; 'ocirfs --help' lists them",
                       (int)len, option);
}

static int apply_row(struct ofs_options *o, const struct row *row,
                     const char *value, struct ofs_err *err)
{
    int r;

    if (row->value && !value)
        return ofs_err_set(err, -EINVAL, "option '%s' needs a value: %s=%s",
                           row->name, row->name, row->value);
    if (!row->value && value)
        return ofs_err_set(err, -EINVAL, "option '%s' takes no value",
                           row->name);
    r = row->parse(value, (char *)o + row->offset);
    if (r == -ENOMEM)
        return ofs_err_nomem(err, "the options");
    /* What is no URL may hold a password all the same. */
    if (r < 0 && row->parse == ofs_opt_url)
        return ofs_err_set(err, -EINVAL, "option '%s' needs %s", row->name,
                           ofs_opt_wants(row->parse));
    if (r < 0)
        return ofs_err_set(err, -EINVAL, "option '%s': '%s' is not %s",
                           row->name, value, ofs_opt_wants(row->parse));
    return 0;
}

/* One "name" or "name=value" of a -o list. */
static int apply(struct ofs_options *o, const char *option, struct ofs_err *err)
{
    const char *eq = strchr(option, '=');
    size_t len = eq ? (size_t)(eq - option) : strlen(option);
    const struct row *row = find_row(option, len);

    if (row)
        return apply_row(o, row, eq ? eq + 1 : NULL, err);
    if (is_one_of(option, kernel_options, OFS_COUNT_OF(kernel_options)) ||
        ofs_str_starts(option, "context="))
        return ofs_strv_add(&o->kernel, option) < 0
                   ? ofs_err_nomem(err, "the options")
                   : 0;
    if (is_one_of(option, ignored_options, OFS_COUNT_OF(ignored_options)) ||
        ofs_str_starts(option, "x-") || ofs_str_starts(option, "comment="))
        return 0;
    if (strcmp(option, "remount") == 0)
        return ofs_err_set(err, -EINVAL,
                           "a mount keeps its options: umount, then mount "
                           "again with others");
    return unknown(option, len, err);
}

/* A comma-separated list; a backslash takes away a comma's meaning. */
static int apply_list(struct ofs_options *o, const char *list,
                      struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf one = OFS_BUF_INIT(64 * 1024);
    int r = 0;

    for (const char *p = list; r == 0; p++) {
        if (*p == '\\' && p[1]) {
            (void)ofs_buf_addc(&one, *++p);
        } else if (*p && *p != ',') {
            (void)ofs_buf_addc(&one, *p);
        } else {
            if (one.len > 0)
                r = apply(o, ofs_buf_str(&one), err);
            ofs_buf_reset(&one);
        }
        if (!*p)
            break;
    }
    return r;
}

/* What people type who know other programs. */
static bool apply_word(struct ofs_options *o, int argc, char *const *argv)
{
    o->help = argc == 2 && strcmp(argv[1], "help") == 0;
    o->version = argc == 2 && strcmp(argv[1], "version") == 0;
    return o->help || o->version;
}

static int set_positional(struct ofs_options *o, const char *arg,
                          struct ofs_err *err)
{
    char **to = !o->source ? &o->source : &o->mountpoint;

    if (o->mountpoint)
        return ofs_err_set(err, -EINVAL,
                           "one SOURCE and one MOUNTPOINT, but also '%s'", arg);
    *to = strdup(arg);
    return *to ? 0 : ofs_err_nomem(err, "the options");
}

/* A flag without value; false: not one of ours. */
static bool apply_flag(struct ofs_options *o, const char *arg, bool helper)
{
    if (strcmp(arg, "-h") == 0 || strcmp(arg, "--help") == 0)
        o->help = true;
    else if (strcmp(arg, "-V") == 0 || strcmp(arg, "--version") == 0)
        o->version = true;
    else if (strcmp(arg, "-f") == 0 && helper)
        o->fake = true; /* mount(8) means: all but the mount itself */
    else if (strcmp(arg, "-f") == 0)
        o->foreground = true;
    else if (strcmp(arg, "-d") == 0)
        o->debug = o->foreground = true;
    else if (strcmp(arg, "-s") != 0 && strcmp(arg, "-n") != 0 &&
             strcmp(arg, "-v") != 0) /* mount(8): sloppy, no mtab, verbose */
        return false;
    return true;
}

static int parse_args(int argc, char *const *argv, struct ofs_options *o,
                      struct ofs_err *err)
{
    const char *slash = argc > 0 ? strrchr(argv[0], '/') : NULL;
    const char *self = slash ? slash + 1 : argc > 0 ? argv[0] : "";
    bool helper = ofs_str_starts(self, "mount.");
    bool only_names = false;
    int r = 0;

    for (int i = 1; r == 0 && i < argc; i++) {
        const char *arg = argv[i];

        if (only_names || arg[0] != '-' || !arg[1])
            r = set_positional(o, arg, err);
        else if (strcmp(arg, "--") == 0)
            only_names = true;
        else if (strcmp(arg, "-o") == 0 && i + 1 < argc)
            r = apply_list(o, argv[++i], err);
        else if (ofs_str_starts(arg, "-o") && arg[2])
            r = apply_list(o, arg + 2, err);
        else if (!apply_flag(o, arg, helper))
            r = ofs_err_set(err, -EINVAL,
                            "unknown flag '%s'; 'ocirfs --help' lists them",
                            arg);
    }
    return r;
}

static int default_cache_dir(const struct ofs_env *env, char **ret,
                             struct ofs_err *err)
{
    if (env->xdg_cache_home && env->xdg_cache_home[0] == '/')
        *ret = ofs_strf("%s/ocirfs", env->xdg_cache_home);
    else if (env->uid == 0)
        *ret = strdup("/var/cache/ocirfs");
    else if (env->home && env->home[0] == '/')
        *ret = ofs_strf("%s/.cache/ocirfs", env->home);
    else
        return ofs_err_set(err, -EINVAL,
                           "no HOME in the environment; say where to keep "
                           "blobs with -o cache=DIR");
    return *ret ? 0 : ofs_err_nomem(err, "the options");
}

/* Who names a registry by URL, and not as OCIR's, has no use for those. */
static int check_ocir_options(const struct ofs_options *o, struct ofs_err *err)
{
    if (!strstr(o->source, "://") || o->region)
        return 0;
    for (size_t i = 0; i < OFS_COUNT_OF(oci_rows); i++) {
        const struct row *row = &oci_rows[i];

        if (*(char *const *)((const char *)o + row->offset))
            return ofs_err_set(err, -EINVAL,
                               "option '%s' is for OCIR: name a region as "
                               "SOURCE, or the URL's with region=",
                               row->name);
    }
    return 0;
}

static int check_source(const struct ofs_options *o, struct ofs_err *err)
{
    if (strstr(o->source, "://") && ofs_opt_has_user(o->source))
        return ofs_err_set(err, -EINVAL,
                           "no user and password in SOURCE, where everybody "
                           "can read them; 'docker login' or auth_file= keep "
                           "them");
    return check_ocir_options(o, err);
}

static int check_complete(struct ofs_options *o, const struct ofs_env *env,
                          struct ofs_err *err)
{
    int r;

    if (!o->source)
        return ofs_err_set(err, -EINVAL,
                           "no SOURCE given; try 'ocirfs --help'");
    if (!o->mountpoint)
        return ofs_err_set(err, -EINVAL,
                           "no MOUNTPOINT given; try 'ocirfs --help'");
    if (o->timeout_ms == 0)
        return ofs_err_set(err, -EINVAL, "option 'timeout': 0 is no time");
    r = check_source(o, err);
    if (r < 0)
        return r;
    return o->cache_dir ? 0 : default_cache_dir(env, &o->cache_dir, err);
}

int ofs_options_parse(int argc, char *const *argv, const struct ofs_env *env,
                      struct ofs_options *ret, struct ofs_err *err)
{
    OFS_AUTOOPTIONS struct ofs_options o = {
        .ttl_ms = DEFAULT_TTL_MS,
        .timeout_ms = DEFAULT_TIMEOUT_MS,
        .cache_bytes = DEFAULT_CACHE_BYTES,
        .cache_fsfree_pct = DEFAULT_FSFREE_PCT,
        .staging_bytes = DEFAULT_STAGING_BYTES,
        .log_level = OFS_INFO,
        .uid = env->uid,
        .gid = env->gid,
    };
    int r = apply_word(&o, argc, argv) ? 0 : parse_args(argc, argv, &o, err);

    if (r == 0 && !o.help && !o.version)
        r = check_complete(&o, env, err);
    if (r < 0)
        return r;
    if (o.debug)
        o.log_level = OFS_DEBUG;
    *ret = o;
    o = (struct ofs_options){ 0 };
    return 0;
}

static void free_texts(struct ofs_options *o, const struct group *g)
{
    for (size_t i = 0; i < g->n; i++) {
        ofs_opt_parse *parse = g->rows[i].parse;

        if (parse == ofs_opt_text || parse == ofs_opt_path ||
            parse == ofs_opt_url || parse == ofs_opt_auth)
            free(*(char **)((char *)o + g->rows[i].offset));
    }
}

void ofs_options_done(struct ofs_options *o)
{
    for (size_t i = 0; i < OFS_COUNT_OF(groups); i++)
        free_texts(o, &groups[i]);
    free(o->source);
    free(o->mountpoint);
    ofs_strv_done(&o->repos);
    ofs_strv_done(&o->kernel);
    *o = (struct ofs_options){ 0 };
}

/* Two blanks are between a name and what it means. */
static int width_of(const char *name)
{
    enum { WIDTH = 22 };
    size_t len = name ? strlen(name) : 0;

    return len > WIDTH ? (int)len + 1 : WIDTH;
}

static void help_group(const struct group *g, struct ofs_buf *b)
{
    (void)ofs_buf_addf(b, "\n%s:\n", g->heading);
    for (size_t i = 0; i < g->n; i++) {
        const struct row *row = &g->rows[i];
        OFS_AUTOFREE char *name =
            ofs_strf("%s%s%s", row->name, row->value ? "=" : "",
                     row->value ? row->value : "");

        (void)ofs_buf_addf(b, "  -o %-*s %s\n", width_of(name),
                           name ? name : "", row->help);
    }
}

int ofs_options_help(struct ofs_buf *b)
{
    (void)ofs_buf_adds(
        b, "usage: ocirfs [FLAGS] SOURCE MOUNTPOINT [-o OPTION[,OPTION...]]\n"
           "       ocirfs status [--watch] DIR\n"
           "       ocirfs umount DIR\n"
           "\n"
           "Shows a container registry as a directory tree.  'status' tells "
           "how the\nmount that DIR is in is doing; with --watch it draws its "
           "transfers until\nthere are none.\n"
           "\n"
           "SOURCE:\n"
           "  sa-saopaulo-1, gru            OCIR of that region, with its "
           "compartments\n"
           "  ocir.sa-saopaulo-1.oci.oraclecloud.com, gru.ocir.io   the same "
           "by its names\n"
           "  https://host[:port][/prefix]  an OCI-distribution registry\n"
           "  http://host[:port][/prefix]   the same without TLS; loopback "
           "only\n"
           "\n"
           "flags:\n"
           "  -f              stay in the foreground, log to stderr\n"
           "  -d              the same, and log every request\n"
           "  -h, --help      this text\n"
           "  -V, --version   the version\n");
    for (size_t i = 0; i < OFS_COUNT_OF(groups); i++)
        help_group(&groups[i], b);
    (void)ofs_buf_adds(
        b, "\nAlso those of mount(8) and FUSE: allow_other, auto_unmount, "
           "nodev, nosuid,\nnoexec, noatime, _netdev, nofail, x-systemd.*\n"
           "TIME: 500ms, 10s, 5m, 1h.  SIZE: 500M, 20G.\n"
           "KIND: auto, api_key, security_token, instance_principal, "
           "resource_principal,\noke_workload_identity, instance_obo_user.\n");
    return b->failed;
}
