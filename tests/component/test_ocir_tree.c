/* SPDX-License-Identifier: Apache-2.0 */
/* Compartments and repositories of a tenancy as directories. */
#include "ocir_rig.h"

#define PROD             "ocid1.c.prod"
#define EU               "ocid1.c.eu"
#define COMPARTMENTS     "GET /20160918/compartments"
#define REPOSITORIES     "GET /20160918/container/repositories"
#define ALL_REPOSITORIES REPOSITORIES "?*compartmentIdInSubtree*"
#define ONE_BY_ONE       REPOSITORIES "?compartmentId=ocid1.c.*"

static void tag(struct fake_registry *fake, const char *name)
{
    char path[256];

    (void)snprintf(path, sizeof(path), FAKE_ORACLE_NAMESPACE "/%s", name);
    (void)fake_registry_image(fake, path, "latest", 1, 1, 100);
}

/*
 * root: dev  prod{eu{team/web}  team/web/api  app}  base
 */
static void seed(struct fake_oracle *cloud, struct fake_registry *fake)
{
    fake_oracle_compartment(cloud, "eu", PROD, "ACTIVE");
    fake_oracle_compartment(cloud, "prod", NULL, "ACTIVE");
    fake_oracle_compartment(cloud, "dev", NULL, "ACTIVE");
    fake_oracle_compartment(cloud, "old", NULL, "DELETED");
    fake_oracle_repository(cloud, "base", FAKE_ORACLE_TENANCY);
    fake_oracle_repository(cloud, "app", PROD);
    fake_oracle_repository(cloud, "team/web/api", PROD);
    fake_oracle_repository(cloud, "team/web", EU);
    tag(fake, "base");
    tag(fake, "app");
    tag(fake, "team/web/api");
    tag(fake, "team/web");
}

static void everything_is_there(struct orig *o)
{
    trig_ls_is(&o->t, "/", "base dev prod");
    trig_ls_is(&o->t, "/dev", "");
    trig_ls_is(&o->t, "/prod", "app eu team");
    trig_ls_is(&o->t, "/prod/team", "web");
    trig_ls_is(&o->t, "/prod/team/web", "api");
    trig_ls_is(&o->t, "/prod/eu/team", "web");
    trig_ls_is(&o->t, "/prod/eu/team/web",
               "blobs index.json latest oci-layout");
    trig_ls_is(&o->t, "/base", "blobs index.json latest oci-layout");
}

/* proves S51 */
static void a_tenancy_is_a_tree_of_compartments(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    everything_is_there(&o);
    assert_true(trig_stat(&o.t, "/prod/app/latest").attr.size > 0);
    assert_false(trig_exists(&o.t, "/prod/base"));
    assert_false(trig_exists(&o.t, "/app"));
    assert_false(trig_exists(&o.t, "/ns"));
    assert_false(trig_exists(&o.t, "/old"));
    assert_int_equal(trig_stat(&o.t, "/prod").attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(trig_stat(&o.t, "/prod/app").attr.mtime_s, TRIG_CREATED_S);
    assert_int_equal(o.n_warned, 0);
}

/* proves S52 */
static void two_lists_are_enough_for_all(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    everything_is_there(&o);
    assert_int_equal(orig_count(&o, COMPARTMENTS), 1);
    assert_int_equal(orig_count(&o, REPOSITORIES), 1);
    assert_int_equal(orig_count(&o, "GET /n/"), 0);
    trig_pass(&o.t, TRIG_TTL_MS);
    everything_is_there(&o);
    assert_int_equal(orig_count(&o, COMPARTMENTS), 2);
    assert_int_equal(orig_count(&o, REPOSITORIES), 2);
}

static void pages_are_followed_to_their_end(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    fake_oracle_pages(o.cloud, 1, /* empty= */ true);
    everything_is_there(&o);
    assert_int_equal(orig_count(&o, COMPARTMENTS), 8);
}

static void what_changes_is_seen_after_the_ttl(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    everything_is_there(&o);
    fake_oracle_repository(o.cloud, "new", PROD);
    fake_oracle_remove(o.cloud, "app");
    trig_ls_is(&o.t, "/prod", "app eu team");
    trig_pass(&o.t, TRIG_TTL_MS);
    trig_ls_is(&o.t, "/prod", "eu new team");
    assert_true(trig_stat(&o.t, "/prod").attr.mtime_s > TRIG_CREATED_S);
}

static void seed_namesakes(struct fake_oracle *cloud,
                           struct fake_registry *fake)
{
    fake_oracle_compartment(cloud, "team", NULL, "ACTIVE");
    fake_oracle_compartment(cloud, ".ocirfs", NULL, "ACTIVE");
    fake_oracle_compartment(cloud, "lost", "ocid1.c.nobody", "ACTIVE");
    fake_oracle_compartment(cloud, "a:b", NULL, "ACTIVE");
    fake_oracle_repository(cloud, "team/web", FAKE_ORACLE_TENANCY);
    fake_oracle_repository(cloud, "inside", "ocid1.c.team");
    fake_oracle_repository(cloud, "hidden", "ocid1.c.secret");
    fake_oracle_repository(cloud, "Odd", FAKE_ORACLE_TENANCY);
    fake_oracle_repository(cloud, "../up", FAKE_ORACLE_TENANCY);
    tag(fake, "team/web");
}

/* proves S53 */
static void parts_of_names_win_over_compartments(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed_namesakes });
    trig_ls_is(&o.t, "/",
               ".ocirfs@compartment hidden lost ocid1.c.a:b team "
               "team@compartment");
    trig_ls_is(&o.t, "/team", "web");
    trig_ls_is(&o.t, "/team@compartment", "inside");
    trig_ls_is(&o.t, "/lost@compartment", "");
    trig_ls_is(&o.t, "/team@repository", "web");
    trig_ls_is(&o.t, "/ocid1.c.team", "inside");
    assert_false(trig_exists(&o.t, "/hidden@compartment"));
    assert_false(trig_exists(&o.t, "/team/web@compartment"));
}

