/* SPDX-License-Identifier: Apache-2.0 */
#include "archive_members.h"

#include "tarball.h"
#include "tarname.h"

#include <ctype.h>

enum {
    MAX_MEMBERS = 65536,
    MAX_NAME_BYTES = 8 * 1024 * 1024,
    MAX_DOC_BYTES = 4 * 1024 * 1024, /* of one; a registry takes no more */
    MAX_DOCS_BYTES = 16 * 1024 * 1024,
    PEEK_BYTES = 64,
    MAX_LINKS = 8, /* from one to the next */
};

static void member_free(struct ofs_member *f)
{
    if (!f)
        return;
    free(f->target);
    free(f->doc);
    free(f);
}
OFS_DEFINE_AUTO(struct ofs_member, member_free)

static void free_value(void *value)
{
    member_free(value);
}

void ofs_members_done(struct ofs_members *m)
{
    if (m->by_name)
        ofs_map_free(m->by_name, free_value);
    *m = (struct ofs_members){ 0 };
}

static bool looks_like_json(const char *text, size_t len)
{
    size_t i = 0;

    while (i < len && isspace((unsigned char)text[i]))
        i++;
    return i < len && (text[i] == '{' || text[i] == '[');
}

static int read_all(struct ofs_tarball *t, char *buf, size_t len,
                    struct ofs_err *err)
{
    size_t n;

    for (size_t at = 0; at < len; at += n) {
        int r = ofs_tarball_read(t, buf + at, len - at, &n, err);

        if (r < 0)
            return r;
        if (n == 0)
            return ofs_err_set(err, -EINVAL, "the archive is cut short");
    }
    return 0;
}

/* Keep the content if it is JSON and there is room. */
static int keep_doc(struct ofs_members *m, struct ofs_tarball *t,
                    struct ofs_member *f, struct ofs_err *err)
{
    size_t len = (size_t)f->size;
    size_t peek = len < PEEK_BYTES ? len : PEEK_BYTES;
    char head[PEEK_BYTES];
    int r = read_all(t, head, peek, err);

    if (r < 0 || !looks_like_json(head, peek))
        return r;
    f->doc = malloc(len + 1);
    if (!f->doc)
        return ofs_err_nomem(err, "an archive");
    memcpy(f->doc, head, peek);
    r = read_all(t, f->doc + peek, len - peek, err);
    f->doc[len] = '\0';
    f->doc_len = len;
    m->doc_bytes += len;
    return r;
}

static int follow(struct ofs_member *f, const char *name,
                  const struct ofs_tar_member *member, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf target = OFS_BUF_INIT(2 * OFS_TARNAME_MAX);
    bool soft = member->kind == OFS_TAR_SYMLINK;
    int r = ofs_tarname(soft ? name : NULL, member->target, &target, err);

    if (r < 0)
        return r;
    f->target = strdup(ofs_buf_str(&target));
    return f->target ? 0 : ofs_err_nomem(err, "an archive");
}

/* A later member replaces an earlier one of its name, as with tar. */
static int put(struct ofs_members *m, const char *name, struct ofs_member *f,
               struct ofs_err *err)
{
    void *old = NULL;

    if (ofs_map_put(m->by_name, name, f, &old) < 0) {
        member_free(f);
        return ofs_err_nomem(err, "an archive");
    }
    member_free(old);
    return 0;
}

static int count_name(struct ofs_members *m, size_t len, struct ofs_err *err)
{
    m->n++;
    m->name_bytes += len;
    if (m->n <= MAX_MEMBERS && m->name_bytes <= MAX_NAME_BYTES)
        return 0;
    return ofs_err_set(err, -EFBIG,
                       "the archive has more than %d members, or more than "
                       "%d MiB of names",
                       MAX_MEMBERS, MAX_NAME_BYTES >> 20);
}

static int add_member(struct ofs_members *m, struct ofs_tarball *t,
                      const struct ofs_tar_member *member, const char *name,
                      struct ofs_err *err)
{
    OFS_AUTO(member_freep) struct ofs_member *f = calloc(1, sizeof(*f));
    int r = 0;

    if (!f)
        return ofs_err_nomem(err, "an archive");
    f->size = member->size;
    f->place = m->n;
    if (member->kind != OFS_TAR_FILE)
        r = follow(f, name, member, err);
    else if (f->size <= MAX_DOC_BYTES &&
             f->size <= MAX_DOCS_BYTES - m->doc_bytes)
        r = keep_doc(m, t, f, err);
    return r < 0 ? r : put(m, name, ofs_take(&f), err);
}

/* Directories and devices count, and their names are looked at. */
static int add(struct ofs_members *m, struct ofs_tarball *t,
               const struct ofs_tar_member *member, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf name = OFS_BUF_INIT(2 * OFS_TARNAME_MAX);
    int r = ofs_tarname(NULL, member->name, &name, err);

    if (r == 0)
        r = count_name(m, name.len, err);
    if (r < 0 || member->kind == OFS_TAR_OTHER || name.len == 0)
        return r;
    return add_member(m, t, member, ofs_buf_str(&name), err);
}

int ofs_members_read(struct ofs_members *m, struct ofs_tarball *t,
                     struct ofs_err *err)
{
    struct ofs_tar_member member;
    int r;

    m->by_name = ofs_map_new();
    if (!m->by_name)
        return ofs_err_nomem(err, "an archive");
    while ((r = ofs_tarball_next(t, &member, err)) > 0) {
        r = add(m, t, &member, err);
        if (r < 0)
            break;
    }
    return r;
}

struct ofs_member *ofs_members_find(const struct ofs_members *m,
                                    const char *name)
{
    for (int i = 0; i < MAX_LINKS; i++) {
        struct ofs_member *f = ofs_map_get(m->by_name, name);

        if (!f || !f->target)
            return f;
        name = f->target;
    }
    return NULL;
}

int ofs_members_doc(const struct ofs_members *m, const char *name,
                    struct ofs_member **ret, struct ofs_err *err)
{
    struct ofs_member *f = ofs_members_find(m, name);

    if (!f)
        return ofs_err_set(err, -EINVAL, "the archive lacks '%.150s'", name);
    if (!f->doc && f->size > MAX_DOC_BYTES)
        return ofs_err_set(err, -EFBIG, "'%.150s' has %llu bytes, limit %d",
                           name, (unsigned long long)f->size, MAX_DOC_BYTES);
    if (!f->doc && f->size > MAX_DOCS_BYTES - m->doc_bytes)
        return ofs_err_set(err, -EFBIG,
                           "the archive has more than %d MiB of JSON",
                           MAX_DOCS_BYTES >> 20);
    if (!f->doc)
        return ofs_err_set(err, -EINVAL, "'%.150s' is not JSON", name);
    *ret = f;
    return 0;
}
