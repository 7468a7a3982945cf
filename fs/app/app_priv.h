/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_APP_PRIV_H
#define OFS_APP_PRIV_H

/* Inside fs/app: all objects of a mount, and who makes them. */

#include "app_oracle.h"
#include "status.h"

struct ofs_docker_auth;
struct ofs_http;
struct ofs_push;
struct ofs_registry;
struct ofs_session;
struct ofs_store;
struct ofs_tokens;
struct ofs_tree;

struct ofs_app {
    const struct ofs_options *o;
    const struct ofs_env *env;
    char *mountpoint;
    struct ofs_http *http;
    struct ofs_app_oracle ora;
    struct ofs_docker_auth *docker_auth;
    struct ofs_tokens *tokens;
    struct ofs_registry *registry;
    struct ofs_store *store;
    struct ofs_tree *tree;
    struct ofs_push *push; /* NULL on a mount that changes nothing */
    struct ofs_session *session;
    struct ofs_status status;
    struct ofs_strv mount_options;
};

/* The lower half: HTTP, who we are, the registry.  No thread but HTTP's. */
int ofs_app_build_net(struct ofs_app *a, struct ofs_err *err) OFS_MUST_CHECK;
void ofs_app_stop_net(struct ofs_app *a); /* what is under way ends */
void ofs_app_free_net(struct ofs_app *a);

/* What makes the tree writable, unless the mount is not to be. */
int ofs_app_build_push(struct ofs_app *a, struct ofs_err *err) OFS_MUST_CHECK;

/* May we, and is there somebody?  Told before the mount. */
int ofs_app_check_net(struct ofs_app *a, struct ofs_err *err) OFS_MUST_CHECK;

#endif
