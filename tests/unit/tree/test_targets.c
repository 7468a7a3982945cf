/* SPDX-License-Identifier: Apache-2.0 */
#include "targets.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define HEX "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

enum {
    NONE = OFS_TARGET_NONE,
    SCRATCH = OFS_TARGET_SCRATCH,
    TAG = OFS_TARGET_TAG,
    INDEX = OFS_TARGET_INDEX,
    HEADER = OFS_TARGET_HEADER,
    BLOB = OFS_TARGET_BLOB,
    SCRATCH_DIR = OFS_TARGET_SCRATCH_DIR,
    LAYOUT_DIR = OFS_TARGET_LAYOUT_DIR,
    REPO = OFS_TARGET_REPO,
};

static void names_of_files(void **state)
{
    static const struct {
        enum ofs_place_kind place;
        const char *name;
        int kind;
        const char *base; /* of a tag; "blob": likely to become one */
        int code;
    } rows[] = {
        { OFS_PLACE_REPO, "1.5", TAG, "1.5", 0 },
        { OFS_PLACE_REPO, "latest", TAG, "latest", 0 },
        { OFS_PLACE_REPO, "ingest", TAG, "ingest", 0 },
        { OFS_PLACE_REPO, "index.json@tag", TAG, "index.json", 0 },
        { OFS_PLACE_REPO, "index.json", INDEX, "", 0 },
        { OFS_PLACE_REPO, "oci-layout", HEADER, "", 0 },
        { OFS_PLACE_REPO, "sha256:" HEX, BLOB, "", 0 },
        { OFS_PLACE_REPO, "blobs", NONE, "", -EISDIR },
        { OFS_PLACE_REPO, "oci-put-blob123", SCRATCH, "blob", 0 },
        { OFS_PLACE_REPO, ".index.json.a1b2", SCRATCH, "", 0 },
        { OFS_PLACE_REPO, ".docker_temp_4", SCRATCH, "", 0 },
        { OFS_PLACE_REPO, "index.json.lock", SCRATCH, "", 0 },
        { OFS_PLACE_REPO, "index.json123", SCRATCH, "", 0 },
        { OFS_PLACE_REPO, "oci-layout.tmp", SCRATCH, "", 0 },
        { OFS_PLACE_REPO, "1.5~", SCRATCH, "", 0 },
        { OFS_PLACE_REPO, "a b", NONE, "", -EINVAL },
        { OFS_PLACE_REPO, "#1.5#", NONE, "", -EINVAL },
        { OFS_PLACE_REPO, "-x", NONE, "", -EINVAL },
        { OFS_PLACE_REPO, "a@repository", NONE, "", -EINVAL },
        { OFS_PLACE_REPO, "a@b", NONE, "", -EINVAL },
        { OFS_PLACE_REPO, "sha256:abc", NONE, "", -EINVAL },
        { OFS_PLACE_BLOBS, "x", SCRATCH, "blob", 0 },
        { OFS_PLACE_BLOBS, "sha256", NONE, "", -EISDIR },
        { OFS_PLACE_ALG, HEX, BLOB, "", 0 },
        { OFS_PLACE_ALG, HEX "123", SCRATCH, "blob", 0 },
        { OFS_PLACE_ALG, "." HEX ".Ab12", SCRATCH, "blob", 0 },
        { OFS_PLACE_ALG, "AAAA", SCRATCH, "blob", 0 },
        { OFS_PLACE_SCRATCH, "data", SCRATCH, "blob", 0 },
        { OFS_PLACE_SCRATCH, HEX, SCRATCH, "blob", 0 },
        { OFS_PLACE_SCRATCH, "index.json", SCRATCH, "blob", 0 },
        { OFS_PLACE_TOP, "x", NONE, "", -EPERM },
        { OFS_PLACE_TOP, ".x", NONE, "", -EPERM },
        { OFS_PLACE_OTHER, "x", NONE, "", -EPERM },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_target target;
        bool blob = strcmp(rows[i].base, "blob") == 0;

        ofs_target_file(rows[i].place, "sha256", rows[i].name, &target);
        if ((int)target.kind != rows[i].kind || target.code != rows[i].code)
            fail_msg("%s: %d, %d", rows[i].name, (int)target.kind, target.code);
        assert_int_equal(target.blob_likely, blob);
        assert_string_equal(target.name, blob ? "" : rows[i].base);
        assert_int_equal(target.why != NULL, rows[i].kind == NONE);
        assert_int_equal(target.digest.alg == OFS_SHA256, rows[i].kind == BLOB);
    }
}

static void names_of_directories(void **state)
{
    static const struct {
        enum ofs_place_kind place;
        const char *name;
        int kind;
        const char *base;
        int code;
    } rows[] = {
        { OFS_PLACE_TOP, "prod", REPO, "prod", 0 },
        { OFS_PLACE_TOP, "Prod", NONE, "", -EINVAL },
        { OFS_PLACE_TOP, ".git", NONE, "", -EINVAL },
        { OFS_PLACE_REPO, "sub", REPO, "sub", 0 },
        { OFS_PLACE_REPO, "blobs@repository", REPO, "blobs", 0 },
        { OFS_PLACE_REPO, "blobs", LAYOUT_DIR, "", 0 },
        { OFS_PLACE_REPO, "ingest", SCRATCH_DIR, "", 0 },
        { OFS_PLACE_REPO, ".umoci-12", SCRATCH_DIR, "", 0 },
        { OFS_PLACE_REPO, "index.json.lock", SCRATCH_DIR, "", 0 },
        { OFS_PLACE_REPO, "a@tag", NONE, "", -EINVAL },
        { OFS_PLACE_BLOBS, "sha256", LAYOUT_DIR, "", 0 },
        { OFS_PLACE_BLOBS, "sha512", LAYOUT_DIR, "", 0 },
        { OFS_PLACE_BLOBS, "md5", SCRATCH_DIR, "", 0 },
        { OFS_PLACE_ALG, "x", SCRATCH_DIR, "", 0 },
        { OFS_PLACE_SCRATCH, "x", SCRATCH_DIR, "", 0 },
        { OFS_PLACE_OTHER, "x", NONE, "", -EPERM },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        struct ofs_target target;

        ofs_target_dir(rows[i].place, rows[i].name, &target);
        if ((int)target.kind != rows[i].kind || target.code != rows[i].code)
            fail_msg("%s: %d, %d", rows[i].name, (int)target.kind, target.code);
        assert_string_equal(target.name, rows[i].base);
    }
}

static void only_what_is_pushed_is_final(void **state)
{
    (void)state;
    for (int kind = NONE; kind <= REPO; kind++)
        assert_int_equal(ofs_target_is_final((enum ofs_target_kind)kind),
                         kind == TAG || kind == INDEX || kind == HEADER ||
                             kind == BLOB);
}

/* proves S95 */
static void what_sed_makes_is_no_tag_yet(void **state)
{
    static const struct {
        const char *name;
        mode_t mode;
        bool want;
    } rows[] = {
        { "sedAb3xY9", 0600, true },   { "sed123456", 0600, true },
        { "sedAb3xY9", 0644, false },  { "sedAb3xY", 0600, false },
        { "sedAb3xY9z", 0600, false }, { "sed-b3xY9", 0600, false },
        { "sad123456", 0600, false },  { "sed", 0600, false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
        assert_int_equal(ofs_target_is_temporary(rows[i].name, rows[i].mode),
                         rows[i].want);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_sed_makes_is_no_tag_yet),
        cmocka_unit_test(names_of_files),
        cmocka_unit_test(names_of_directories),
        cmocka_unit_test(only_what_is_pushed_is_final),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
