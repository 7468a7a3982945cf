/* SPDX-License-Identifier: Apache-2.0 */
/*
 * oracleprobe KIND COMMAND [WORD...]: one call of the control plane's client, for
 * the system tests.  Prints JSON lines; the last one is {"ok":true} or
 * {"error":...}.  Where the services are is in PROBE_IDENTITY,
 * PROBE_ARTIFACTS, PROBE_OBJECTSTORAGE, PROBE_AUTH and PROBE_SERVICE_ACCOUNT.
 */
#include "ocirfs/clock.h"
#include "ocirfs/http.h"
#include "ocirfs/json.h"
#include "ocirfs/oracle.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

struct world {
    struct ofs_http *http, *direct;
    struct ofs_ora_auth *auth;
    struct ofs_ora *ora;
    char **words;
    int n;
};

static void say(json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT) : NULL;

    if (text)
        (void)puts(text);
    free(text);
    json_decref(value);
}

static const char *word(const struct world *w, int i)
{
    return i < w->n ? w->words[i] : "";
}

static json_t *text_or_null(const char *s)
{
    return s ? json_string(s) : json_null();
}

static void say_repository(const struct ofs_ora_repository *r)
{
    say(json_pack(
        "{s:s,s:s,s:s,s:s,s:o,s:o,s:b,s:i,s:I,s:b}", "id", r->id, "compartment",
        r->compartment_id, "name", r->name, "namespace", r->namespace_name,
        "readme", text_or_null(r->readme), "etag", text_or_null(r->etag),
        "public", (int)r->is_public, "immutable", r->is_immutable, "images",
        (json_int_t)r->n_images, "created", r->created_s > 0));
}

static void say_image(const struct ofs_ora_image *i)
{
    json_t *tags = json_array();

    for (size_t k = 0; k < i->n_versions; k++)
        (void)json_array_append_new(tags, json_string(i->versions[k].tag));
    say(json_pack("{s:s,s:o,s:o,s:I,s:b}", "id", i->id, "tags", tags, "etag",
                  text_or_null(i->etag), "bytes", (json_int_t)i->manifest_bytes,
                  "created", i->created_s > 0));
}

static int whoami(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    (void)call;
    (void)err;
    say(json_pack("{s:s,s:s,s:o}", "kind", ofs_ora_auth_kind(w->auth),
                  "tenancy", ofs_ora_auth_tenancy(w->auth), "region",
                  text_or_null(ofs_ora_auth_region(w->auth))));
    return 0;
}

static int compartments(struct world *w, struct ofs_call *call,
                        struct ofs_err *err)
{
    struct ofs_ora_compartments all = { 0 };
    int r = ofs_ora_list_compartments(w->ora, call, &all, err);

    for (size_t i = 0; i < all.n; i++)
        say(json_pack("{s:s,s:s,s:s}", "id", all.at[i].id, "parent",
                      all.at[i].parent_id, "name", all.at[i].name));
    ofs_ora_compartments_done(&all);
    return r;
}

static int repositories(struct world *w, struct ofs_call *call,
                        struct ofs_err *err)
{
    struct ofs_ora_repositories all = { 0 };
    bool subtree = strcmp(word(w, 1), "subtree") == 0;
    int r =
        ofs_ora_list_repositories(w->ora, call, word(w, 0), subtree, &all, err);

    for (size_t i = 0; i < all.n; i++)
        say_repository(&all.at[i]);
    ofs_ora_repositories_done(&all);
    return r;
}

static int one_repository(struct ofs_ora_repository *repo, int r)
{
    if (r == 0)
        say_repository(repo);
    ofs_ora_repository_done(repo);
    return r;
}

static int get(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_repository repo = { 0 };

    return one_repository(
        &repo, ofs_ora_get_repository(w->ora, call, word(w, 0), &repo, err));
}

static int create(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_repository repo = { 0 };

    return one_repository(&repo,
                          ofs_ora_create_repository(w->ora, call, word(w, 0),
                                                    word(w, 1), &repo, err));
}

static int update(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    const struct ofs_ora_repository_change change = { .is_public = 1,
                                                      .is_immutable = 1,
                                                      .readme = word(w, 1) };

    return ofs_ora_update_repository(w->ora, call, word(w, 0), &change, err);
}

