/* SPDX-License-Identifier: Apache-2.0 */
#include "journal.h"

#include "ocirfs/file.h"

#include <fcntl.h>

static int sync_file(struct ofs_stage *s, uint64_t number)
{
    OFS_AUTOCLOSE int fd = ofs_stage_reopen(s, number);

    if (fd < 0)
        return fd;
    if (fsync(fd) < 0 || fsync(s->files_fd) < 0)
        return -errno;
    return 0;
}

int ofs_journal_put(struct ofs_stage *s, uint64_t number,
                    const struct ofs_jobspec *spec, bool durable,
                    struct ofs_err *err)
{
    struct ofs_buf text OFS_AUTOBUF = OFS_BUF_INIT(OFS_JOBSPEC_MAX_BYTES);
    char name[OFS_STAGE_NAME_MAX];
    int r = ofs_jobspec_format(spec, &text);

    /* Content first: a record never names what is not there yet. */
    if (r == 0 && durable && spec->file > 0)
        r = sync_file(s, spec->file);
    if (r == 0)
        r = ofs_file_replace(s->jobs_fd, ofs_stage_name(number, name),
                             text.data, text.len, durable);
    if (r < 0)
        return ofs_err_errno(err, -r, "the staging area's journal");
    return 0;
}

void ofs_journal_remove(struct ofs_stage *s, uint64_t number)
{
    char name[OFS_STAGE_NAME_MAX];

    (void)unlinkat(s->jobs_fd, ofs_stage_name(number, name), 0);
}

void ofs_records_done(struct ofs_records *r)
{
    for (size_t i = 0; i < r->n; i++)
        ofs_jobspec_done(&r->at[i].spec);
    free(r->at);
    *r = (struct ofs_records){ 0 };
}

/* -EBADMSG: torn. */
static int read_record(struct ofs_stage *s, uint64_t number,
                       struct ofs_jobspec *ret)
{
    struct ofs_buf text OFS_AUTOBUF = OFS_BUF_INIT(OFS_JOBSPEC_MAX_BYTES);
    char name[OFS_STAGE_NAME_MAX];
    int r = ofs_file_read(s->jobs_fd, ofs_stage_name(number, name), &text);

    if (r == -EFBIG)
        return -EBADMSG;
    return r < 0 ? r : ofs_jobspec_parse(ofs_buf_str(&text), text.len, ret);
}

/* The oldest record that wants the same as `spec`; NULL: none. */
static struct ofs_record *find_same(struct ofs_records *r,
                                    const struct ofs_jobspec *spec)
{
    for (size_t i = 0; i < r->n; i++)
        if (ofs_jobspec_same(&r->at[i].spec, spec))
            return &r->at[i];
    return NULL;
}

static int load_one(struct ofs_stage *s, uint64_t number,
                    struct ofs_records *records)
{
    struct ofs_jobspec spec;
    struct ofs_record *older, *to;
    int r = read_record(s, number, &spec);

    if (r == -EBADMSG) {
        ofs_journal_remove(s, number);
        return 0;
    }
    if (r < 0)
        return r;
    older = find_same(records, &spec);
    to = older ? older : &records->at[records->n++];
    if (older) {
        ofs_journal_remove(s, older->number);
        ofs_jobspec_done(&older->spec);
    }
    *to = (struct ofs_record){ .number = number, .spec = spec };
    return 0;
}

static int load_all(struct ofs_stage *s, struct ofs_records *records)
{
    OFS_AUTOFREE uint64_t *numbers = NULL;
    size_t n = 0;
    int r = ofs_stage_list(s->jobs_fd, &numbers, &n);

    if (r == 0)
        records->at = calloc(n + 1, sizeof(*records->at));
    if (r == 0 && !records->at)
        r = -ENOMEM;
    for (size_t i = 0; i < n && r == 0; i++)
        r = load_one(s, numbers[i], records);
    return r;
}

static bool is_named(const struct ofs_records *r, uint64_t file)
{
    for (size_t i = 0; i < r->n; i++)
        if (r->at[i].spec.file == file)
            return true;
    return false;
}

/* What a killed process was still writing. */
static int sweep(struct ofs_stage *s, const struct ofs_records *records)
{
    OFS_AUTOFREE uint64_t *files = NULL;
    size_t n = 0;
    int r = ofs_stage_list(s->files_fd, &files, &n);

    for (size_t i = 0; i < n && r == 0; i++)
        if (!is_named(records, files[i]))
            ofs_stage_remove(s, files[i]);
    return r;
}

int ofs_journal_load(struct ofs_stage *s, struct ofs_records *ret,
                     struct ofs_err *err)
{
    struct ofs_records records OFS_AUTO(ofs_records_done) = { 0 };
    int r = load_all(s, &records);

    if (r == 0)
        r = sweep(s, &records);
    if (r < 0)
        return ofs_err_errno(err, -r, "the staging area's journal");
    *ret = records;
    records = (struct ofs_records){ 0 };
    return 0;
}
