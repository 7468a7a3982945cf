/* SPDX-License-Identifier: Apache-2.0 */
/* user.ocir.*: what the control plane knows of what is shown. */
#include "ocir_rig.h"

#define ONE_REPOSITORY "GET /20160918/container/repositories/ocid1.r.app"
#define LOOK_UP        "POST /20160918/container/images/actions/lookupImageByUri"
#define DIGEST                                                                 \
    "sha256:0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static const char repository[] =
    "{\"id\":\"ocid1.r.app\",\"compartmentId\":\"ocid1.c.prod\","
    "\"displayName\":\"app\",\"namespace\":\"ns\",\"isPublic\":false,"
    "\"isImmutable\":true,\"imageCount\":3,\"layerCount\":5,"
    "\"layersSizeInBytes\":5000000000,\"createdBy\":\"ocid1.user\","
    "\"readme\":{\"content\":\"# App\",\"format\":\"TEXT_MARKDOWN\"},"
    "\"lifecycleState\":\"AVAILABLE\",\"timeCreated\":\"2026-01-05T21:31:40Z\","
    "\"timeLastPushed\":\"2026-02-05T21:31:40Z\"}";

static const char image[] =
    "{\"id\":\"ocid1.i.app\",\"compartmentId\":\"ocid1.c.prod\","
    "\"digest\":\"" DIGEST "\",\"displayName\":\"app:latest\","
    "\"repositoryId\":\"ocid1.r.app\",\"repositoryName\":\"app\","
    "\"layersSizeInBytes\":100,\"manifestSizeInBytes\":10,\"pullCount\":7,"
    "\"timeCreated\":\"2026-01-05T21:31:40Z\",\"timeLastPulled\":"
    "\"2026-03-05T21:31:40Z\",\"versions\":[{\"version\":\"1.0\","
    "\"timeCreated\":\"2026-01-05T21:31:41Z\"},{\"version\":\"latest\","
    "\"timeCreated\":\"2026-01-05T21:31:42Z\"}]}";

static void seed(struct fake_oracle *cloud, struct fake_registry *fake)
{
    struct fake_server *server = fake_oracle_server(cloud);

    fake_oracle_compartment(cloud, "prod", NULL, "ACTIVE");
    fake_oracle_repository(cloud, "app", "ocid1.c.prod");
    fake_oracle_repository(cloud, "team/web", "ocid1.c.prod");
    (void)fake_registry_image(fake, "ns/app", "latest", 1, 1, 100);
    fake_server_canned(server, ONE_REPOSITORY, 200,
                       "Content-Type: application/json\r\n", repository);
    fake_server_canned(server, LOOK_UP, 200,
                       "Content-Type: application/json\r\n", image);
}

static int get(struct orig *o, const char *path, const char *name,
               struct ofs_buf *b)
{
    return ofs_tree_getxattr(o->t.tree, &o->t.call,
                             trig_stat(&o->t, path).attr.ino, name, b,
                             &o->t.err);
}

struct xattr_case {
    const char *path, *name, *value; /* value NULL: there is none */
};

static const struct xattr_case cases[] = {
    { "/prod", "id", "ocid1.c.prod" },
    { "/prod", "compartmentId", FAKE_ORACLE_TENANCY },
    { "/prod", "displayName", NULL },
    { "/", "id", FAKE_ORACLE_TENANCY },
    { "/", "compartmentId", NULL },
    { "/prod/app", "id", "ocid1.r.app" },
    { "/prod/app", "compartmentId", "ocid1.c.prod" },
    { "/prod/app", "displayName", "app" },
    { "/prod/app", "namespace", "ns" },
    { "/prod/app", "isPublic", "false" },
    { "/prod/app", "isImmutable", "true" },
    { "/prod/app", "imageCount", "3" },
    { "/prod/app", "layerCount", "5" },
    { "/prod/app", "layersSizeInBytes", "5000000000" },
    { "/prod/app", "createdBy", "ocid1.user" },
    { "/prod/app", "readme", "# App" },
    { "/prod/app", "timeCreated", "2026-01-05T21:31:40Z" },
    { "/prod/app", "timeLastPushed", "2026-02-05T21:31:40Z" },
    { "/prod/app", "nothing", NULL },
    { "/prod/team", "id", NULL },
    { "/prod/app/latest", "id", "ocid1.i.app" },
    { "/prod/app/latest", "pullCount", "7" },
    { "/prod/app/latest", "layersSizeInBytes", "100" },
    { "/prod/app/latest", "timeCreated", "2026-01-05T21:31:42Z" },
    { "/prod/app/latest", "timeLastPulled", "2026-03-05T21:31:40Z" },
    { "/prod/app/index.json", "id", NULL },
};

static void everything_tells_what_it_is(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
        char name[64];
        int r;

        (void)snprintf(name, sizeof(name), "user.ocir.%s", cases[i].name);
        r = get(&o, cases[i].path, name, &b);
        if (r != (cases[i].value ? 0 : -ENODATA))
            fail_msg("%s %s: %d %s", cases[i].path, name, r, o.t.err.text);
        if (cases[i].value)
            assert_string_equal(ofs_buf_str(&b), cases[i].value);
    }
    /* All of them are one question for the repository and one for the tag. */
    assert_int_equal(orig_count(&o, ONE_REPOSITORY), 1);
    assert_int_equal(orig_count(&o, LOOK_UP), 1);
}

static void nobody_is_asked_who_does_not_ask(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    assert_int_equal(get(&o, "/prod/app/latest", "user.oci.digest", &b), 0);
    assert_int_equal(get(&o, "/prod/app", "user.oci.digest", &b), -ENODATA);
    assert_int_equal(get(&o, "/prod/app", "security.selinux", &b), -ENODATA);
    assert_int_equal(orig_count(&o, ONE_REPOSITORY), 0);
    assert_int_equal(orig_count(&o, LOOK_UP), 0);
}

/* The names of all attributes of a path, in one string. */
static void list(struct orig *o, const char *path, struct ofs_buf *b)
{
    assert_int_equal(ofs_tree_listxattr(o->t.tree, &o->t.call,
                                        trig_stat(&o->t, path).attr.ino, b,
                                        &o->t.err),
                     0);
    for (size_t i = 0; i + 1 < b->len; i++)
        if (!b->data[i])
            b->data[i] = ' ';
}

static void a_service_that_refuses_hides_only_its_own(void **state)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(4096);
    OFS_AUTOBUF struct ofs_buf all = OFS_BUF_INIT(4096);
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    list(&o, "/prod/app/latest", &all);
    assert_non_null(strstr(ofs_buf_str(&all), "user.oci.digest "));
    assert_non_null(strstr(ofs_buf_str(&all), "user.ocir.pullCount"));
    trig_pass(&o.t, TRIG_TTL_MS);
    orig_refuse(&o, LOOK_UP, 404, "NotAuthorizedOrNotFound");
    ofs_buf_reset(&all);
    list(&o, "/prod/app/latest", &all);
    assert_non_null(strstr(ofs_buf_str(&all), "user.oci.digest "));
    assert_null(strstr(ofs_buf_str(&all), "user.ocir"));
    assert_int_equal(get(&o, "/prod/app/latest", "user.ocir.id", &b), -ENODATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everything_tells_what_it_is),
        cmocka_unit_test(nobody_is_asked_who_does_not_ask),
        cmocka_unit_test(a_service_that_refuses_hides_only_its_own),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
