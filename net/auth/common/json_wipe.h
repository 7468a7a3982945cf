/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_JSON_WIPE_H
#define OFS_JSON_WIPE_H

/*
 * From the first call on, whatever jansson frees is wiped before.  It copies
 * each string of a document several times on its way in and out, and passwords
 * and tokens are among them; only its allocator sees all of these copies.
 *
 * For the whole process, and not undone.  Call it when objects are built,
 * before threads parse documents: jansson keeps its allocator in plain
 * variables.  Thread-safe with itself.
 */
void ofs_json_wipe_start(void);

#endif
