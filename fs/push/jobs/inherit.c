/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each mount has a staging area of its own.  What a mount has left that ended
 * is everybody's who mounts the same registry: whoever gets the area's lock
 * moves all that is for this registry into his own.
 *
 * A job is at each moment in one of the two, or in both: the content gets a
 * second name, then the new record is written, then the old one goes.  What is
 * in both after a crash is the same job twice, of which one is dropped.
 */
#include "jobs.h"

#include "ocirfs/log.h"

#include <dirent.h>

/* A record of ours for the same job, with the content under a new number. */
static int copy_record(struct ofs_stage *own, struct ofs_stage *from,
                       struct ofs_record *rec)
{
    uint64_t file = rec->spec.file;
    int r = 0;

    rec->number = ofs_stage_number(own);
    if (file > 0) {
        rec->spec.file = ofs_stage_number(own);
        r = ofs_stage_link(own, rec->spec.file, from, file);
    }
    if (r == 0)
        r = ofs_journal_put(own, rec->number, &rec->spec, /* durable= */ true,
                            NULL);
    if (r < 0 && file > 0)
        ofs_stage_remove(own, rec->spec.file);
    return r;
}

/* -ENOENT: its content has gone, so there is nothing to go on with. */
static int take_over(struct ofs_jobs *jobs, struct ofs_stage *from,
                     struct ofs_record *rec)
{
    struct ofs_record was = { .number = rec->number };
    uint64_t file = rec->spec.file;
    int r = copy_record(jobs->queue.stage, from, rec);

    if (r < 0 && r != -ENOENT)
        return r;
    if (r == 0)
        r = ofs_jobqueue_load_one(jobs, rec);
    if (r < 0 && r != -ENOENT)
        return r; /* it is ours all the same, from the next mount on */
    ofs_journal_remove(from, was.number);
    if (file > 0)
        ofs_stage_remove(from, file);
    return 0;
}

static void inherit_from(struct ofs_jobs *jobs, const char *dir)
{
    struct ofs_records records OFS_AUTO(ofs_records_done) = { 0 };
    OFS_AUTO(ofs_stage_close) struct ofs_stage from = { 0 };
    struct ofs_err err = { 0 };
    size_t n = 0;
    int r = ofs_stage_open(&from, dir, 0, &err);

    if (r == -EBUSY)
        return; /* its mount is alive, or it is ours */
    if (r == 0)
        r = ofs_journal_load(&from, &records, &err);
    for (size_t i = 0; i < records.n && r == 0; i++) {
        struct ofs_record *rec = &records.at[i];

        if (strcmp(rec->spec.url, jobs->queue.url) != 0)
            continue;
        r = take_over(jobs, &from, rec);
        n++;
    }
    if (r < 0)
        ofs_log(OFS_DEBUG, "push: '%s': %s", dir,
                err.code ? err.text : strerror(-r));
    else if (n > 0)
        ofs_log(OFS_INFO, "push: goes on with %zu that another mount has left",
                n);
}

static void close_folder(DIR **dir)
{
    if (*dir)
        (void)closedir(*dir);
}

void ofs_inherit(struct ofs_jobs *jobs, const char *folder)
{
    OFS_AUTO(close_folder) DIR *dir = opendir(folder);
    const struct dirent *e;

    while (dir && (e = readdir(dir))) {
        OFS_AUTOFREE char *path = NULL;

        if (e->d_name[0] == '.')
            continue;
        path = ofs_strf("%s/%s", folder, e->d_name);
        if (path)
            inherit_from(jobs, path);
    }
}
