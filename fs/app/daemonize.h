/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_DAEMONIZE_H
#define OFS_DAEMONIZE_H

/*
 * Going to the background without losing the caller: the child does all the
 * work of starting, with the caller's stderr, and the parent ends with success
 * only when the child says that the mount is there.  Forked before the first
 * thread, since threads do not survive a fork.
 */

struct ofs_daemon {
    int pipe; /* child: where "ready" goes; -1: not daemonised */
};

/*
 * 0 in the child.  1 in the parent, after the child is ready or has ended:
 * *ret_status is the exit status to end with.  Negative errno.
 */
int ofs_daemon_begin(struct ofs_daemon *d, int *ret_status);

/* In the child: cut loose from terminal and directory, let the parent end. */
void ofs_daemon_ready(struct ofs_daemon *d);

#endif
