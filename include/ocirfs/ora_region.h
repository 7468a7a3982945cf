/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_REGION_H
#define OFS_ORA_REGION_H

/*
 * Regions of Oracle's cloud: key <-> identifier -> realm and domain, and the
 * host names of the services that follow from them.  Pure; the table is made
 * at build time from net/auth/oracle/oracle-regions.csv.
 *
 * Source: Oracle's TypeScript SDK oci-common 2.142.1, region table and
 * endpoint templates.
 */

#include "ocirfs/err.h"

struct ofs_ora_region {
    char key[16];        /* "gru"; "" when not known */
    char identifier[64]; /* "sa-saopaulo-1" */
    char domain[64];     /* second level domain: "oraclecloud.com" */
};

enum ofs_ora_service {
    OFS_ORA_IDENTITY,
    OFS_ORA_ARTIFACTS,
    OFS_ORA_OBJECTSTORAGE,
    OFS_ORA_AUTH,
    OFS_ORA_REGISTRY,
};

struct ofs_ora_region_cfg {
    const char *metadata;      /* $OCI_REGION_METADATA: one object, or NULL */
    const char *default_realm; /* $OCI_DEFAULT_REALM: a domain, or NULL */
    const char *config_file;   /* ~/.oci/regions-config.json, or NULL */
};

/*
 * A region by key or identifier, any case.  What the table does not know is
 * looked for in `cfg` (may be NULL), then taken as an identifier of the
 * default realm, or, when it contains a dot, as the whole suffix.  -EINVAL:
 * not even the form of a region.
 */
int ofs_ora_region_find(const char *name, const struct ofs_ora_region_cfg *cfg,
                        struct ofs_ora_region *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;

/*
 * Is `source` OCIR, and of which region?  Takes "gru", "sa-saopaulo-1",
 * "gru.ocir.io", "sa-saopaulo-1.ocir.io" and
 * "ocir.sa-saopaulo-1.oci.oraclecloud.com".  -ENOENT: no.
 */
int ofs_ora_region_of_source(const char *source,
                             const struct ofs_ora_region_cfg *cfg,
                             struct ofs_ora_region *ret) OFS_MUST_CHECK;

/* "https://artifacts.sa-saopaulo-1.oci.oraclecloud.com" (owned). */
int ofs_ora_endpoint(const struct ofs_ora_region *region,
                     enum ofs_ora_service service, char **ret) OFS_MUST_CHECK;

#endif
