/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ORA_IMDS_H
#define OFS_ORA_IMDS_H

/*
 * The instance metadata service, version 2: plain http on a link-local
 * address, never through a proxy.  Source: OCI documentation, "Instance
 * Metadata"; Oracle's SDKs.
 */

#include "ocirfs/buf.h"
#include "ocirfs/call.h"
#include "ocirfs/http.h"

/* NULL: the address every instance has. */
#define OFS_ORA_IMDS_URL "http://169.254.169.254/opc/v2/"

/*
 * One document, e.g. "instance/region".  -ENOENT, -ETIMEDOUT and the like when
 * there is no such service: this is no instance.
 */
int ofs_ora_imds_get(struct ofs_http *http, struct ofs_call *call,
                     const char *base, const char *path, struct ofs_buf *b,
                     struct ofs_err *err) OFS_MUST_CHECK;

#endif
