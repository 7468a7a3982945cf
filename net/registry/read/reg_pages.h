/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_REG_PAGES_H
#define OFS_REG_PAGES_H

/* Lists that come in pages. */

#include "registry_priv.h"

#include "taglist.h"

struct reg_walk {
    struct reg_end *end;
    struct ofs_call *call;
    const char *scope, *what;
    const char *const *headers;
    const char *list;   /* URL without query */
    size_t n;           /* names to ask for on a page; 0: say nothing */
    bool ends_with_404; /* a further page that is not there is the end */
    /* Takes one page; fills in what leads to the next.  */
    int (*take)(void *arg, const struct ofs_http_resp *resp,
                struct reg_page *ret, struct ofs_err *err);
    void *arg;
};

/*
 * Ask for all pages of a list.  -EFBIG: it pages in circles or does not end;
 * else as ofs_reg_do() or as `take` returned.
 */
int ofs_reg_walk(const struct reg_walk *w, struct ofs_err *err) OFS_MUST_CHECK;

#endif
