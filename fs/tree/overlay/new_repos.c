/* SPDX-License-Identifier: Apache-2.0 */
#include "new_repos.h"

#include "ocirfs/file.h"

#include <fcntl.h>
#include <limits.h>

struct made {
    bool pushed;
    bool unmade;
    int maker;         /* a process; 0: none */
    unsigned shown;    /* parts that were made */
    unsigned unlinked; /* parts that were taken away by ... */
    int unlinker;      /* ... this process */
};

static const struct {
    const char *name;
    unsigned part;
} parts[] = {
    { "blobs", OFS_NEW_REPO_BLOBS },       { "sha256", OFS_NEW_REPO_SHA256 },
    { "sha512", OFS_NEW_REPO_SHA512 },     { "index.json", OFS_NEW_REPO_INDEX },
    { "oci-layout", OFS_NEW_REPO_HEADER },
};

unsigned ofs_new_repo_part(const char *name)
{
    for (size_t i = 0; i < OFS_COUNT_OF(parts); i++)
        if (strcmp(parts[i].name, name) == 0)
            return parts[i].part;
    return 0;
}

int ofs_new_repos_init(struct ofs_new_repos *new_repos)
{
    ofs_mutex_init(&new_repos->mtx, OFS_RANK_NODE);
    new_repos->map = ofs_map_new();
    return new_repos->map ? 0 : -ENOMEM;
}

void ofs_new_repos_done(struct ofs_new_repos *new_repos)
{
    if (!new_repos->map)
        return;
    ofs_map_free(new_repos->map, free);
    ofs_mutex_done(&new_repos->mtx);
}

/* With new_repos.mtx held. */
static struct made *get(struct ofs_new_repos *new_repos, const char *path)
{
    return ofs_map_get(new_repos->map, path);
}

/* With new_repos.mtx held: found, or made of *fresh. */
static struct made *need(struct ofs_new_repos *new_repos, const char *path,
                         struct made **fresh)
{
    struct made *m = get(new_repos, path);

    if (m || !*fresh || ofs_map_put(new_repos->map, path, *fresh, NULL) < 0)
        return m;
    return ofs_take(fresh);
}

int ofs_new_repo_add(struct ofs_new_repos *new_repos, const char *path,
                     int maker)
{
    OFS_AUTOFREE struct made *fresh = calloc(1, sizeof(*fresh));
    struct made *m;

    if (!fresh)
        return -ENOMEM;
    fresh->maker = maker;
    OFS_GUARD(&new_repos->mtx);
    m = need(new_repos, path, &fresh);
    if (!m)
        return -ENOMEM;
    if (fresh && !m->unmade)
        return -EEXIST;
    if (fresh)
        *m = *fresh;
    return 0;
}

void ofs_new_repo_forget(struct ofs_new_repos *new_repos, const char *path)
{
    OFS_AUTOFREE struct made *gone = NULL;

    OFS_GUARD(&new_repos->mtx);
    gone = ofs_map_remove(new_repos->map, path);
}

/* Find or make one that is the registry's; NULL: no memory. */
static struct made *need_pushed(struct ofs_new_repos *new_repos,
                                const char *path, struct made **fresh)
{
    if (*fresh)
        (*fresh)->pushed = true;
    return need(new_repos, path, fresh);
}

int ofs_new_repo_unmake(struct ofs_new_repos *new_repos, const char *path)
{
    OFS_AUTOFREE struct made *fresh = calloc(1, sizeof(*fresh));
    struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = need_pushed(new_repos, path, &fresh);
    if (!m)
        return -ENOMEM;
    *m = (struct made){ .pushed = true, .unmade = true };
    return 0;
}

bool ofs_new_repo_is_unmade(struct ofs_new_repos *new_repos, const char *path)
{
    const struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = get(new_repos, path);
    return m && m->unmade;
}

void ofs_new_repo_pushed(struct ofs_new_repos *new_repos, const char *path)
{
    OFS_AUTOFREE struct made *fresh = calloc(1, sizeof(*fresh));
    struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = need_pushed(new_repos, path, &fresh);
    if (!m)
        return;
    m->pushed = true;
    m->unmade = false;
}

void ofs_new_repo_listed(struct ofs_new_repos *new_repos, const char *path)
{
    struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = get(new_repos, path);
    if (!m)
        return;
    m->pushed = true;
    m->unmade = false;
}