static void a_service_without_a_list_of_all_is_asked_one_by_one(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    orig_refuse(&o, ALL_REPOSITORIES, 404, "NotAuthorizedOrNotFound");
    trig_ls_is(&o.t, "/dev", "");
    assert_int_equal(orig_count(&o, ONE_BY_ONE), 1);
    everything_is_there(&o);
    assert_int_equal(orig_count(&o, ALL_REPOSITORIES), 1);
    assert_int_equal(orig_count(&o, ONE_BY_ONE), 3);
    everything_is_there(&o);
    assert_int_equal(orig_count(&o, ONE_BY_ONE), 3);
    /* It is asked again for the list of all, but not at every turn. */
    for (int passed = TRIG_TTL_MS; passed < 60 * 1000; passed += TRIG_TTL_MS) {
        trig_pass(&o.t, TRIG_TTL_MS);
        trig_ls_is(&o.t, "/prod", "app eu team");
        assert_int_equal(orig_count(&o, ALL_REPOSITORIES), 1);
    }
    trig_pass(&o.t, TRIG_TTL_MS);
    trig_ls_is(&o.t, "/prod", "app eu team");
    assert_int_equal(orig_count(&o, ALL_REPOSITORIES), 2);
    assert_int_equal(o.n_warned, 0);
}

static void one_may_walk_through_a_compartment_that_is_not_listed(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    orig_refuse(&o, REPOSITORIES "?*ocid1.tenancy*", 404,
                "NotAuthorizedOrNotFound");
    orig_refuse(&o, REPOSITORIES "?*ocid1.c.dev*", 404,
                "NotAuthorizedOrNotFound");
    trig_ls_is(&o.t, "/", "dev prod");
    trig_ls_is(&o.t, "/prod/eu/team", "web");
    assert_int_equal(trig_list(&o.t, "/dev", &(struct ofs_strv){ 0 }), -EACCES);
    assert_int_equal(o.n_warned, 0);
    /* And when the policy is there, so is everything. */
    fake_server_no_faults(o.server);
    trig_pass(&o.t, 60 * 1000);
    everything_is_there(&o);
}

/* proves S54 */
static void who_may_not_list_compartments_is_told_once(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    orig_refuse(&o, COMPARTMENTS, 404, "NotAuthorizedOrNotFound");
    trig_ls_is(&o.t, "/", "app base team");
    trig_ls_is(&o.t, "/team/web", "api blobs index.json latest oci-layout");
    trig_pass(&o.t, TRIG_TTL_MS);
    trig_ls_is(&o.t, "/", "app base team");
    assert_int_equal(o.n_warned, 1);
    assert_non_null(strstr(o.warned, "inspect compartments in tenancy"));
}

