/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_PUSH_PRIV_H
#define OFS_PUSH_PRIV_H

/*
 * What struct ofs_push is made of.  The parts know each other only as far as
 * the pointers in them tell; only push_open, commit_* and waiting know all.
 *
 *   stage   the directory on disk         drafts  files that are being written
 *   remote  content the registry has      pub     manifests and tags
 *   jobs    what was asked for            resumer goes on with what is left
 *
 * Locks: one of the queue, of what is known or of the senders, then one of a
 * draft or a stream; none is held across the disk, the network or a hook.
 */

#include "resume.h"

struct ofs_push {
    struct ofs_push_cfg cfg; /* immutable; its strings are owned below */
    char *url;
    struct ofs_stage stage;
    struct ofs_senders senders;
    struct ofs_remote remote;
    struct ofs_drafts drafts;
    struct ofs_publisher pub;
    struct ofs_jobs jobs;
    struct ofs_resumer resumer;
};

#endif
