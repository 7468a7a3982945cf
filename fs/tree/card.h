/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CARD_H
#define OFS_CARD_H

/*
 * What the control plane tells of one repository when it is asked for it: more
 * than lists do.  Kept for the ttl, and for when nobody answers.  Thread-safe.
 */

#include "tree_priv.h"

#include "ocirfs/oracle.h"

struct ofs_cards;

struct ofs_cards *ofs_cards_new(void); /* NULL: no memory */
void ofs_cards_free(struct ofs_cards *c);

/* Have the card of a repository, as ofs_listing_want has a listing. */
int ofs_card_want(struct ofs_tree *t, struct ofs_call *call, const char *path,
                  struct ofs_err *err) OFS_MUST_CHECK;
/* The same, but asked now: for whoever is about to change something. */
int ofs_card_ask(struct ofs_tree *t, struct ofs_call *call, const char *path,
                 struct ofs_err *err) OFS_MUST_CHECK;
void ofs_card_forget(struct ofs_tree *t, const char *path); /* it changed */

/*
 * Call fn(repository, arg) with what is known, if anything is, however old
 * (fn NULL: nothing).
 * fn runs with a mutex held: it copies and returns.  False: nothing
 * is known.
 */
bool ofs_card_look(struct ofs_tree *t, const char *path,
                   void (*fn)(const struct ofs_ora_repository *repo, void *arg),
                   void *arg);

/* Is it known that its tags cannot be moved? */
bool ofs_card_is_immutable(struct ofs_tree *t, const char *path);

#endif
