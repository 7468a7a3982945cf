/* SPDX-License-Identifier: Apache-2.0 */
#include "jobspec.h"

#include "ocirfs/ref.h"
#include "ocirfs/str.h"

#include <inttypes.h>

#define HEAD_LINE  "ocirfs-push 1\n"
#define CHECK_WORD "check "

enum {
    HAS_TAG = 1 << 0,
    HAS_FROM = 1 << 1,
    HAS_FILE = 1 << 2,
    ACKNOWLEDGED = 1 << 3,
};

static const struct {
    const char *name;
    unsigned flags;
} kinds[OFS_JOB_N] = {
    [OFS_JOB_BLOB] = { "blob", HAS_FILE },
    [OFS_JOB_MANIFEST] = { "manifest", HAS_FILE | ACKNOWLEDGED },
    [OFS_JOB_TAG] = { "tag", HAS_TAG | HAS_FILE },
    [OFS_JOB_WISH] = { "wish", HAS_TAG | ACKNOWLEDGED },
    [OFS_JOB_COPY] = { "copy", HAS_TAG | HAS_FROM },
    [OFS_JOB_KEEP] = { "keep", ACKNOWLEDGED },
};

bool ofs_job_is_acknowledged(enum ofs_job_kind kind)
{
    return kinds[kind].flags & ACKNOWLEDGED;
}

/* A tag is one thing, whatever sets it; the rest is wanted by digest. */
bool ofs_jobspec_same(const struct ofs_jobspec *a, const struct ofs_jobspec *b)
{
    if (strcmp(a->repo, b->repo) != 0 || strcmp(a->url, b->url) != 0)
        return false;
    if (a->tag || b->tag)
        return a->tag && b->tag && strcmp(a->tag, b->tag) == 0;
    return a->kind == b->kind && ofs_digest_eq(&a->digest, &b->digest);
}

void ofs_jobspec_done(struct ofs_jobspec *s)
{
    free(s->url);
    free(s->repo);
    free(s->tag);
    free(s->from);
    *s = (struct ofs_jobspec){ 0 };
}

/* ---- is it whole? ---- */

static bool is_line(const char *text)
{
    if (!text || !*text)
        return false;
    for (const char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || *p == 0x7f)
            return false;
    return true;
}

static bool is_complete(const struct ofs_jobspec *s)
{
    unsigned flags = kinds[s->kind].flags;

    if (!is_line(s->url) || !s->repo || !ofs_repo_is_valid(s->repo) ||
        s->digest.alg == 0)
        return false;
    if (flags & HAS_TAG ? !s->tag || !ofs_tag_is_valid(s->tag) : s->tag != NULL)
        return false;
    if (flags & HAS_FROM ? !s->from || !ofs_repo_is_valid(s->from)
                         : s->from != NULL)
        return false;
    return flags & HAS_FILE ? s->file > 0 : s->file == 0;
}

/* ---- to text ---- */

static void add_digest(struct ofs_buf *b, const char *key,
                       const struct ofs_digest *d)
{
    char text[OFS_DIGEST_TEXT_MAX];

    if (d->alg)
        (void)ofs_buf_addf(b, "%s %s\n", key, ofs_digest_format(d, text));
}

static void add_text(struct ofs_buf *b, const char *key, const char *value)
{
    if (value)
        (void)ofs_buf_addf(b, "%s %s\n", key, value);
}

static void add_number(struct ofs_buf *b, const char *key, uint64_t n)
{
    if (n > 0)
        (void)ofs_buf_addf(b, "%s %" PRIu64 "\n", key, n);
}

int ofs_jobspec_format(const struct ofs_jobspec *s, struct ofs_buf *b)
{
    size_t start = b->len;
    struct ofs_digest check;
    int r;

    if (!is_complete(s))
        return -EINVAL;
    (void)ofs_buf_adds(b, HEAD_LINE);
    add_text(b, "kind", kinds[s->kind].name);
    add_text(b, "url", s->url);
    add_text(b, "repo", s->repo);
    add_text(b, "tag", s->tag);
    add_text(b, "from", s->from);
    add_digest(b, "digest", &s->digest);
    add_digest(b, "old", &s->old);
    if (s->old_known && s->old.alg == 0)
        add_text(b, "old", "none");
    add_number(b, "size", s->size);
    add_number(b, "file", s->file);
    if (b->failed)
        return b->failed;
    r = ofs_digest_of(OFS_SHA256, b->data + start, b->len - start, &check);
    if (r < 0)
        return r;
    add_digest(b, "check", &check);
    return b->failed;
}

