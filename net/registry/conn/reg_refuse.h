/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_REFUSE_H
#define OFS_REG_REFUSE_H

/* An answer that refuses becomes an error with the registry's words and, where
 * somebody knows any, advice. */

#include "registry_priv.h"

/* Record the refusal of an answer (reg_error.h), with advice for a 403; `scope`
 * is that of its token. */
int ofs_reg_refuse(const struct reg_end *end, const char *what,
                   const char *scope, const struct ofs_http_resp *resp,
                   struct ofs_err *err);
/* The same of a request that begins to change something. */
int ofs_reg_refuse_change(const struct reg_end *end, const char *what,
                          const char *scope, const struct ofs_http_resp *resp,
                          struct ofs_err *err);

#endif
