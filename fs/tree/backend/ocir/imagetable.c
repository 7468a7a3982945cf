/* SPDX-License-Identifier: Apache-2.0 */
#include "imagetable.h"

#include <stdlib.h>
#include <string.h>

void ofs_imagetable_done(struct ofs_imagetable *t)
{
    for (size_t i = 0; i < t->n; i++)
        free(t->by_digest[i].tag);
    free(t->by_digest);
    free(t->by_tag);
    *t = (struct ofs_imagetable){ 0 };
}

static int compare(const struct ofs_digest *a, const struct ofs_digest *b)
{
    if (a->alg != b->alg)
        return a->alg < b->alg ? -1 : 1;
    return memcmp(a->bytes, b->bytes, ofs_digest_len(a->alg));
}

static int by_digest(const void *a, const void *b)
{
    const struct ofs_image_row *x = a, *y = b;

    return compare(&x->digest, &y->digest);
}

static int by_tag(const void *a, const void *b)
{
    const struct ofs_image_row *const *x = a, *const *y = b;

    return strcmp((*x)->tag, (*y)->tag);
}

int ofs_imagetable_build(struct ofs_ora_images *images,
                         struct ofs_imagetable *ret)
{
    struct ofs_imagetable t = { 0 };

    t.by_digest = calloc(images->n + 1, sizeof(t.by_digest[0]));
    t.by_tag = calloc(images->n + 1, sizeof(t.by_tag[0]));
    if (!t.by_digest || !t.by_tag) {
        ofs_imagetable_done(&t);
        return -ENOMEM;
    }
    for (size_t i = 0; i < images->n; i++) {
        struct ofs_ora_image *image = &images->at[i];

        t.by_digest[i].digest = image->digest;
        t.by_digest[i].created_s = image->created_s;
        if (image->n_versions > 0)
            t.by_digest[i].tag = ofs_take(&image->versions[0].tag);
    }
    t.n = images->n;
    if (t.n > 0)
        qsort(t.by_digest, t.n, sizeof(t.by_digest[0]), by_digest);
    for (size_t i = 0; i < t.n; i++)
        if (t.by_digest[i].tag)
            t.by_tag[t.n_tags++] = &t.by_digest[i];
    if (t.n_tags > 0)
        qsort(t.by_tag, t.n_tags, sizeof(t.by_tag[0]), by_tag);
    *ret = t;
    return 0;
}

const struct ofs_digest *ofs_imagetable_of_tag(const struct ofs_imagetable *t,
                                               const char *tag)
{
    const struct ofs_image_row key = { .tag = (char *)(uintptr_t)tag };
    const struct ofs_image_row *wanted = &key;
    struct ofs_image_row **found = NULL;

    if (t->n_tags > 0)
        found =
            bsearch(&wanted, t->by_tag, t->n_tags, sizeof(found[0]), by_tag);
    return found ? &(*found)->digest : NULL;
}

int64_t ofs_imagetable_created(const struct ofs_imagetable *t,
                               const struct ofs_digest *digest)
{
    const struct ofs_image_row key = { .digest = *digest };
    const struct ofs_image_row *found = NULL;

    if (t->n > 0)
        found = bsearch(&key, t->by_digest, t->n, sizeof(key), by_digest);
    return found ? found->created_s : 0;
}
