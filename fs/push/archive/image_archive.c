/* SPDX-License-Identifier: Apache-2.0 */
#include "image_archive.h"

#include "archive_docker.h"
#include "archive_oci.h"
#include "archive_plan.h"
#include "tarball.h"

size_t ofs_archive_manifests(const struct ofs_archive *a,
                             const struct ofs_archive_manifest **ret)
{
    *ret = a->manifests;
    return a->n_manifests;
}

/*
 * A layout of docker's own may hold plain tars.  It has the same image in its
 * older form, too, and that one says what to compress.
 */
static int make_plan(struct ofs_archive *a, const char *repo, const char *tag,
                     struct ofs_err *err)
{
    bool docker = ofs_members_find(&a->members, "manifest.json");
    int r = 0;

    if (ofs_members_find(&a->members, "index.json")) {
        r = ofs_archive_plan_oci(a, repo, tag, docker, err);
        if (r <= 0)
            return r;
    }
    if (docker)
        return ofs_archive_plan_docker(a, repo, tag, err);
    if (ofs_members_find(&a->members, "repositories"))
        return ofs_err_set(err, -EINVAL,
                           "the archive is of a docker before 1.10, which "
                           "described images in another way");
    return ofs_err_set(err, -EINVAL,
                       "neither an OCI nor a docker archive: there is no "
                       "index.json and no manifest.json in it");
}

int ofs_archive_open(int fd, uint64_t size, struct ofs_call *call,
                     const char *repo, const char *tag,
                     struct ofs_archive **ret, struct ofs_err *err)
{
    OFS_AUTO(ofs_archive_freep)
    struct ofs_archive *a = calloc(1, sizeof(*a));
    OFS_AUTO(ofs_tarball_closep) struct ofs_tarball *t = NULL;
    int r;

    if (!a)
        return ofs_err_nomem(err, "an archive");
    a->fd = fd;
    a->size = size;
    r = ofs_tarball_open(fd, size, call, &t, err);
    if (r == 0)
        r = ofs_members_read(&a->members, t, err);
    if (r == 0)
        r = make_plan(a, repo, tag, err);
    if (r < 0)
        return r;
    *ret = ofs_take(&a);
    return 0;
}

void ofs_archive_free(struct ofs_archive *a)
{
    if (!a)
        return;
    for (size_t i = 0; i < a->n_manifests; i++) {
        free(a->manifests[i].media_type);
        free(a->manifests[i].bytes);
    }
    free(a->manifests);
    free(a->layers);
    free(a->parts);
    ofs_members_done(&a->members);
    free(a);
}