static int move(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    return ofs_ora_move_repository(w->ora, call, word(w, 0), word(w, 1), err);
}

static int delete (struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    return ofs_ora_delete_repository(w->ora, call, word(w, 0), NULL, err);
}

static int images(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_images all = { 0 };
    int r =
        ofs_ora_list_images(w->ora, call, word(w, 0), word(w, 1), &all, err);

    for (size_t i = 0; i < all.n; i++)
        say_image(&all.at[i]);
    ofs_ora_images_done(&all);
    return r;
}

static int one_image(struct ofs_ora_image *image, int r)
{
    if (r == 0)
        say_image(image);
    ofs_ora_image_done(image);
    return r;
}

static int lookup(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_image image = { 0 };

    return one_image(
        &image, ofs_ora_lookup_image(w->ora, call, word(w, 0), &image, err));
}

/* Of an image as it is now, or with an etag of the caller's. */
static int untag(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    struct ofs_ora_image image = { 0 };
    int r = ofs_ora_lookup_image(w->ora, call, word(w, 0), &image, err);

    if (r == 0 && w->n > 2) {
        free(image.etag);
        image.etag = strdup(word(w, 2));
    }
    if (r == 0)
        r = ofs_ora_remove_version(w->ora, call, &image, word(w, 1), err);
    ofs_ora_image_done(&image);
    return r;
}

static int namespace(struct world *w, struct ofs_call *call,
                     struct ofs_err *err)
{
    OFS_AUTOFREE char *name = NULL;
    int r = ofs_ora_namespace(w->ora, call, &name, err);

    if (r == 0)
        say(json_pack("{s:s}", "namespace", name));
    return r;
}

struct runner {
    struct world *w;
    struct ofs_err err;
    int64_t until_ms;
    unsigned n;
    int r;
};

static void *run_on(void *arg)
{
    struct runner *me = arg;

    while (me->r == 0 && ofs_mono_ms() < me->until_ms) {
        struct ofs_ora_compartments all = { 0 };
        struct ofs_call call;

        ofs_call_init(&call, 20 * 1000);
        me->r = ofs_ora_list_compartments(me->w->ora, &call, &all, &me->err);
        ofs_call_done(&call);
        ofs_ora_compartments_done(&all);
        me->n++;
    }
    return NULL;
}

/* Four threads that list for so many milliseconds. */
static int load(struct world *w, struct ofs_call *call, struct ofs_err *err)
{
    struct runner runners[4];
    pthread_t threads[OFS_COUNT_OF(runners)];
    uint64_t ms = 0;
    unsigned n = 0;
    int r = ofs_str_u64(word(w, 0), &ms);

    (void)call;
    if (r < 0)
        return r;
    for (size_t i = 0; i < OFS_COUNT_OF(runners); i++) {
        runners[i] =
            (struct runner){ .w = w, .until_ms = ofs_mono_ms() + (int64_t)ms };
        if (pthread_create(&threads[i], NULL, run_on, &runners[i]) != 0)
            abort();
    }
    for (size_t i = 0; i < OFS_COUNT_OF(runners); i++) {
        (void)pthread_join(threads[i], NULL);
        n += runners[i].n;
        if (runners[i].r < 0) {
            *err = runners[i].err;
            r = runners[i].r;
        }
    }
    say(json_pack("{s:i}", "calls", (int)n));
    return r;
}

static const struct {
    const char *name;
    int (*run)(struct world *w, struct ofs_call *call, struct ofs_err *err);
} commands[] = {
    { "whoami", whoami },
    { "compartments", compartments },
    { "get", get },
    { "repositories", repositories },
    { "create", create },
    { "update", update },
    { "move", move },
    { "delete", delete },
    { "images", images },
    { "lookup", lookup },
    { "untag", untag },
    { "load", load },
    { "namespace", namespace },
};

