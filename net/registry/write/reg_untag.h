/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_UNTAG_H
#define OFS_REG_UNTAG_H

/* What an answer to DELETE by tag means.  Pure. */

enum reg_untag_next {
    REG_UNTAG_FAIL,    /* it is the answer */
    REG_UNTAG_DONE,    /* taken away */
    REG_UNTAG_UNKNOWN, /* the registry does not do that */
};

enum reg_untag_next ofs_reg_untag_next(int status, const char *id);

#endif
