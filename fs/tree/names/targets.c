/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The names that writers of image layouts use beside the ones they end up
 * with, as seen with skopeo, buildah, umoci, containerd, oras, regctl,
 * go-containerregistry, rsync and editors:
 *
 *     .anything  .umoci-123/            hidden: theirs
 *     oci-put-blob123                   a layer, beside blobs/
 *     index.json.lock  oci-layout.tmp   what they write before the real one
 *     ingest/<hex>/data                 containerd's and oras's
 *     blobs/sha256/<hex>123             anything there that is no digest
 *     name~                             an editor's copy of the old one
 *     sedXXXXXX                         what `sed -i` renames to the old name
 */
#include "targets.h"

#include "ocirfs/ref.h"
#include "ocirfs/str.h"

#include "names.h"

static void refuse(struct ofs_target *ret, int code, const char *why)
{
    ret->kind = OFS_TARGET_NONE;
    ret->code = code;
    ret->why = why;
}

/* What a layout's own file is written as before it gets its name; `@` begins
 * a word of ours. */
static bool is_draft_of(const char *name, const char *file)
{
    return ofs_str_starts(name, file) && name[strlen(file)] != '\0' &&
           name[strlen(file)] != '@';
}

static bool is_scratch_name(const char *name)
{
    return name[0] == '.' || ofs_str_starts(name, "oci-put-blob") ||
           ofs_str_ends(name, "~") || is_draft_of(name, "index.json") ||
           is_draft_of(name, "oci-layout");
}

static void set_scratch(struct ofs_target *ret, bool blob_likely)
{
    ret->kind = OFS_TARGET_SCRATCH;
    ret->blob_likely = blob_likely;
}

/* A tag, or a manifest by its digest. */
static void set_manifest(const struct ofs_name *parsed, struct ofs_target *ret)
{
    if (parsed->kind == OFS_NAME_DIGEST) {
        ret->kind = OFS_TARGET_BLOB;
        ret->digest = parsed->digest;
    } else if ((parsed->kind == OFS_NAME_TAG ||
                parsed->kind == OFS_NAME_PLAIN) &&
               ofs_tag_is_valid(parsed->base)) {
        ret->kind = OFS_TARGET_TAG;
        memcpy(ret->name, parsed->base, sizeof(ret->name));
    } else {
        refuse(ret, -EINVAL,
               "no tag can be called so: letters, digits, '_', '.' and '-', at "
               "most 128 of them");
    }
}

static void in_repo(const char *name, struct ofs_target *ret)
{
    struct ofs_name parsed;

    if (strcmp(name, "index.json") == 0)
        ret->kind = OFS_TARGET_INDEX;
    else if (strcmp(name, "oci-layout") == 0)
        ret->kind = OFS_TARGET_HEADER;
    else if (strcmp(name, "blobs") == 0)
        refuse(ret, -EISDIR, "'blobs' is a directory of the layout");
    else if (is_scratch_name(name))
        set_scratch(ret, ofs_str_starts(name, "oci-put-blob"));
    else if (ofs_name_parse(name, &parsed) < 0)
        refuse(ret, -ENAMETOOLONG, "the name is too long");
    else
        set_manifest(&parsed, ret);
}

static bool is_alg(const char *name)
{
    return strcmp(name, "sha256") == 0 || strcmp(name, "sha512") == 0;
}

void ofs_target_file(enum ofs_place_kind place, const char *alg,
                     const char *name, struct ofs_target *ret)
{
    memset(ret, 0, sizeof(*ret));
    switch (place) {
    case OFS_PLACE_REPO:
        in_repo(name, ret);
        break;
    case OFS_PLACE_BLOBS:
        if (is_alg(name))
            refuse(ret, -EISDIR, "that is a directory of the layout");
        else
            set_scratch(ret, /* blob_likely= */ true);
        break;
    case OFS_PLACE_ALG:
        if (ofs_digest_parse_hex(alg, name, &ret->digest) == 0)
            ret->kind = OFS_TARGET_BLOB;
        else
            set_scratch(ret, /* blob_likely= */ true);
        break;
    case OFS_PLACE_SCRATCH:
        set_scratch(ret, /* blob_likely= */ true);
        break;
    case OFS_PLACE_TOP:
        refuse(ret, -EPERM, "files live in repositories; make one with mkdir");
        break;
    case OFS_PLACE_OTHER:
        refuse(ret, -EPERM, "nothing can be written here");
        break;
    }
}

/* Programs that make their file exclusively give it that mode, so that this is
 * no name that a user would push with `cp` or `>`. */
bool ofs_target_is_temporary(const char *name, mode_t mode)
{
    const char *p = name + strlen("sed");

    if ((mode & 0777) != 0600 || !ofs_str_starts(name, "sed") ||
        strlen(p) != strlen("XXXXXX"))
        return false;
    while ((*p >= '0' && *p <= '9') || (*p >= 'a' && *p <= 'z') ||
           (*p >= 'A' && *p <= 'Z'))
        p++;
    return *p == '\0';
}

static void set_repo(const char *name, struct ofs_target *ret)
{
    struct ofs_name parsed;

    if (ofs_name_parse(name, &parsed) < 0)
        refuse(ret, -ENAMETOOLONG, "the name is too long");
    else if ((parsed.kind == OFS_NAME_REPOSITORY ||
              parsed.kind == OFS_NAME_PLAIN) &&
             ofs_repo_part_is_valid(parsed.base)) {
        ret->kind = OFS_TARGET_REPO;
        memcpy(ret->name, parsed.base, sizeof(ret->name));
    } else {
        refuse(ret, -EINVAL,
               "no repository can be called so: lower-case letters and digits "
               "with single '.', '_', '__' or '-' between them");
    }
}

static void dir_in_repo(const char *name, struct ofs_target *ret)
{
    if (strcmp(name, "blobs") == 0)
        ret->kind = OFS_TARGET_LAYOUT_DIR;
    else if (is_scratch_name(name) || strcmp(name, "ingest") == 0)
        ret->kind = OFS_TARGET_SCRATCH_DIR;
    else
        set_repo(name, ret);
}

void ofs_target_dir(enum ofs_place_kind place, const char *name,
                    struct ofs_target *ret)
{
    memset(ret, 0, sizeof(*ret));
    switch (place) {
    case OFS_PLACE_TOP:
        set_repo(name, ret);
        break;
    case OFS_PLACE_REPO:
        dir_in_repo(name, ret);
        break;
    case OFS_PLACE_BLOBS:
        ret->kind =
            is_alg(name) ? OFS_TARGET_LAYOUT_DIR : OFS_TARGET_SCRATCH_DIR;
        break;
    case OFS_PLACE_ALG:
    case OFS_PLACE_SCRATCH:
        ret->kind = OFS_TARGET_SCRATCH_DIR;
        break;
    case OFS_PLACE_OTHER:
        refuse(ret, -EPERM, "nothing can be written here");
        break;
    }
}
