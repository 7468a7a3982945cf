/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MEDIATYPE_H
#define OFS_MEDIATYPE_H

/* What a media type is to us; a pure table. */

#include <stdbool.h>

#define OFS_MT_OCI_INDEX    "application/vnd.oci.image.index.v1+json"
#define OFS_MT_OCI_MANIFEST "application/vnd.oci.image.manifest.v1+json"
#define OFS_MT_DOCKER_LIST                                                     \
    "application/vnd.docker.distribution.manifest.list.v2+json"
#define OFS_MT_DOCKER_MANIFEST                                                 \
    "application/vnd.docker.distribution.manifest.v2+json"

enum ofs_media {
    OFS_MEDIA_OTHER,
    OFS_MEDIA_INDEX,    /* OCI index, docker manifest list */
    OFS_MEDIA_MANIFEST, /* OCI or docker schema 2 */
    OFS_MEDIA_SCHEMA1,  /* docker schema 1: refused */
    OFS_MEDIA_CONFIG,   /* OCI or docker image configuration */
    OFS_MEDIA_LAYER,    /* any layer that a registry holds */
    OFS_MEDIA_FOREIGN,  /* non-distributable: may not be in the registry */
};

enum ofs_media ofs_media_of(const char *media_type); /* NULL: OTHER */

/*
 * Does a descriptor of this type, in an index, name a manifest?  An index may
 * name other things too: build caches have their layers in one.  NULL or "": it
 * does, since nothing else is meant to be there.
 */
bool ofs_media_names_manifest(const char *media_type);

/* Is it "type/subtype" at all?  Source: RFC 6838, 4.2. */
bool ofs_media_is_type(const char *text);

/* The Accept value for manifests: all we know, then anything. */
extern const char ofs_manifest_accept[];

#endif