static void who_sees_nothing_may_still_go_where_he_knows(void **state)
{
    static const struct {
        int status;
        const char *code, *sentence;
    } cases[] = {
        { 404, "NotAuthorizedOrNotFound", "repositories cannot be listed" },
        { 403, "FREE_TIER_NOT_SUPPORTED", "repos=" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        ORIG_AUTO struct orig o;

        orig_start(&o, &(struct orig_cfg){ .seed = seed });
        orig_refuse(&o, COMPARTMENTS, 404, "NotAuthorizedOrNotFound");
        orig_refuse(&o, REPOSITORIES, cases[i].status, cases[i].code);
        assert_int_equal(trig_list(&o.t, "/", &(struct ofs_strv){ 0 }),
                         -EACCES);
        trig_ls_is(&o.t, "/app", "blobs index.json latest oci-layout");
        trig_ls_is(&o.t, "/team/web", "blobs index.json latest oci-layout");
        assert_int_equal(ofs_tree_check(o.t.tree, &o.t.call, &o.t.err),
                         -EACCES);
        assert_int_equal(o.n_warned, 2);
        assert_non_null(strstr(o.warned, cases[i].sentence));
        assert_int_equal(orig_count(&o, "GET /n/"), 1);
    }
}

/* proves S9 */
static void what_is_named_is_shown_whatever_the_service_says(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(
        &o, &(struct orig_cfg){ .repos = { "app", "team/web" }, .seed = seed });
    orig_refuse(&o, COMPARTMENTS, 404, "NotAuthorizedOrNotFound");
    orig_refuse(&o, REPOSITORIES, 403, "FREE_TIER_NOT_SUPPORTED");
    trig_ls_is(&o.t, "/", "app team");
    trig_ls_is(&o.t, "/team", "web");
    trig_ls_is(&o.t, "/team/web", "blobs index.json latest oci-layout");
    assert_false(trig_exists(&o.t, "/prod"));
    assert_false(trig_exists(&o.t, "/base"));
    assert_int_equal(orig_count(&o, "GET /2*"), 0);
    assert_int_equal(ofs_tree_check(o.t.tree, &o.t.call, &o.t.err), 0);
    assert_int_equal(o.n_warned, 2);
    trig_ls_is(&o.t, "/", "app team");
}

/* proves S55 */
static void a_part_of_the_tenancy_can_be_mounted(void **state)
{
    static const char *const ways[] = { "prod", "/prod/", PROD };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(ways); i++) {
        ORIG_AUTO struct orig o;

        orig_start(&o,
                   &(struct orig_cfg){ .compartment = ways[i], .seed = seed });
        trig_ls_is(&o.t, "/", "app eu team");
        trig_ls_is(&o.t, "/eu/team", "web");
        assert_false(trig_exists(&o.t, "/base"));
        assert_int_equal(ofs_tree_check(o.t.tree, &o.t.call, &o.t.err), 0);
    }
}

static void a_compartment_that_is_not_there_is_said(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o,
               &(struct orig_cfg){ .compartment = "prod/us", .seed = seed });
    assert_int_equal(ofs_tree_check(o.t.tree, &o.t.call, &o.t.err), -ENOENT);
    assert_non_null(strstr(o.t.err.text, "'prod/us'"));
    assert_int_equal(trig_list(&o.t, "/", &(struct ofs_strv){ 0 }), -ENOENT);
}

static void an_ocid_needs_no_list_of_compartments(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .compartment = PROD, .seed = seed });
    orig_refuse(&o, COMPARTMENTS, 404, "NotAuthorizedOrNotFound");
    orig_refuse(&o, REPOSITORIES "?*ocid1.tenancy*", 404,
                "NotAuthorizedOrNotFound");
    trig_ls_is(&o.t, "/", "app team");
    trig_ls_is(&o.t, "/app", "blobs index.json latest oci-layout");
}

/* proves S33 */
static void what_was_seen_is_shown_when_nobody_answers(void **state)
{
    (void)state;
    for (int each = 0; each < 2; each++) {
        ORIG_AUTO struct orig o;

        orig_start(&o, &(struct orig_cfg){ .seed = seed });
        if (each)
            orig_refuse(&o, ALL_REPOSITORIES, 404, "NotAuthorizedOrNotFound");
        everything_is_there(&o);
        trig_unmount(&o.t);
        fake_server_down(o.server);
        fake_server_down(o.t.server);
        trig_mount(&o.t);
        everything_is_there(&o);
    }
}

static void a_service_that_is_away_is_not_one_that_refuses(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    orig_refuse(&o, REPOSITORIES, 503, "ServiceUnavailable");
    assert_int_equal(trig_list(&o.t, "/", &(struct ofs_strv){ 0 }), -EIO);
    fake_server_no_faults(o.server);
    orig_refuse(&o, COMPARTMENTS, 401, "NotAuthenticated");
    assert_int_equal(trig_list(&o.t, "/", &(struct ofs_strv){ 0 }), -EACCES);
    fake_server_no_faults(o.server);
    everything_is_there(&o);
    trig_pass(&o.t, TRIG_TTL_MS);
    orig_refuse(&o, REPOSITORIES, 503, "ServiceUnavailable");
    everything_is_there(&o);
    assert_int_equal(o.n_warned, 0);
}

