/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PUSH_IMAGE_H
#define OFS_PUSH_IMAGE_H

/* Images and indexes to push, and the calls that push them. */

#include "push_world.h"

struct image {
    char config[64], layer[64];
    struct ofs_digest config_digest, layer_digest;
    char manifest[1024];
    struct ofs_digest digest;
};

/* Its content depends on `name` alone. */
UNUSED static void image_make(struct image *m, const char *name)
{
    char config[OFS_DIGEST_TEXT_MAX], layer[OFS_DIGEST_TEXT_MAX];

    *m = (struct image){ 0 };
    (void)snprintf(m->config, sizeof(m->config), "{\"os\":\"%s\"}", name);
    (void)snprintf(m->layer, sizeof(m->layer), "layer of %s", name);
    m->config_digest = digest_of(m->config, strlen(m->config));
    m->layer_digest = digest_of(m->layer, strlen(m->layer));
    (void)snprintf(
        m->manifest, sizeof(m->manifest),
        "{\"schemaVersion\":2,\"mediaType\":\"" OFS_MT_OCI_MANIFEST "\","
        "\"config\":{\"mediaType\":\"application/vnd.oci.image.config.v1+json\""
        ",\"digest\":\"%s\",\"size\":%zu},\"layers\":[{\"mediaType\":"
        "\"application/vnd.oci.image.layer.v1.tar\",\"digest\":\"%s\","
        "\"size\":%zu}]}",
        ofs_digest_format(&m->config_digest, config), strlen(m->config),
        ofs_digest_format(&m->layer_digest, layer), strlen(m->layer));
    m->digest = digest_of(m->manifest, strlen(m->manifest));
}

/* It is in that repository, as if somebody else had pushed it. */
UNUSED static void image_put(struct world *w, const struct image *m,
                             const char *repo, const char *tag)
{
    struct fake_remote *f = w->remote;

    (void)remote_put(f, REMOTE_BLOB, repo, m->config, strlen(m->config));
    (void)remote_put(f, REMOTE_BLOB, repo, m->layer, strlen(m->layer));
    (void)remote_put(f, REMOTE_MANIFEST, repo, m->manifest,
                     strlen(m->manifest));
    if (tag)
        remote_add(f, REMOTE_TAG, repo, tag, &m->digest, span("", 0));
}

/* An index of these; the tags are ref.names, NULL: none.  Ends with NULL. */
UNUSED static char *index_make(const struct image *const *of,
                               const char *const *tags)
{
    struct ofs_buf b OFS_AUTOBUF = OFS_BUF_INIT(64 * 1024);

    (void)ofs_buf_adds(&b, "{\"schemaVersion\":2,\"manifests\":[");
    for (size_t i = 0; of[i]; i++) {
        char digest[OFS_DIGEST_TEXT_MAX];

        (void)ofs_buf_addf(&b,
                           "%s{\"mediaType\":\"" OFS_MT_OCI_MANIFEST "\","
                           "\"digest\":\"%s\",\"size\":%zu",
                           i ? "," : "",
                           ofs_digest_format(&of[i]->digest, digest),
                           strlen(of[i]->manifest));
        if (tags && tags[i])
            (void)ofs_buf_addf(&b,
                               ",\"annotations\":{\"org.opencontainers.image."
                               "ref.name\":\"%s\"}",
                               tags[i]);
        (void)ofs_buf_addc(&b, '}');
    }
    (void)ofs_buf_adds(&b, "]}");
    return ofs_buf_take(&b);
}

/* ---- writing and closing ---- */

/* A new draft with these bytes. */
UNUSED static int write_draft(struct world *w, const char *repo,
                              const char *bytes, struct ofs_draft **ret)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    int r = ofs_draft_new(w->p, repo, &d, &w->err);

    if (r == 0)
        r = ofs_draft_write(d, &w->call, bytes, strlen(bytes), 0, &w->err);
    if (r == 0)
        *ret = ofs_take(&d);
    return r;
}

UNUSED static int push_bytes(struct world *w, const char *repo,
                             const char *bytes)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct ofs_digest digest = digest_of(bytes, strlen(bytes));
    int r = write_draft(w, repo, bytes, &d);

    return r < 0 ? r : ofs_push_blob(w->p, &w->call, d, repo, &digest, &w->err);
}

UNUSED static int push_tag(struct world *w, const char *repo, const char *tag,
                           const char *bytes)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    int r = write_draft(w, repo, bytes, &d);

    return r < 0 ? r
                 : ofs_push_tag(w->p, &w->call, d, repo, tag, NULL, &w->err);
}

UNUSED static int push_index(struct world *w, const char *repo,
                             const struct image *const *of,
                             const char *const *tags)
{
    OFS_AUTOFREE char *text = index_make(of, tags);
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    int r = text ? write_draft(w, repo, text, &d) : -ENOMEM;

    return r < 0 ? r : ofs_push_index(w->p, &w->call, d, repo, NULL, &w->err);
}

UNUSED static int push_blobs(struct world *w, const char *repo,
                             const struct image *m)
{
    int r = push_bytes(w, repo, m->config);

    return r < 0 ? r : push_bytes(w, repo, m->layer);
}

UNUSED static uint64_t pending(struct world *w)
{
    struct ofs_push_stat st;

    ofs_push_stat(w->p, &st);
    return st.n_pending;
}

UNUSED static bool has_tag(struct world *w, const char *repo, const char *tag,
                           const struct image *m)
{
    return remote_tag_is(w->remote, repo, tag, &m->digest);
}

/* Files in one of the staging area's folders. */
UNUSED static size_t staged(struct world *w, int folder_fd)
{
    uint64_t *at = NULL;
    size_t n = 0;

    (void)w;
    check(w, ofs_stage_list(folder_fd, &at, &n));
    free(at);
    return n;
}

/* Wait until the thread has let go of what it was working on. */
UNUSED static void until_all_is_done(struct world *w)
{
    int64_t until = ofs_mono_ms() + 30 * 1000;

    while (pending(w) > 0 || staged(w, w->p->stage.files_fd) > 0 ||
           staged(w, w->p->stage.jobs_fd) > 0) {
        if (ofs_mono_ms() > until)
            fail_msg("%d are pending", (int)pending(w));
        (void)sched_yield();
    }
}

#endif