static void read_env(struct ofs_ora_env *env)
{
    *env = (struct ofs_ora_env){
        .home = getenv("HOME"),
        .cli_user = getenv("OCI_CLI_USER"),
        .cli_tenancy = getenv("OCI_CLI_TENANCY"),
        .cli_fingerprint = getenv("OCI_CLI_FINGERPRINT"),
        .cli_key_content = getenv("OCI_CLI_KEY_CONTENT"),
        .cli_key_file = getenv("OCI_CLI_KEY_FILE"),
        .cli_region = getenv("OCI_CLI_REGION"),
        .cli_passphrase = getenv("OCI_CLI_PASSPHRASE"),
        .cli_config_file = getenv("OCI_CLI_CONFIG_FILE"),
        .cli_profile = getenv("OCI_CLI_PROFILE"),
        .cli_auth = getenv("OCI_CLI_AUTH"),
        .rp_version = getenv("OCI_RESOURCE_PRINCIPAL_VERSION"),
        .rp_rpst = getenv("OCI_RESOURCE_PRINCIPAL_RPST"),
        .rp_private_pem = getenv("OCI_RESOURCE_PRINCIPAL_PRIVATE_PEM"),
        .rp_region = getenv("OCI_RESOURCE_PRINCIPAL_REGION"),
        .kubernetes_host = getenv("KUBERNETES_SERVICE_HOST"),
        .kubernetes_port = getenv("KUBERNETES_SERVICE_PORT_PROXYMUX"),
        .metadata_url = getenv("OCI_METADATA_BASE_URL"),
    };
}

static int open_world(struct world *w, const char *kind, struct ofs_call *call,
                      struct ofs_err *err)
{
    const struct ofs_http_cfg http = { .user_agent = "oracleprobe",
                                       .no_proxy = true };
    struct ofs_ora_auth_cfg auth = {
        .kind = kind,
        .auth_endpoint = getenv("PROBE_AUTH"),
        .service_account_dir = getenv("PROBE_SERVICE_ACCOUNT"),
        .clock = &ofs_system_clock,
    };
    struct ofs_ora_region region = { 0 };
    const struct ofs_ora_cfg cfg = {
        .region = &region,
        .identity_url = getenv("PROBE_IDENTITY"),
        .artifacts_url = getenv("PROBE_ARTIFACTS"),
        .objectstorage_url = getenv("PROBE_OBJECTSTORAGE"),
        .clock = &ofs_system_clock,
    };
    struct ofs_ora_cfg mine = cfg;
    int r;

    read_env(&auth.env);
    w->http = ofs_http_new(&http, err);
    w->direct = ofs_http_new(&http, err);
    if (!w->http || !w->direct)
        return err->code;
    r = ofs_http_start(w->http, err);
    if (r == 0)
        r = ofs_http_start(w->direct, err);
    auth.http = w->http;
    auth.http_direct = w->direct;
    if (r == 0)
        r = ofs_ora_auth_open(&auth, call, &w->auth, err);
    if (r < 0)
        return r;
    mine.http = w->http;
    mine.auth = w->auth;
    w->ora = ofs_ora_new(&mine, err);
    return w->ora ? 0 : err->code;
}

static void close_world(struct world *w)
{
    if (w->http)
        ofs_http_stop(w->http);
    if (w->direct)
        ofs_http_stop(w->direct);
    ofs_ora_free(w->ora);
    ofs_ora_auth_free(w->auth);
    ofs_http_free(w->http);
    ofs_http_free(w->direct);
}

static int run(struct world *w, const char *command, struct ofs_call *call,
               struct ofs_err *err)
{
    for (size_t i = 0; i < OFS_COUNT_OF(commands); i++)
        if (strcmp(commands[i].name, command) == 0)
            return commands[i].run(w, call, err);
    return ofs_err_set(err, -EINVAL, "no command '%s'", command);
}

int main(int argc, char **argv)
{
    struct world w = { 0 };
    struct ofs_err err = { 0 };
    struct ofs_call call;
    int r;

    if (argc < 3)
        return 2;
    w.words = argv + 3;
    w.n = argc - 3;
    ofs_call_init(&call, 60 * 1000);
    r = open_world(&w, argv[1], &call, &err);
    if (r == 0)
        r = run(&w, argv[2], &call, &err);
    if (r < 0)
        say(json_pack("{s:s,s:s,s:s,s:s,s:i}", "error", strerrorname_np(-r),
                      "text", err.text, "word", err.id, "request_id",
                      err.request_id, "status", err.http_status));
    else
        say(json_pack("{s:b}", "ok", 1));
    close_world(&w);
    ofs_call_done(&call);
    return r < 0;
}
