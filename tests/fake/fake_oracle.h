/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_ORACLE_H
#define OFS_FAKE_ORACLE_H

/*
 * The lists of Oracle's control plane inside the test program: compartments,
 * repositories, images, the namespace.  It checks no signature; the emulator
 * in tests/emulator does.  Rows that are there can be shown in pages, with
 * empty pages between.  What else it should say is a route or a fault of its
 * server.  Thread-safe.
 */

#include "fake_server.h"

struct fake_oracle;

#define FAKE_ORACLE_TENANCY   "ocid1.tenancy.oc1..fake"
#define FAKE_ORACLE_NAMESPACE "ns"

struct fake_oracle *fake_oracle_start(void);
void fake_oracle_free(struct fake_oracle *o);
OFS_DEFINE_AUTO(struct fake_oracle, fake_oracle_free)

struct fake_server *fake_oracle_server(struct fake_oracle *o);

/* `parent` NULL: the tenancy.  The OCID of one called x is "ocid1.c.x". */
void fake_oracle_compartment(struct fake_oracle *o, const char *name,
                             const char *parent, const char *state);
/* In the compartment of that OCID; the OCID of r is "ocid1.r.r". */
void fake_oracle_repository(struct fake_oracle *o, const char *name,
                            const char *compartment);
void fake_oracle_remove(struct fake_oracle *o,
                        const char *name); /* a repository */

/* So many rows on a page, and an empty page before each; 0: all at once. */
void fake_oracle_pages(struct fake_oracle *o, unsigned rows, bool empty);

#endif
