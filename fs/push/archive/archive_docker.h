/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_ARCHIVE_DOCKER_H
#define OFS_ARCHIVE_DOCKER_H

/*
 * What `docker save` writes: manifest.json, configurations, layers.  Source:
 * moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset
 * Format".
 */

#include "ocirfs/err.h"

struct ofs_archive;

/* Choose the image and plan to send its configuration as it is and its layers
 * compressed.  Errors as ofs_archive_open(). */
int ofs_archive_plan_docker(struct ofs_archive *a, const char *repo,
                            const char *tag,
                            struct ofs_err *err) OFS_MUST_CHECK;

/* When all parts are done: make the manifest, docker's schema 2. */
int ofs_archive_make_docker_manifest(struct ofs_archive *a,
                                     struct ofs_err *err) OFS_MUST_CHECK;

#endif
