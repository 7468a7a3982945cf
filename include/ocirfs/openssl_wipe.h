/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_OPENSSL_WIPE_H
#define OFS_OPENSSL_WIPE_H

/*
 * OpenSSL wipes what it frees.  Its decoders free copies of a private key as
 * they are.
 */

/* Once, for the whole process, before anything uses OpenSSL: before ofs_http
 * and any thread. */
void ofs_openssl_wipe_start(void);

#endif
