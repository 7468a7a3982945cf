/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TAGTABLE_H
#define OFS_TAGTABLE_H

/*
 * What is known of the tags of one repository: a sorted array.  A tag may be
 * there because a listing named it, because it was asked for by name, or
 * both.  Knows no time and no network; not thread-safe.
 */

#include "ocirfs/digest.h"
#include "ocirfs/str.h"

/* What a tag names. */
struct ofs_tag_info {
    struct ofs_digest digest; /* of the manifest */
    uint64_t size;            /* of the manifest, bytes */
    int64_t mtime_s;
    bool undated;     /* what would tell the time could not be had */
    char *media_type; /* owned */
};

void ofs_tag_info_done(struct ofs_tag_info *info);
#define OFS_AUTOTAGINFO OFS_AUTO(ofs_tag_info_done)
/* -ENOMEM */
int ofs_tag_info_copy(const struct ofs_tag_info *from,
                      struct ofs_tag_info *ret) OFS_MUST_CHECK;
/* Does the same manifest stand behind both? */
bool ofs_tag_info_eq(const struct ofs_tag_info *a,
                     const struct ofs_tag_info *b);

struct ofs_tag {
    char *name; /* owned */
    bool known; /* info and at_ms are filled in */
    int64_t at_ms;
    bool hinted; /* it was not the registry that said so */
    bool ours;   /* we pushed it, so only the registry is to be asked */
    struct ofs_tag_info info;
    int refused;        /* errno of a manifest that cannot be had; or 0 */
    int64_t refused_at; /* when */
    int64_t refused_ms; /* for how long nobody asks again */
    char *why;          /* in the registry's words; owned; may be NULL */
    bool told;          /* that it is left out of what is made of all */
};

struct ofs_tags {
    struct ofs_tag *at; /* sorted by name (bytes) */
    size_t n;
    size_t room;
};

void ofs_tags_done(struct ofs_tags *t);

struct ofs_tag *ofs_tags_find(const struct ofs_tags *t, const char *name);
/* Find or make; NULL: no memory.  Pointers to other tags end. */
struct ofs_tag *ofs_tags_need(struct ofs_tags *t, const char *name);
void ofs_tags_remove(struct ofs_tags *t, const char *name);

/*
 * Make the table hold exactly the names of a sorted list without duplicates;
 * what is known of those that stay, stays.  *ret_changed: were there others
 * before?  -ENOMEM: as it was.
 */
int ofs_tags_set_names(struct ofs_tags *t, const struct ofs_strv *names,
                       bool *ret_changed) OFS_MUST_CHECK;

/* `info` (owned from here on, also on failure) is what `tag` names, as the
 * registry says. */
void ofs_tag_set(struct ofs_tag *tag, int64_t at_ms, struct ofs_tag_info *info);

/* It cannot be had: `code`, which is good for `for_ms`, and why. */
struct ofs_tag_no {
    int code;
    int64_t at_ms, for_ms;
    const char *why;
};
void ofs_tag_refuse(struct ofs_tag *tag, const struct ofs_tag_no *no);

#endif
