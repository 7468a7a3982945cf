/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Notes: what the registry last said, for a day when it cannot be asked.
 *
 *     ocirfs tags 1 listed
 *     1.4.2 sha256:<hex> 1155 1735689600 application/vnd.oci.image...
 *     latest
 *
 * A tag of which nothing but the name is known stands alone.  `partly` instead
 * of `listed`: the tags that were asked for, not all.  A line that cannot be
 * read is passed over.
 */
#include "tags_note.h"

#include "ocirfs/ref.h"
#include "ocirfs/registry.h"
#include "ocirfs/store.h"

#include "notelines.h"

#include <inttypes.h>

enum {
    /* A note is written anew as a whole, so not at each tag. */
    NOTE_PAUSE_MS = 1000,
};

static const char tags_listed[] = "ocirfs tags 1 listed";
static const char tags_partly[] = "ocirfs tags 1 partly";

int ofs_note_format_tags(const struct ofs_repo *repo, struct ofs_buf *b)
{
    char digest[OFS_DIGEST_TEXT_MAX];

    (void)ofs_buf_addf(b, "%s\n",
                       repo->list.state == OFS_LIST_KNOWN ? tags_listed
                                                          : tags_partly);
    for (size_t i = 0; i < repo->tags.n; i++) {
        const struct ofs_tag *tag = &repo->tags.at[i];

        (void)ofs_buf_adds(b, tag->name);
        if (tag->known && ofs_note_is_word(tag->info.media_type))
            (void)ofs_buf_addf(b, " %s %" PRIu64 " %" PRId64 " %s",
                               ofs_digest_format(&tag->info.digest, digest),
                               tag->info.size,
                               tag->info.undated ? 0 : tag->info.mtime_s,
                               tag->info.media_type);
        (void)ofs_buf_addc(b, '\n');
    }
    return b->failed;
}

static int parse_info(char *rest, struct ofs_tag_info *ret)
{
    const char *digest = ofs_note_word(&rest), *size = ofs_note_word(&rest);
    const char *mtime = ofs_note_word(&rest);
    uint64_t mtime_s;

    if (!digest || !size || !mtime || !rest || !ofs_note_is_word(rest) ||
        ofs_digest_parse(digest, &ret->digest, NULL) < 0 ||
        ofs_str_u64(size, &ret->size) < 0 || ofs_str_u64(mtime, &mtime_s) < 0 ||
        mtime_s > INT64_MAX)
        return -EBADMSG;
    ret->mtime_s = (int64_t)mtime_s;
    ret->undated = mtime_s == 0; /* perhaps it can be had another day */
    ret->media_type = strdup(rest);
    return ret->media_type ? 0 : -ENOMEM;
}

static int parse_tag(char *line, struct ofs_tags *tags)
{
    OFS_AUTOTAGINFO struct ofs_tag_info info = { 0 };
    char *rest = line, *name = ofs_note_word(&rest);
    struct ofs_tag *tag;
    bool known;

    if (!ofs_tag_is_valid(name))
        return 0;
    known = parse_info(rest, &info) == 0;
    tag = ofs_tags_need(tags, name);
    if (!tag)
        return -ENOMEM;
    if (known)
        ofs_tag_set(tag, OFS_LONG_AGO, &info);
    return 0;
}

int ofs_note_parse_tags(const char *text, size_t len, struct ofs_repo *repo)
{
    OFS_AUTOBUF struct ofs_buf line = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    bool listed;
    int r = 0;

    if (!ofs_note_line(&text, &len, &line))
        return -EBADMSG;
    listed = strcmp(ofs_buf_str(&line), tags_listed) == 0;
    if (!listed && strcmp(ofs_buf_str(&line), tags_partly) != 0)
        return -EBADMSG;
    while (r == 0 && ofs_note_line(&text, &len, &line))
        if (line.len > 0)
            r = parse_tag(line.data, &repo->tags);
    if (r == 0 && listed)
        ofs_listing_said(&repo->list, OFS_LONG_AGO, 0);
    return r;
}

/* ---- from and to the store; a note that fails is only a note less ---- */

static void put(struct ofs_repos *repos, const char *key,
                const struct ofs_buf *b)
{
    int r = ofs_store_note_put(repos->store, key, b->data, b->len);

    (void)r;
}

/* Of whoever we are: what one may see is not for everybody who shares the
 * cache.  NULL: nobody knows who. */
static char *tags_key(const struct ofs_repos *repos,
                      const struct ofs_repo *repo)
{
    char who[OFS_DIGEST_TEXT_MAX];
    struct ofs_digest d;

    if (ofs_registry_who(repos->registry, NULL, repo->path, &d) < 0)
        return NULL;
    return ofs_strf("tags %s %s of %s", repos->url, repo->path,
                    ofs_digest_format(&d, who));
}

static bool is_due(struct ofs_repos *repos, struct ofs_repo *repo, bool now)
{
    int64_t now_ms = ofs_sync_now(repos->sync);

    OFS_GUARD(&repo->mtx);
    return repo->dirty &&
           (now || ofs_fresh_left(repo->noted_ms, now_ms, NOTE_PAUSE_MS) == 0);
}

static bool format(struct ofs_repos *repos, struct ofs_repo *repo,
                   const char *key, struct ofs_buf *b)
{
    int64_t now_ms = ofs_sync_now(repos->sync);

    OFS_GUARD(&repo->mtx);
    if (!repo->dirty || !ofs_note_is_of(&repo->note_key, key))
        return false;
    repo->dirty = false;
    repo->noted_ms = now_ms;
    return ofs_note_format_tags(repo, b) == 0;
}

void ofs_note_tags(struct ofs_repos *repos, struct ofs_repo *repo, bool now)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    OFS_AUTOFREE char *key = NULL;

    if (!is_due(repos, repo, now))
        return;
    key = tags_key(repos, repo);
    if (format(repos, repo, key, &b))
        put(repos, key, &b);
}

void ofs_note_load_tags(struct ofs_repos *repos, struct ofs_repo *repo)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(OFS_NOTE_MAX_BYTES);
    OFS_AUTOFREE char *key = tags_key(repos, repo);
    int64_t age_s;

    if (ofs_note_is_of(&repo->note_key, key) &&
        ofs_store_note_get(repos->store, key, &b, &age_s) == 0)
        (void)ofs_note_parse_tags(b.data, b.len, repo);
}
