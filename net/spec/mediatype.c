/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/mediatype.h"

#include "ocirfs/str.h"

/* `*` at the end stands for anything: compressions come and go. */
static const struct {
    const char *pattern;
    enum ofs_media media;
} rows[] = {
    { OFS_MT_OCI_INDEX, OFS_MEDIA_INDEX },
    { OFS_MT_DOCKER_LIST, OFS_MEDIA_INDEX },
    { OFS_MT_OCI_MANIFEST, OFS_MEDIA_MANIFEST },
    { OFS_MT_DOCKER_MANIFEST, OFS_MEDIA_MANIFEST },
    { "application/vnd.docker.distribution.manifest.v1+json",
      OFS_MEDIA_SCHEMA1 },
    { "application/vnd.docker.distribution.manifest.v1+prettyjws",
      OFS_MEDIA_SCHEMA1 },
    { "application/vnd.oci.image.config.v1+json", OFS_MEDIA_CONFIG },
    { "application/vnd.docker.container.image.v1+json", OFS_MEDIA_CONFIG },
    { "application/vnd.oci.image.layer.v1.*", OFS_MEDIA_LAYER },
    { "application/vnd.docker.image.rootfs.diff.tar*", OFS_MEDIA_LAYER },
    { "application/vnd.oci.image.layer.nondistributable.v1.*",
      OFS_MEDIA_FOREIGN },
    { "application/vnd.docker.image.rootfs.foreign.diff.tar*",
      OFS_MEDIA_FOREIGN },
};

/* Without it old registries convert to schema 1 or hide indexes; the last
 * entry lets artifacts of other types through. */
const char ofs_manifest_accept[] =
    OFS_MT_OCI_INDEX ", " OFS_MT_DOCKER_LIST ", " OFS_MT_OCI_MANIFEST
                     ", " OFS_MT_DOCKER_MANIFEST ", */*;q=0.1";

static bool matches(const char *pattern, const char *text)
{
    size_t len = strlen(pattern) - 1;

    if (pattern[len] != '*')
        return ofs_str_ieq(pattern, text);
    return strncasecmp(pattern, text, len) == 0;
}

enum ofs_media ofs_media_of(const char *media_type)
{
    if (!media_type)
        return OFS_MEDIA_OTHER;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (matches(rows[i].pattern, media_type))
            return rows[i].media;
    return OFS_MEDIA_OTHER;
}

bool ofs_media_names_manifest(const char *media_type)
{
    switch (ofs_media_of(media_type)) {
    case OFS_MEDIA_INDEX:
    case OFS_MEDIA_MANIFEST:
    case OFS_MEDIA_SCHEMA1:
        return true;
    case OFS_MEDIA_CONFIG:
    case OFS_MEDIA_LAYER:
    case OFS_MEDIA_FOREIGN:
        return false;
    case OFS_MEDIA_OTHER:
        break;
    }
    /* Types of artifact manifests came and went, and all have the word. */
    return !media_type || !*media_type || strcasestr(media_type, "manifest") ||
           strcasestr(media_type, "index");
}

/* Bytes of a restricted-name at `s`. */
static size_t restricted_name(const char *s)
{
    return strspn(s, "abcdefghijklmnopqrstuvwxyz"
                     "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789!#$&-^_.+");
}

bool ofs_media_is_type(const char *text)
{
    size_t type = restricted_name(text), subtype;

    if (type == 0 || text[type] != '/')
        return false;
    subtype = restricted_name(text + type + 1);
    return subtype > 0 && text[type + 1 + subtype] == '\0';
}
