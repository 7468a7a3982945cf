/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_LOGRING_H
#define OFS_LOGRING_H

#include "ocirfs/log.h"

/* Keep a line that somebody may want to read later (/.ocirfs/errors). */
void ofs_logring_add(enum ofs_log_level level, const char *text);

#endif
