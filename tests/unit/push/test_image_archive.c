/* SPDX-License-Identifier: Apache-2.0 */
#include "tar_rig.h"

static void an_archive_is_known_by_its_beginning(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    char zeros[OFS_ARCHIVE_HEAD] = { 0 };

    (void)state;
    tar_text(&tar, "manifest.json", "[]");
    assert_true(ofs_archive_is(tar.data, tar.len));
    assert_true(ofs_archive_is(tar.data, OFS_ARCHIVE_HEAD));
    assert_false(ofs_archive_is(tar.data, OFS_ARCHIVE_HEAD - 1));
    tar.data[0] ^= 1; /* the sum does not fit any more */
    assert_false(ofs_archive_is(tar.data, tar.len));
    assert_true(ofs_archive_is("\x1f\x8b\x08\x00", 4));
    assert_true(ofs_archive_is("\x28\xb5\x2f\xfd\x00", 5));
    assert_false(ofs_archive_is("\x1f\x8b", 2));
    assert_false(ofs_archive_is("{\"schemaVersion\":2}", 19));
    assert_false(ofs_archive_is(zeros, sizeof(zeros)));
    assert_false(ofs_archive_is("", 0));
}

static int open_only(const struct ofs_buf *tar, struct ofs_err *err)
{
    OFS_AUTO(kept_done) struct kept kept = { 0 };

    return unpack(tar, "1.5", &kept, NULL, err);
}

static void assert_refused(const struct ofs_buf *tar, int r, const char *says)
{
    struct ofs_err err = { 0 };
    int is = open_only(tar, &err);

    if (is != r || err.code != r || !strstr(err.text, says))
        fail_msg("%d, %s", is, err.text);
}

/* One member of a name, type and target, and nothing else. */
static void hostile_names_are_refused(void **state)
{
    static const struct {
        const char *name;
        char type;
        const char *target;
    } rows[] = {
        { "../../etc/passwd", '0', "" },
        { "/etc/passwd", '0', "" },
        { "a/../../b", '5', "" },
        { "link", '2', "../outside" },
        { "link", '2', "/etc/passwd" },
        { "link", '1', "/etc/passwd" },
        { "a/layer.tar", '1', "../b/layer.tar" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;

        tar_header(&tar, rows[i].name, rows[i].type, rows[i].target, 0);
        tar_end(&tar);
        assert_refused(&tar, -EINVAL, "leads out of the archive");
    }
}

static void links_in_a_circle_lead_nowhere(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;

    (void)state;
    tar_header(&tar, "manifest.json", '2', "b", 0);
    tar_header(&tar, "b", '2', "manifest.json", 0);
    tar_end(&tar);
    assert_refused(&tar, -EINVAL, "no manifest.json");
}

static void what_is_no_archive_of_images_is_told_so(void **state)
{
    OFS_AUTOBUF struct ofs_buf empty = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf other = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf ancient = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf no_image = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf text = TAR_INIT;
    OFS_AUTOBUF struct ofs_buf packed = TAR_INIT;

    (void)state;
    tar_end(&empty);
    assert_refused(&empty, -EINVAL, "neither an OCI nor a docker archive");
    tar_text(&other, "README", "hello");
    tar_end(&other);
    assert_refused(&other, -EINVAL, "neither an OCI nor a docker archive");
    tar_text(&ancient, "repositories", "{}");
    tar_end(&ancient);
    assert_refused(&ancient, -EINVAL, "docker before 1.10");
    tar_text(&no_image, "manifest.json", "[]");
    tar_end(&no_image);
    assert_refused(&no_image, -EINVAL, "holds no image");
    (void)ofs_buf_adds(&text, "not a tar at all");
    tar_pack(&text, "gzip", &packed);
    assert_refused(&packed, -EINVAL, "damaged");
}

/* A good one, cut at every place. */
static void a_part_of_an_archive_is_none(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    size_t whole;

    (void)state;
    tar_text(&tar, "c.json", "{\"rootfs\":{\"diff_ids\":[]}}");
    tar_text(&tar, "manifest.json", "[{\"Config\":\"c.json\",\"Layers\":[]}]");
    whole = tar.len; /* the two empty blocks say nothing */
    tar_end(&tar);
    assert_int_equal(open_only(&tar, NULL), 0);
    for (size_t len = 1; len < whole; len += 37) {
        struct ofs_buf part = tar;

        part.len = len;
        assert_refused(&part, -EINVAL, "");
    }
}

static void a_later_member_replaces_an_earlier_one(void **state)
{
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    OFS_AUTO(kept_done) struct kept kept = { 0 };

    (void)state;
    tar_text(&tar, "c.json", "an older one");
    tar_text(&tar, "manifest.json", "[{\"Config\":\"c.json\"}]");
    tar_text(&tar, "c.json", "{\"rootfs\":{\"diff_ids\":[]}}");
    tar_end(&tar);
    assert_int_equal(unpack(&tar, "1.5", &kept, NULL, NULL), 0);
    assert_string_equal(ofs_buf_str(&kept.at[0]),
                        "{\"rootfs\":{\"diff_ids\":[]}}");
}

static void there_are_limits(void **state)
{
    enum { MIB = 1024 * 1024, TOO_MANY = 65537 };
    OFS_AUTOBUF struct ofs_buf many = OFS_BUF_INIT(64 * MIB);
    OFS_AUTOBUF struct ofs_buf large = OFS_BUF_INIT(64 * MIB);
    OFS_AUTOBUF struct ofs_buf docs = OFS_BUF_INIT(64 * MIB);
    OFS_AUTOFREE char *json = malloc(5 * MIB);

    (void)state;
    for (int i = 0; i < TOO_MANY; i++)
        tar_header(&many, "d", '5', "", 0);
    assert_refused(&many, -EFBIG, "more than 65536 members");

    memset(json, ' ', 5 * MIB);
    json[0] = '[';
    tar_file(&large, "manifest.json", json, 5 * MIB);
    tar_end(&large);
    assert_refused(&large, -EFBIG, "'manifest.json' has 5242880 bytes");

    for (int i = 0; i < 5; i++) {
        char name[] = "0";

        name[0] = (char)('0' + i);
        tar_file(&docs, name, json, 4 * MIB);
    }
    tar_file(&docs, "manifest.json", json, 4 * MIB);
    tar_end(&docs);
    assert_refused(&docs, -EFBIG, "more than 16 MiB of JSON");
}

static void a_cancelled_call_ends_it(void **state)
{
    OFS_AUTO(ofs_archive_freep) struct ofs_archive *a = NULL;
    OFS_AUTOBUF struct ofs_buf tar = TAR_INIT;
    struct ofs_err err = { 0 };
    struct ofs_call call;
    int fd;

    (void)state;
    tar_text(&tar, "x", "y");
    tar_end(&tar);
    fd = tar_fd(&tar);
    ofs_call_init(&call, OFS_NEVER);
    ofs_call_cancel(&call);
    assert_int_equal(ofs_archive_open(fd, tar.len, &call, "app", "1", &a, &err),
                     -EINTR);
    assert_int_equal(err.code, -EINTR);
    ofs_call_done(&call);
    (void)close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_archive_is_known_by_its_beginning),
        cmocka_unit_test(hostile_names_are_refused),
        cmocka_unit_test(links_in_a_circle_lead_nowhere),
        cmocka_unit_test(what_is_no_archive_of_images_is_told_so),
        cmocka_unit_test(a_part_of_an_archive_is_none),
        cmocka_unit_test(a_later_member_replaces_an_earlier_one),
        cmocka_unit_test(there_are_limits),
        cmocka_unit_test(a_cancelled_call_ends_it),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
