/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_LOCATION_H
#define OFS_REG_LOCATION_H

/*
 * What the answers within an upload say: where it goes on and how far it got.
 * Pure; takes foreign bytes.  Source: OCI distribution-spec v1.1.1, "Pushing
 * blobs".
 */

#include "ocirfs/digest.h"
#include "ocirfs/url.h"

/*
 * The URL to go on with: `location` (absolute or relative, its query kept)
 * seen from `from`.  A registry behind a proxy that ends TLS may write "http:"
 * before its own name; that is taken for `from`'s origin.  -EBADMSG: no
 * location, no URL, or one where none may be sent (ofs_url_may_redirect).
 */
int ofs_reg_location(const struct ofs_url *from, const char *location,
                     struct ofs_url *ret, struct ofs_err *err) OFS_MUST_CHECK;

/* `url` with "digest=<digest>" behind its query; owned; NULL: no memory. */
char *ofs_reg_with_digest(const char *url, const struct ofs_digest *digest);

/*
 * "0-1023" or "bytes=0-1023": how many bytes have been received, 1024.
 * -ENODATA for "0-0", which is nothing to some registries and one byte to
 * others, and without a value; -EBADMSG.
 */
int ofs_reg_received(const char *range, uint64_t *ret) OFS_MUST_CHECK;

#endif