bool ofs_new_repo_has(struct ofs_new_repos *new_repos, const char *path)
{
    const struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = get(new_repos, path);
    return m && !m->unmade;
}

bool ofs_new_repo_is_new(struct ofs_new_repos *new_repos, const char *path)
{
    const struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = get(new_repos, path);
    return m && !m->pushed;
}

struct below {
    char prefix[NAME_MAX + 2];
    struct ofs_strv *parts; /* NULL: one is enough */
};

static void below_init(struct below *b, const char *path, struct ofs_strv *list)
{
    (void)snprintf(b->prefix, sizeof(b->prefix), "%s%s", path,
                   *path ? "/" : "");
    b->parts = list;
}

static int add_part(const char *name, void *value, void *arg)
{
    const struct below *b = arg;
    const struct made *m = value;
    size_t skip = strlen(b->prefix);
    char part[NAME_MAX + 1];

    if (m->unmade || !ofs_str_starts(name, b->prefix))
        return 0;
    if (!b->parts)
        return 1;
    (void)snprintf(part, sizeof(part), "%.*s", (int)strcspn(name + skip, "/"),
                   name + skip);
    return ofs_strv_add(b->parts, part);
}

bool ofs_new_repo_is_parent(struct ofs_new_repos *new_repos, const char *path)
{
    struct below b;

    below_init(&b, path, NULL);
    OFS_GUARD(&new_repos->mtx);
    return ofs_map_each(new_repos->map, add_part, &b) != 0;
}

int ofs_new_repo_parts(struct ofs_new_repos *new_repos, const char *path,
                       struct ofs_strv *ret)
{
    struct below b;

    below_init(&b, path, ret);
    OFS_GUARD(&new_repos->mtx);
    return ofs_map_each(new_repos->map, add_part, &b);
}

/* Programs that take for granted that what they made is empty. */
static bool is_copier(int process)
{
    static const char *const names[] = { "cp\n", "mv\n", "gcp\n" };
    OFS_AUTOBUF struct ofs_buf name = OFS_BUF_INIT(64);
    char path[32];

    (void)snprintf(path, sizeof(path), "/proc/%d/comm", process);
    if (ofs_file_read(AT_FDCWD, path, &name) < 0)
        return false;
    for (size_t i = 0; i < OFS_COUNT_OF(names); i++)
        if (strcmp(ofs_buf_str(&name), names[i]) == 0)
            return true;
    return false;
}

/* What is known of it; false: nothing. */
static bool look(struct ofs_new_repos *new_repos, const char *path,
                 struct made *ret)
{
    const struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = get(new_repos, path);
    if (m)
        *ret = *m;
    return m != NULL;
}

bool ofs_new_repo_hides_all(struct ofs_new_repos *new_repos, int who,
                            const char *path)
{
    struct made m;

    return who && look(new_repos, path, &m) && m.maker == who && is_copier(who);
}

bool ofs_new_repo_hides(struct ofs_new_repos *new_repos, int who,
                        const char *path, unsigned part)
{
    struct made m;

    if (!look(new_repos, path, &m) || (m.shown & part))
        return false;
    if (!m.pushed || (m.unlinker == who && (m.unlinked & part)))
        return true;
    return who && m.maker == who && is_copier(who);
}

bool ofs_new_repo_shows(struct ofs_new_repos *new_repos, const char *path,
                        unsigned part)
{
    const struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = get(new_repos, path);
    return m && (m->shown & part);
}

int ofs_new_repo_show(struct ofs_new_repos *new_repos, const char *path,
                      unsigned part)
{
    OFS_AUTOFREE struct made *fresh = calloc(1, sizeof(*fresh));
    struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = need_pushed(new_repos, path, &fresh);
    if (!m)
        return -ENOMEM;
    m->shown |= part;
    m->unlinked &= ~part;
    return 0;
}

int ofs_new_repo_hide(struct ofs_new_repos *new_repos, int who,
                      const char *path, unsigned part)
{
    struct made *m;

    OFS_GUARD(&new_repos->mtx);
    m = get(new_repos, path);
    if (!m)
        return -ENOENT;
    m->shown &= ~part;
    m->unlinked |= part;
    m->unlinker = who;
    return 0;
}
