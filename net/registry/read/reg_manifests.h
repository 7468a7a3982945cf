/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_MANIFESTS_H
#define OFS_REG_MANIFESTS_H

/* A manifest at the mirror, or at the source. */

#include "registry_priv.h"

/*
 * HEAD (or GET) at that end; `scope` as for reg_req; `doubts_absence`: a 404
 * to the HEAD is believed only when a GET says the same.
 */
int ofs_reg_manifest_head(struct reg_end *end, struct ofs_call *call,
                          const char *repo, const char *ref, const char *scope,
                          bool doubts_absence, struct ofs_manifest_info *ret,
                          struct ofs_err *err) OFS_MUST_CHECK;

/* GET and verify; `ret` is filled, with its bytes, on success. */
int ofs_reg_manifest_get(struct reg_end *end, struct ofs_call *call,
                         const char *repo, const char *ref,
                         struct ofs_manifest_info *ret,
                         struct ofs_err *err) OFS_MUST_CHECK;

#endif