/* ---- from text ---- */

static int set_text(char **to, const char *value)
{
    if (*to)
        return -EBADMSG; /* twice */
    *to = strdup(value);
    return *to ? 0 : -ENOMEM;
}

static int set_digest(struct ofs_digest *to, const char *value)
{
    return to->alg ? -EBADMSG : ofs_digest_parse(value, to, NULL);
}

static int set_old(struct ofs_jobspec *s, const char *value)
{
    if (s->old_known)
        return -EBADMSG;
    s->old_known = true;
    return strcmp(value, "none") == 0 ? 0 : set_digest(&s->old, value);
}

static int set_number(uint64_t *to, const char *value)
{
    return *to || ofs_str_u64(value, to) < 0 || *to == 0 ? -EBADMSG : 0;
}

static int set_kind(struct ofs_jobspec *s, const char *value)
{
    if (s->kind != OFS_JOB_N)
        return -EBADMSG;
    for (size_t i = 0; i < OFS_JOB_N; i++)
        if (strcmp(kinds[i].name, value) == 0)
            s->kind = (enum ofs_job_kind)i;
    return s->kind == OFS_JOB_N ? -EBADMSG : 0;
}

static int set_field(struct ofs_jobspec *s, const char *key, const char *value)
{
    if (strcmp(key, "kind") == 0)
        return set_kind(s, value);
    if (strcmp(key, "url") == 0)
        return set_text(&s->url, value);
    if (strcmp(key, "repo") == 0)
        return set_text(&s->repo, value);
    if (strcmp(key, "tag") == 0)
        return set_text(&s->tag, value);
    if (strcmp(key, "from") == 0)
        return set_text(&s->from, value);
    if (strcmp(key, "digest") == 0)
        return set_digest(&s->digest, value);
    if (strcmp(key, "old") == 0)
        return set_old(s, value);
    if (strcmp(key, "size") == 0)
        return set_number(&s->size, value);
    if (strcmp(key, "file") == 0)
        return set_number(&s->file, value);
    return -EBADMSG;
}

/* `text`: all between the head line and the check; it is cut up. */
static int parse_lines(char *text, struct ofs_jobspec *s)
{
    char *end;

    for (char *line = text; *line; line = end + 1) {
        char *space = strchr(line, ' ');
        int r;

        end = strchr(line, '\n');
        if (!end || !space || space > end)
            return -EBADMSG;
        *space = *end = '\0';
        r = set_field(s, line, space + 1);
        if (r < 0)
            return r;
    }
    return 0;
}

/* Where the check begins, or NULL: not there, or not of what is before. */
static char *find_check(char *text, size_t len)
{
    size_t line = strlen(CHECK_WORD) + strlen("sha256:") + 64 + 1;
    struct ofs_digest want, is;
    char *check;

    /* A copy ends at the first NUL, which may be before `len`. */
    if (len < line + strlen(HEAD_LINE) || strlen(text) != len ||
        text[len - 1] != '\n' || !ofs_str_starts(text, HEAD_LINE))
        return NULL;
    check = text + len - line;
    text[len - 1] = '\0';
    if (!ofs_str_starts(check, CHECK_WORD) || check[-1] != '\n' ||
        ofs_digest_parse(check + strlen(CHECK_WORD), &want, NULL) < 0 ||
        ofs_digest_of(OFS_SHA256, text, (size_t)(check - text), &is) < 0)
        return NULL;
    return ofs_digest_eq(&want, &is) ? check : NULL;
}

int ofs_jobspec_parse(const char *text, size_t len, struct ofs_jobspec *ret)
{
    OFS_AUTO(ofs_jobspec_done) struct ofs_jobspec s = { .kind = OFS_JOB_N };
    OFS_AUTOFREE char *copy = NULL;
    char *check;
    int r;

    if (len > OFS_JOBSPEC_MAX_BYTES)
        return -EBADMSG;
    copy = strndup(text, len);
    if (!copy)
        return -ENOMEM;
    check = find_check(copy, len);
    if (!check)
        return -EBADMSG;
    *check = '\0';
    r = parse_lines(copy + strlen(HEAD_LINE), &s);
    if (r < 0)
        return r;
    if (s.kind == OFS_JOB_N || !is_complete(&s))
        return -EBADMSG;
    *ret = s;
    s = (struct ofs_jobspec){ 0 };
    return 0;
}
