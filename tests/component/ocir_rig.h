/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OCIR_RIG_H
#define OFS_OCIR_RIG_H

/* A tree on a fake registry and a fake control plane. */

#include "fake_oracle.h"
#include "tree_rig.h"

#include "ocirfs/oracle.h"

#include <stdio.h>

struct orig_cfg {
    const char *compartment; /* what to mount */
    const char *repos[4];    /* as repos= */
    bool no_ttl;
    void (*seed)(struct fake_oracle *cloud, struct fake_registry *fake);
};

struct orig {
    struct trig t;
    struct fake_oracle *cloud;
    struct fake_server *server; /* of the cloud */
    struct ofs_ora_auth *auth;
    struct ofs_ora *ora;
    struct ofs_ocir_cfg ocir;
    struct ofs_strv repos;
    unsigned n_warned;
    char warned[512]; /* the last sentence */
};

static inline void orig_warn(void *arg, const char *sentence)
{
    struct orig *o = arg;

    o->n_warned++;
    (void)snprintf(o->warned, sizeof(o->warned), "%s", sentence);
}

/* Signs with the throw-away key of the test vectors. */
static inline void orig_sign_in(struct orig *o)
{
    const struct ofs_ora_auth_cfg cfg = {
        .kind = "api_key",
        .http = o->t.rig.http,
        .http_direct = o->t.rig.http,
        .clock = &ofs_system_clock,
        .env = { .cli_user = "ocid1.user.oc1..fake",
                 .cli_tenancy = FAKE_ORACLE_TENANCY,
                 .cli_fingerprint = "78:ad:d9:5e:f5:7f:58:7b:d1:f4:96:c4:ac:"
                                    "a1:a0:77",
                 .cli_key_file =
                     OFS_TEST_DATA "/vectors/signing/throwaway-test-key.pem",
                 .cli_region = "us-ashburn-1" },
    };
    const char *url = fake_server_url(o->server);
    const struct ofs_ora_cfg ora = {
        .http = o->t.rig.http,
        .region = &(struct ofs_ora_region){ .key = "iad" },
        .identity_url = url,
        .artifacts_url = url,
        .objectstorage_url = url,
        .clock = &ofs_system_clock,
        .max_attempts = 1,
    };
    struct ofs_ora_cfg with_auth = ora;
    int r = ofs_ora_auth_open(&cfg, &o->t.call, &o->auth, &o->t.err);

    if (r < 0)
        fail_msg("%s", o->t.err.text);
    with_auth.auth = o->auth;
    o->ora = ofs_ora_new(&with_auth, &o->t.err);
    assert_non_null(o->ora);
}

static inline const struct ofs_ocir_cfg *orig_begin(struct trig *t)
{
    /* The tree's rig is the first member of ours. */
    struct orig *o = (struct orig *)(void *)t;

    if (!o->ora)
        orig_sign_in(o);
    o->ocir.ora = o->ora;
    o->ocir.tenancy = FAKE_ORACLE_TENANCY;
    o->ocir.warn = orig_warn;
    o->ocir.warn_arg = o;
    return &o->ocir;
}

static inline void orig_start(struct orig *o, const struct orig_cfg *cfg)
{
    struct trig_cfg tree = { .no_ttl = cfg->no_ttl, .ocir = orig_begin };

    memset(o, 0, sizeof(*o));
    o->cloud = fake_oracle_start();
    o->server = fake_oracle_server(o->cloud);
    o->ocir.compartment = cfg->compartment;
    for (size_t i = 0; i < OFS_COUNT_OF(cfg->repos) && cfg->repos[i]; i++)
        assert_int_equal(ofs_strv_add(&o->repos, cfg->repos[i]), 0);
    tree.repos = o->repos;
    trig_start(&o->t, &tree);
    if (cfg->seed)
        cfg->seed(o->cloud, o->t.fake);
}

static inline void orig_stop(struct orig *o)
{
    trig_unmount(&o->t);
    o->t.tree = NULL;
    ofs_ora_free(o->ora);
    ofs_ora_auth_free(o->auth);
    trig_stop(&o->t);
    fake_oracle_free(o->cloud);
    ofs_strv_done(&o->repos);
}

#define ORIG_AUTO OFS_AUTO(orig_stop)

/* Requests to the control plane. */
static inline unsigned orig_count(struct orig *o, const char *match)
{
    return fake_server_count(o->server, match);
}

static inline void orig_refuse(struct orig *o, const char *match, int status,
                               const char *code)
{
    char body[128];

    (void)snprintf(body, sizeof(body),
                   "{\"code\":\"%s\",\"message\":\"Not for you.\"}", code);
    fake_server_fault(o->server, &(struct fake_fault){ .match = match,
                                                       .kind = FAKE_STATUS,
                                                       .n = status,
                                                       .text = body });
}

#endif
