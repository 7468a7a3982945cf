/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_TENANCY_PRIV_H
#define OFS_TENANCY_PRIV_H

/*
 * The state behind tenancy.h, for the files that ask (tenancy_ask.c), note
 * (tenancy_note.c) and answer (tenancy.c).
 */

#include "ocirfs/lock.h"
#include "ocirfs/map.h"

#include "comptree.h"
#include "listing.h"
#include "notelines.h"
#include "tenancy.h"
#include "ttlcache.h"

enum { OFS_WHY_MAX = OFS_ERR_LINE_MAX };

/* What a user may miss, and is told of once. */
enum ofs_tenancy_trouble {
    OFS_NO_COMPARTMENTS,
    OFS_NO_REPOSITORIES,
    OFS_FREE_TIER,
    OFS_TENANCY_TROUBLE_N,
};

/* The repositories of one compartment; lives as long as the tenancy. */
struct ofs_scope {
    char *id, *key; /* immutable; the key of its flight */
    /* Guarded by tenancy.mtx: */
    struct ofs_listing list; /* when it is asked for by itself */
    struct ofs_strv names;   /* display names, sorted; made from repos */
    char why[OFS_WHY_MAX];   /* its list was refused; "": it was not */
    int64_t changed_s;       /* its names were seen to change; 0: never */
};

struct ofs_tenancy {
    struct ofs_backend base;
    /* Immutable: */
    struct ofs_ora *ora;
    char *id, *wanted; /* the tenancy's OCID; what to mount, or NULL */
    bool is_named;     /* the user said which repositories to show */
    void (*warn)(void *arg, const char *sentence);
    void *warn_arg;
    /* By path, as repo_details.h, image_list.h; by "path:tag". */
    struct ofs_ttlcache *repo_details, *image_lists, *image_details;

    struct ofs_mutex mtx; /* rank NODE; guards all below */
    struct ofs_listing list;
    struct ofs_strv named; /* these; display names, sorted */
    char *ns;              /* NULL: not said yet */
    struct ofs_ora_compartments raw;
    struct ofs_comptree tree;
    struct ofs_map *scopes;  /* OCID -> struct ofs_scope */
    struct ofs_map *repos;   /* display name -> struct ofs_ora_repository */
    bool each;               /* there is no list of all repositories, so ... */
    int64_t each_at_ms;      /* ... as was said then */
    char why[OFS_WHY_MAX];   /* nor one of any compartment; "": there may be */
    struct ofs_digest noted; /* of the note on disk; or none */
    char *note_key;          /* owned; NULL: not known whose it is */
    uint64_t changes;        /* that we made ourselves */
    char words[OFS_TENANCY_TROUBLE_N][OFS_WHY_MAX]; /* the service's, or "" */
    bool checking;   /* the words wait for how the check ends */
    unsigned warned; /* 1 << enum ofs_tenancy_trouble */
};

/* What the control plane said at once; owned. */
struct ofs_tenancy_answer {
    struct ofs_ora_compartments compartments;
    struct ofs_ora_repositories repos;
    bool no_compartments;  /* we may not list them: what was known stays */
    bool no_repos;         /* there is no list of all: likewise */
    bool not_asked;        /* because that was said a while ago */
    char why[OFS_WHY_MAX]; /* nor one of any; "": there may be */
};
void ofs_tenancy_answer_done(struct ofs_tenancy_answer *a);

/*
 * Make `a` what is known; what it holds may be taken out.  -ENOENT: there is
 * no compartment as it is wanted.
 */
int ofs_tenancy_take(struct ofs_tenancy *n, struct ofs_tenancy_answer *a,
                     int64_t asked_ms) OFS_MUST_CHECK;
/* Likewise of the repositories of one compartment; `why` refused, or NULL. */
int ofs_tenancy_take_scope(struct ofs_tenancy *n, struct ofs_scope *s,
                           struct ofs_ora_repositories *repos, const char *why,
                           int64_t asked_ms) OFS_MUST_CHECK;

/* We made one (what *repo holds is taken out), deleted or moved one. */
int ofs_tenancy_put(struct ofs_tenancy *n,
                    struct ofs_ora_repository *repo) OFS_MUST_CHECK;
void ofs_tenancy_remove(struct ofs_tenancy *n, const char *path);
int ofs_tenancy_moved(struct ofs_tenancy *n, const char *path,
                      const char *compartment) OFS_MUST_CHECK;

void ofs_tenancy_repo_free(void *arg);

/* With mtx held, as the next one: where a repository is shown, or NULL. */
const struct ofs_compartment *
ofs_tenancy_home(const struct ofs_tenancy *n,
                 const struct ofs_ora_repository *repo);

/* Of a path; NULL: it is not listed. */
const struct ofs_ora_repository *ofs_tenancy_repo(const struct ofs_tenancy *n,
                                                  const char *path);

/* "web" of "<namespace>/web"; NULL: the path has another beginning. */
const char *ofs_tenancy_display(const struct ofs_tenancy *n, const char *path);

/* ---- tenancy_note.c ---- */

/* With mtx held. */
int ofs_note_format_tenancy(const struct ofs_tenancy *n, struct ofs_buf *b);
struct ofs_tenancy_note {
    char *ns;                        /* NULL: not known */
    bool each;                       /* as tenancy.each; then ... */
    struct ofs_strv asked;           /* ... these were asked, OCIDs */
    struct ofs_tenancy_answer known; /* whatever was */
};
void ofs_tenancy_note_done(struct ofs_tenancy_note *n);
/* -EBADMSG.  A line that cannot be read is passed over. */
int ofs_note_parse_tenancy(const char *text, size_t len,
                           struct ofs_tenancy_note *ret);
/* Write the note when it has changed. */
void ofs_note_tenancy(struct ofs_tenancy *n);

#endif
