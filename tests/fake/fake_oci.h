/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_FAKE_OCI_H
#define OFS_FAKE_OCI_H

/*
 * The lists of Oracle's control plane inside the test program: compartments,
 * repositories, images, the namespace.  It checks no signature; the emulator
 * in tests/emulator does.  Rows that are there can be shown in pages, with
 * empty pages between.  What else it should say is a route or a fault of its
 * server.  Thread-safe.
 */

#include "fake_server.h"

struct fake_oci;

#define FAKE_OCI_TENANCY   "ocid1.tenancy.oc1..fake"
#define FAKE_OCI_NAMESPACE "ns"

struct fake_oci *fake_oci_start(void);
void fake_oci_free(struct fake_oci *o);
OFS_DEFINE_AUTO(struct fake_oci, fake_oci_free)

struct fake_server *fake_oci_server(struct fake_oci *o);

/* `parent` NULL: the tenancy.  The OCID of one called x is "ocid1.c.x". */
void fake_oci_compartment(struct fake_oci *o, const char *name,
                          const char *parent, const char *state);
/* In the compartment of that OCID; the OCID of r is "ocid1.r.r". */
void fake_oci_repository(struct fake_oci *o, const char *name,
                         const char *compartment);
void fake_oci_remove(struct fake_oci *o, const char *name); /* a repository */

/* So many rows on a page, and an empty page before each; 0: all at once. */
void fake_oci_pages(struct fake_oci *o, unsigned rows, bool empty);

#endif