static void a_directory_that_is_held_survives_a_move(void **state)
{
    ORIG_AUTO struct orig o;
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = NULL;
    struct ofs_entry held, found;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    held = trig_stat(&o.t, "/prod/app");
    fake_oracle_remove(o.cloud, "app");
    fake_oracle_repository(o.cloud, "app", EU);
    trig_pass(&o.t, TRIG_TTL_MS);
    trig_ls_is(&o.t, "/prod", "eu team");
    trig_ls_is(&o.t, "/prod/eu", "app team");
    assert_false(trig_exists(&o.t, "/prod/app"));
    assert_int_equal(ofs_tree_lookup(o.t.tree, &o.t.call, held.attr.ino,
                                     "latest", &found, &o.t.err),
                     0);
    assert_true(found.attr.ino != 0);
    assert_int_equal(
        ofs_tree_opendir(o.t.tree, &o.t.call, held.attr.ino, &d, &o.t.err), 0);
}

static void seed_empty(struct fake_oracle *cloud, struct fake_registry *fake)
{
    (void)fake;
    fake_oracle_repository(cloud, "new", FAKE_ORACLE_TENANCY);
}

static void an_empty_repository_is_there(void **state)
{
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed_empty });
    trig_ls_is(&o.t, "/new", "blobs index.json oci-layout");
    trig_ls_is(&o.t, "/", "new");
    assert_true(trig_exists(&o.t, "/new"));
    assert_false(trig_exists(&o.t, "/new/latest"));
}

/* The number that "." or ".." of a directory has. */
static uint64_t dot(struct orig *o, const char *path, size_t which)
{
    OFS_AUTO(ofs_dir_closep) struct ofs_dir *d = NULL;
    struct ofs_dirent de;

    assert_int_equal(ofs_tree_opendir(o->t.tree, &o->t.call,
                                      trig_stat(&o->t, path).attr.ino, &d,
                                      &o->t.err),
                     0);
    assert_true(ofs_dir_get(d, which, &de));
    return de.ino;
}

/* proves S14 */
static void numbers_are_those_of_the_last_mount(void **state)
{
    static const struct {
        const char *path, *above;
    } cases[] = {
        { "/prod", "/" },
        { "/prod/eu", "/prod" },
        { "/prod/team", "/prod" },
        { "/prod/eu/team", "/prod/eu" },
        { "/prod/eu/team/web", "/prod/eu/team" },
        { "/prod/eu/team/web/blobs", "/prod/eu/team/web" },
        { "/base", "/" },
        { "/base/blobs", "/base" },
    };
    uint64_t ino[OFS_COUNT_OF(cases)];
    ORIG_AUTO struct orig o;

    (void)state;
    orig_start(&o, &(struct orig_cfg){ .seed = seed });
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        ino[i] = trig_stat(&o.t, cases[i].path).attr.ino;
        assert_int_equal(dot(&o, cases[i].path, 0), ino[i]);
        assert_int_equal(dot(&o, cases[i].path, 1),
                         trig_stat(&o.t, cases[i].above).attr.ino);
    }
    trig_unmount(&o.t);
    trig_mount(&o.t);
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++)
        assert_int_equal(trig_stat(&o.t, cases[i].path).attr.ino, ino[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_tenancy_is_a_tree_of_compartments),
        cmocka_unit_test(two_lists_are_enough_for_all),
        cmocka_unit_test(pages_are_followed_to_their_end),
        cmocka_unit_test(what_changes_is_seen_after_the_ttl),
        cmocka_unit_test(parts_of_names_win_over_compartments),
        cmocka_unit_test(a_service_without_a_list_of_all_is_asked_one_by_one),
        cmocka_unit_test(one_may_walk_through_a_compartment_that_is_not_listed),
        cmocka_unit_test(who_may_not_list_compartments_is_told_once),
        cmocka_unit_test(who_sees_nothing_may_still_go_where_he_knows),
        cmocka_unit_test(what_is_named_is_shown_whatever_the_service_says),
        cmocka_unit_test(a_part_of_the_tenancy_can_be_mounted),
        cmocka_unit_test(a_compartment_that_is_not_there_is_said),
        cmocka_unit_test(an_ocid_needs_no_list_of_compartments),
        cmocka_unit_test(what_was_seen_is_shown_when_nobody_answers),
        cmocka_unit_test(a_service_that_is_away_is_not_one_that_refuses),
        cmocka_unit_test(a_directory_that_is_held_survives_a_move),
        cmocka_unit_test(an_empty_repository_is_there),
        cmocka_unit_test(numbers_are_those_of_the_last_mount),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
