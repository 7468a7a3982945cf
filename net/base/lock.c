/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/lock.h"

_Thread_local int ofs_rank_held;
