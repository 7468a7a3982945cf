/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_MANIFEST_H
#define OFS_MANIFEST_H

/*
 * Manifests and indexes, OCI and docker, as structs.  Pure: foreign bytes in,
 * struct out; the bytes themselves are never written anew.
 *
 * Source: OCI image-spec v1.1 manifest.md, image-index.md; docker manifest
 * v2 schema 2.  Schema 1 is refused.
 */

#include "ocirfs/digest.h"
#include "ocirfs/str.h"

struct ofs_annotation {
    char *key, *value; /* owned */
};

struct ofs_annotations {
    struct ofs_annotation *at; /* owned */
    size_t n;
};

const char *ofs_annotation_get(const struct ofs_annotations *a,
                               const char *key); /* NULL: none */

struct ofs_platform {
    char *os, *architecture, *variant; /* owned; NULL when absent */
};

/* Only after ofs_manifest_decode_odd(): the size is not told. */
#define OFS_SIZE_UNKNOWN UINT64_MAX

struct ofs_descriptor {
    char *media_type; /* owned, as are the others */
    struct ofs_digest digest;
    uint64_t size;       /* bytes */
    char *artifact_type; /* NULL: none */
    struct ofs_platform platform;
    struct ofs_annotations annotations;
};

enum ofs_manifest_kind {
    OFS_MANIFEST_IMAGE, /* config and layers */
    OFS_MANIFEST_INDEX, /* manifests */
};

struct ofs_manifest {
    enum ofs_manifest_kind kind;
    char *media_type;    /* of the JSON, else as given to decode when that is
                            specific, else by content; owned */
    char *artifact_type; /* NULL: none */
    struct ofs_descriptor config;  /* IMAGE only */
    struct ofs_descriptor *layers; /* IMAGE: layers; INDEX: manifests; owned */
    size_t n_layers;
    bool has_subject;
    struct ofs_descriptor subject;
    struct ofs_annotations annotations;
};

enum {
    OFS_MANIFEST_MAX_BYTES =
        16 * 1024 * 1024, /* ours; the spec asks for 4 MiB */
    OFS_MANIFEST_MAX_ENTRIES = 20000,
};

/*
 * Decode; `content_type` (may be NULL) is what the server called it.
 * -EBADMSG malformed, mediaType contradicts content_type, schema 1; -EFBIG
 * more entries than the limit.  Unknown media types are fine.
 */
int ofs_manifest_decode(const char *json, size_t len, const char *content_type,
                        struct ofs_manifest *ret,
                        struct ofs_err *err) OFS_MUST_CHECK;

/*
 * The same of what clients read although it is not quite as specified: 0 and
 * all that can be known of it, or 1 when a part of it is left out, and `err`
 * tells which.  A type that is not told is "", a size OFS_SIZE_UNKNOWN, and an
 * image without a configuration has a config with digest.alg 0.  What can be
 * read in two ways stays refused.  For reading only, never for what is pushed.
 */
int ofs_manifest_decode_odd(const char *json, size_t len,
                            const char *content_type, struct ofs_manifest *ret,
                            struct ofs_err *err) OFS_MUST_CHECK;
void ofs_manifest_done(struct ofs_manifest *m);
void ofs_descriptor_done(struct ofs_descriptor *d);
#define OFS_AUTOMANIFEST OFS_AUTO(ofs_manifest_done)

/* Of an image configuration: when it was created, seconds; -ENOENT: unsaid. */
int ofs_config_created(const char *json, size_t len,
                       int64_t *ret_s) OFS_MUST_CHECK;

/* One row of an index.json to be made. */
struct ofs_layout_entry {
    const char *media_type, *tag; /* borrowed */
    struct ofs_digest digest;
    uint64_t size;
};

/*
 * The index.json of an image layout with these tags, in the order given.
 * Source: OCI image-spec v1.1 image-layout.md.  0, or b->failed.
 */
int ofs_layout_index(const struct ofs_layout_entry *entries, size_t n,
                     struct ofs_buf *b);

enum { OFS_LAYOUT_HEADER_MAX_BYTES = 4096 };
/* Is it the oci-layout file of a version 1 layout?  -EINVAL: no, and why. */
int ofs_layout_header_check(const char *json, size_t len,
                            struct ofs_err *err) OFS_MUST_CHECK;

#endif
