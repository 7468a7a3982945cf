/* SPDX-License-Identifier: Apache-2.0 */
#include "known.h"

enum {
    MAX_KNOWN = 50000, /* some 10 MiB; then it begins anew */
    KEY_MAX = 256 + 2 + OFS_DIGEST_TEXT_MAX,
};

static const char *key_of(const char *repo, const struct ofs_digest *digest,
                          bool is_manifest, char key[KEY_MAX])
{
    char text[OFS_DIGEST_TEXT_MAX];

    (void)snprintf(key, KEY_MAX, "%c%s@%s", is_manifest ? 'm' : 'b', repo,
                   ofs_digest_format(digest, text));
    return key;
}

int ofs_known_init(struct ofs_known *k)
{
    k->map = ofs_map_new();
    return k->map ? 0 : -ENOMEM;
}

void ofs_known_done(struct ofs_known *k)
{
    ofs_map_free(k->map, NULL);
    k->map = NULL;
}

void ofs_known_add(struct ofs_known *k, const char *repo,
                   const struct ofs_digest *digest, bool is_manifest)
{
    char key[KEY_MAX];

    if (ofs_map_count(k->map) >= MAX_KNOWN)
        ofs_known_forget(k);
    if (ofs_map_put(k->map, key_of(repo, digest, is_manifest, key), k, NULL) <
        0)
        return; /* a hint less */
}

bool ofs_known_has(const struct ofs_known *k, const char *repo,
                   const struct ofs_digest *digest, bool is_manifest)
{
    char key[KEY_MAX];

    return ofs_map_get(k->map, key_of(repo, digest, is_manifest, key));
}

void ofs_known_forget(struct ofs_known *k)
{
    struct ofs_map *fresh = ofs_map_new();

    if (!fresh)
        return; /* what is known stays as good a hint as before */
    ofs_map_free(k->map, NULL);
    k->map = fresh;
}
