/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry_priv.h"

#include "ocirfs/map.h"

/* Keys are "<kind><repository>\n<name>". */
struct fake_content {
    pthread_mutex_t mtx;
    struct ofs_map *things;    /* guarded by mtx */
    struct fake_thing *newest; /* all that were ever made; guarded by mtx */
};

struct fake_content *fake_content_new(void)
{
    struct fake_content *content = fake_alloc(sizeof(*content));

    (void)pthread_mutex_init(&content->mtx, NULL);
    content->things = ofs_map_new();
    fake_must(content->things != NULL, "no memory");
    return content;
}

void fake_content_free(struct fake_content *content)
{
    struct fake_thing *t;

    while ((t = content->newest)) {
        content->newest = t->older;
        free(t->media_type);
        free(t->data);
        free(t);
    }
    ofs_map_free(content->things, NULL);
    (void)pthread_mutex_destroy(&content->mtx);
    free(content);
}

void fake_content_put(struct fake_content *content, enum fake_kind kind,
                      const char *repo, const char *name,
                      const struct fake_thing *like)
{
    OFS_AUTOFREE char *key = fake_strf("%c%s\n%s", (char)kind, repo, name);
    struct fake_thing *thing = fake_alloc(sizeof(*thing));
    int r;

    *thing = *like;
    (void)pthread_mutex_lock(&content->mtx);
    thing->older = content->newest;
    content->newest = thing;
    r = ofs_map_put(content->things, key, thing, NULL);
    (void)pthread_mutex_unlock(&content->mtx);
    fake_must(r == 0, "no memory");
}

const struct fake_thing *fake_content_get(struct fake_content *content,
                                          enum fake_kind kind, const char *repo,
                                          const char *name)
{
    OFS_AUTOFREE char *key = fake_strf("%c%s\n%s", (char)kind, repo, name);
    const struct fake_thing *thing;

    (void)pthread_mutex_lock(&content->mtx);
    thing = ofs_map_get(content->things, key);
    (void)pthread_mutex_unlock(&content->mtx);
    return thing;
}

void fake_content_remove(struct fake_content *content, enum fake_kind kind,
                         const char *repo, const char *name)
{
    OFS_AUTOFREE char *key = fake_strf("%c%s\n%s", (char)kind, repo, name);

    (void)pthread_mutex_lock(&content->mtx);
    (void)ofs_map_remove(content->things, key);
    (void)pthread_mutex_unlock(&content->mtx);
}

struct listing {
    char *prefix;
    bool repos; /* the part of the key between kind and newline is wanted */
    struct ofs_strv *names;
};

static int collect(const char *key, void *value, void *arg)
{
    struct listing *l = arg;
    const char *rest = key + strlen(l->prefix);

    (void)value;
    if (!ofs_str_starts(key, l->prefix))
        return 0;
    if (!l->repos)
        return ofs_strv_add(l->names, rest);
    return ofs_strv_add_own(l->names, strndup(rest, strcspn(rest, "\n")));
}

void fake_content_names(struct fake_content *content, enum fake_kind kind,
                        const char *repo, struct ofs_strv *ret)
{
    struct listing l = { .repos = !repo, .names = ret };
    int r;

    l.prefix = repo ? fake_strf("%c%s\n", (char)kind, repo)
                    : fake_strf("%c", (char)kind);
    (void)pthread_mutex_lock(&content->mtx);
    r = ofs_map_each(content->things, collect, &l);
    (void)pthread_mutex_unlock(&content->mtx);
    fake_must(r == 0, "no memory");
    free(l.prefix);
    ofs_strv_sort(ret);
}

/* splitmix64 (Steele, Lea, Flood 2014): any word without those before it. */
static uint64_t word_at(uint64_t seed, uint64_t i)
{
    uint64_t z = seed * 0xd1342543de82ef95U + (i + 1) * 0x9e3779b97f4a7c15U;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9U;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebU;
    return z ^ (z >> 31);
}

void fake_blob_fill(uint64_t seed, void *buf, size_t len, uint64_t off)
{
    char *out = buf;

    while (len > 0) {
        uint64_t word = word_at(seed, off / 8);
        size_t skip = off % 8;
        size_t n = 8 - skip < len ? 8 - skip : len;

        memcpy(out, (const char *)&word + skip, n);
        out += n;
        off += n;
        len -= n;
    }
}

static void fill_thing(void *arg, void *buf, size_t len, uint64_t off)
{
    const struct fake_thing *thing = arg;

    if (thing->data)
        memcpy(buf, thing->data + off, len);
    else
        fake_blob_fill(thing->seed, buf, len, off);
}

void fake_thing_serve(const struct fake_thing *thing,
                      struct fake_response *resp)
{
    resp->status = 200;
    resp->fill = fill_thing;
    resp->fill_arg = (void *)(uintptr_t)thing;
    resp->size = thing->size;
}
