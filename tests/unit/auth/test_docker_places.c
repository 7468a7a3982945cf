/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "docker_places.h"

/* "C/path" for each place: flavour, '!' when it must exist, path. */
static char *list(const struct ofs_docker_hints *hints)
{
    OFS_AUTO(ofs_docker_places_done) struct ofs_docker_places places = { 0 };
    struct ofs_buf b = OFS_BUF_INIT(4096);

    assert_int_equal(ofs_docker_places_list(hints, &places), 0);
    assert_true(places.n <= OFS_DOCKER_PLACES_MAX);
    for (size_t i = 0; i < places.n; i++)
        (void)ofs_buf_addf(&b, "%s%c%s%s", i ? " " : "",
                           "CDLE"[places.at[i].flavour],
                           places.at[i].must_exist ? "!" : "",
                           places.at[i].path ? places.at[i].path : "");
    return ofs_buf_take(&b);
}

static void the_order_is_the_documented_one(void **state)
{
    static const struct {
        struct ofs_docker_hints hints;
        const char *want;
    } rows[] = {
        { { .uid = 7 }, "C/run/containers/7/auth.json" },
        { { .home = "/h", .uid = 0 },
          "C/run/containers/0/auth.json C/h/.config/containers/auth.json "
          "D/h/.docker/config.json L/h/.dockercfg" },
        { { .docker_auth_config = "{}",
            .docker_config = "/d",
            .xdg_runtime_dir = "/r",
            .xdg_config_home = "/c",
            .home = "/h" },
          "E C/r/containers/auth.json C/c/containers/auth.json "
          "D/d/config.json L/h/.dockercfg" },
        { { .docker_auth_config = "",
            .docker_config = "",
            .xdg_runtime_dir = "",
            .xdg_config_home = "",
            .home = "",
            .auth_file = "",
            .registry_auth_file = "" },
          "C/run/containers/0/auth.json" },
        { { .auth_file = "/a/auth.json",
            .registry_auth_file = "/b",
            .docker_auth_config = "{}",
            .home = "/h" },
          "C!/a/auth.json" },
        { { .registry_auth_file = "b", .docker_auth_config = "{}" }, "C!b" },
        { { .auth_file = "/x/config.json" }, "D!/x/config.json" },
        { { .auth_file = "config.json" }, "D!config.json" },
        { { .auth_file = "/x/.dockercfg" }, "L!/x/.dockercfg" },
        { { .auth_file = "/x/my-config.json" }, "C!/x/my-config.json" },
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOFREE char *got = list(&rows[i].hints);

        assert_string_equal(got, rows[i].want);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_order_is_the_documented_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
