/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CATALOG_H
#define OFS_CATALOG_H

/*
 * Which repositories a plain registry has: those the user named, those of its
 * catalog, or nobody knows.  Thread-safe.
 */

#include "ocirfs/lock.h"

#include "backend.h"
#include "listing.h"

struct ofs_registry;

struct ofs_catalog {
    struct ofs_sync *sync; /* these are set before init; borrowed */
    struct ofs_store *store;
    struct ofs_registry *registry;
    char *url;      /* names the note; owned */
    char *note_key; /* owned; NULL: not known whose it is; guarded by mtx */

    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_listing list;
    struct ofs_strv names; /* sorted */
    bool none;             /* the registry shows no catalog */
    int64_t changed_s;
};

int ofs_catalog_init(struct ofs_catalog *c,
                     const struct ofs_strv *named) OFS_MUST_CHECK;
void ofs_catalog_done(struct ofs_catalog *c);

/* Have the names as ofs_listing_want has a listing. */
int ofs_catalog_want(struct ofs_catalog *c, struct ofs_call *call,
                     struct ofs_err *err) OFS_MUST_CHECK;
bool ofs_catalog_is_known(struct ofs_catalog *c);
/* What the names say of `path`, and for how long; no network. */
void ofs_catalog_search(struct ofs_catalog *c, const char *path,
                        struct ofs_ns *ret);
int ofs_catalog_parts(struct ofs_catalog *c, const char *path,
                      struct ofs_strv *ret) OFS_MUST_CHECK;
/* When the names were seen to change; 0: never. */
int64_t ofs_catalog_changed_s(struct ofs_catalog *c);

/* ---- catalog_note.c ---- */

int ofs_note_format_names(const struct ofs_strv *names, bool none,
                          struct ofs_buf *b);
int ofs_note_parse_names(const char *text, size_t len, struct ofs_strv *ret,
                         bool *ret_none);
void ofs_note_catalog(struct ofs_catalog *c);
void ofs_note_load_catalog(struct ofs_catalog *c);

#endif
