/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

#include "ocirfs/file.h"

static void one_process_has_it(void **state)
{
    struct ofs_stage other;
    struct ofs_err err = { 0 };
    struct world w;
    char dir[96];

    (void)state;
    world_init(&w);
    (void)snprintf(dir, sizeof(dir), "%s/stage", w.dir);
    assert_int_equal(ofs_stage_open(&other, dir, 0, &err), -EBUSY);
    assert_non_null(strstr(err.text, dir));
    world_close(&w);
    assert_int_equal(ofs_stage_open(&other, dir, 0, &err), 0);
    ofs_stage_close(&other);
    /* Others must not look in. */
    (void)snprintf(dir, sizeof(dir), "%s/stage/v1/files", w.dir);
    assert_int_equal(chmod(dir, 0755), 0);
    dir[strlen(dir) - strlen("/v1/files")] = '\0';
    assert_int_equal(ofs_stage_open(&other, dir, 0, &err), -EACCES);
    assert_int_equal(ofs_stage_open(&other, "/proc/nowhere", 0, &err), -ENOENT);
    world_done(&w);
}

static void numbers_go_on_where_they_were(void **state)
{
    struct world w;
    uint64_t *at = NULL;
    size_t n = 0;

    (void)state;
    world_init(&w);
    for (int i = 0; i < 200; i++)
        ofs_closep(&(int){
            ofs_stage_create(&w.p->stage, ofs_stage_number(&w.p->stage)) });
    assert_int_equal(ofs_stage_list(w.p->stage.files_fd, &at, &n), 0);
    assert_int_equal(n, 200);
    for (size_t i = 0; i < n; i++)
        assert_int_equal(at[i], i + 1);
    free(at);
    world_reopen(&w);
    assert_int_equal(ofs_stage_number(&w.p->stage), 201);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0); /* nobody's */
    world_done(&w);
}

static struct ofs_jobspec wish(const char *tag, const char *digest_of_this)
{
    static char url[] = URL, repo[] = "app";

    return (struct ofs_jobspec){
        .kind = OFS_JOB_WISH,
        .url = url,
        .repo = repo,
        .tag = strdup(tag),
        .digest = digest_of(digest_of_this, 1),
    };
}

static void of_two_records_the_newer_counts(void **state)
{
    struct ofs_records all OFS_AUTO(ofs_records_done) = { 0 };
    struct ofs_jobspec a = wish("1", "a"), b = wish("1", "b"),
                       c = wish("2", "c");
    struct world w;

    (void)state;
    world_init(&w);
    check(&w, ofs_journal_put(&w.p->stage, 3, &b, true, &w.err));
    check(&w, ofs_journal_put(&w.p->stage, 1, &a, false, &w.err));
    check(&w, ofs_journal_put(&w.p->stage, 2, &c, false, &w.err));
    check(&w, ofs_journal_load(&w.p->stage, &all, &w.err));
    assert_int_equal(all.n, 2);
    assert_int_equal(all.at[0].number, 3);
    assert_true(ofs_digest_eq(&all.at[0].spec.digest, &b.digest));
    assert_int_equal(staged(&w, w.p->stage.jobs_fd), 2);
    free(a.tag);
    free(b.tag);
    free(c.tag);
    world_done(&w);
}

static void torn_and_foreign_files_are_cleared_away(void **state)
{
    struct ofs_records all OFS_AUTO(ofs_records_done) = { 0 };
    struct world w;
    int fd;

    (void)state;
    world_init(&w);
    fd = w.p->stage.jobs_fd;
    check(&w, ofs_file_replace(fd, "0000000000000001", "torn", 4, false));
    check(&w, ofs_file_replace(fd, "0000000000000002", "", 0, false));
    check(&w, ofs_file_replace(fd, "somebody's", "x", 1, false));
    check(&w, ofs_file_replace(fd, OFS_FILE_TMP_PREFIX "1-1", "x", 1, false));
    check(&w, ofs_journal_load(&w.p->stage, &all, &w.err));
    assert_int_equal(all.n, 0);
    assert_int_equal(faccessat(fd, "0000000000000001", F_OK, 0), -1);
    assert_int_equal(faccessat(fd, "somebody's", F_OK, 0), 0);
    world_reopen(&w);
    assert_int_equal(
        faccessat(w.p->stage.jobs_fd, OFS_FILE_TMP_PREFIX "1-1", F_OK, 0), -1);
    world_done(&w);
}

/* A power failure may keep the record and lose the bytes. */
static void damaged_content_is_not_pushed(void **state)
{
    struct world w;
    struct image m;
    OFS_AUTOFREE uint64_t *at = NULL;
    size_t n = 0;
    int fd;

    (void)state;
    world_init(&w);
    image_make(&m, "a");
    w.remote->fail_code = -ETIMEDOUT;
    w.remote->fail_at = 1;
    assert_int_equal(push_bytes(&w, "app", "hello"), -ETIMEDOUT);
    check(&w, push_bytes(&w, "app", m.manifest));
    assert_int_equal(pending(&w), 2);
    assert_int_equal(ofs_stage_list(w.p->stage.files_fd, &at, &n), 0);
    assert_int_equal(n, 2);
    for (size_t i = 0; i < n; i++) {
        fd = ofs_stage_reopen(&w.p->stage, at[i]);
        assert_int_equal(pwrite(fd, "X", 1, 0), 1);
        (void)close(fd);
    }
    world_reopen(&w);
    assert_int_equal(pending(&w), 1); /* a blob is looked at later */
    world_start(&w);
    until_all_is_done(&w);
    assert_int_equal(w.remote->n_things, 0);
    assert_int_equal(staged(&w, w.p->stage.files_fd), 0);
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_process_has_it),
        cmocka_unit_test(numbers_go_on_where_they_were),
        cmocka_unit_test(of_two_records_the_newer_counts),
        cmocka_unit_test(torn_and_foreign_files_are_cleared_away),
        cmocka_unit_test(damaged_content_is_not_pushed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
