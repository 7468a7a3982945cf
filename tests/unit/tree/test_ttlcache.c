/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "ocirfs/str.h"

#include "sync.h"
#include "ttlcache.h"

enum { TTL_MS = 1000 };

/* A clock and a service under the test's hand. */
struct rig {
    struct ofs_clock clock;
    int64_t now_ms;
    struct ofs_sync sync;
    struct ofs_ttlcache *cache;
    struct ofs_call call;
    int code;     /* of the next answers */
    bool nothing; /* the next answers say nothing */
    unsigned n_asked, n_freed;
};

static struct rig *rig; /* for what gets a value only */

static int64_t now_of(const struct ofs_clock *clock)
{
    (void)clock;
    return rig->now_ms;
}

static int answer(void *arg, const char *key, struct ofs_call *call, void **ret,
                  struct ofs_err *err)
{
    struct rig *r = arg;

    (void)call;
    r->n_asked++;
    if (r->code < 0)
        return ofs_err_set(err, r->code, "%s is not to be had", key);
    if (!r->nothing)
        *ret = ofs_strf("%s %u", key, r->n_asked);
    return 0;
}

static void value_free(void *value)
{
    rig->n_freed++;
    free(value);
}

static const struct ofs_ttlcache_ops lasting = {
    .name = "thing", .max = 2, .fetch = answer, .free = value_free
};
static const struct ofs_ttlcache_ops exact = { .name = "thing",
                                               .max = 2,
                                               .exact = true,
                                               .fetch = answer,
                                               .free = value_free };

static int begin_with(const struct ofs_ttlcache_ops *ops, void **state)
{
    struct ofs_sync_cfg cfg = { .ttl_ms = TTL_MS };

    *state = rig = calloc(1, sizeof(*rig));
    if (!rig)
        return -ENOMEM;
    rig->now_ms = 1;
    rig->clock.mono_ms = now_of;
    cfg.clock = &rig->clock;
    if (ofs_sync_init(&rig->sync, &cfg) < 0)
        return -ENOMEM;
    ofs_call_init(&rig->call, OFS_NEVER);
    rig->cache = ofs_ttlcache_new(&rig->sync, ops, rig);
    return rig->cache ? 0 : -ENOMEM;
}

static int begin(void **state)
{
    return begin_with(&lasting, state);
}

static int begin_exact(void **state)
{
    return begin_with(&exact, state);
}

static int end(void **state)
{
    struct rig *r = *state;

    ofs_sync_stop(&r->sync);
    ofs_ttlcache_free(r->cache);
    ofs_sync_done(&r->sync);
    ofs_call_done(&r->call);
    free(r);
    return 0;
}

static int want(struct rig *r, const char *key)
{
    return ofs_ttlcache_want(r->cache, &r->call, key, NULL);
}

/* What is known of `key` is `text`, or nothing. */
static void check_known(struct rig *r, const char *key, const char *text)
{
    OFS_AUTO(ofs_ttlvalue_done)
    struct ofs_ttlvalue v = ofs_ttlcache_look(r->cache, key);

    if (text)
        assert_string_equal(v.value, text);
    else
        assert_null(v.value);
}

static void an_answer_is_asked_for_once_in_its_time(void **state)
{
    struct rig *r = *state;

    check_known(r, "a", NULL);
    assert_int_equal(want(r, "a"), 0);
    r->now_ms += TTL_MS - 1;
    assert_int_equal(want(r, "a"), 0);
    assert_int_equal(r->n_asked, 1);
    check_known(r, "a", "a 1");
    r->now_ms += 1;
    assert_int_equal(want(r, "a"), 0);
    assert_int_equal(r->n_asked, 2);
    check_known(r, "a", "a 2");
    assert_int_equal(r->n_freed, 1);
}

static void what_was_known_stays_when_nobody_answers(void **state)
{
    struct rig *r = *state;

    assert_int_equal(want(r, "a"), 0);
    r->now_ms += TTL_MS;
    r->code = -ETIMEDOUT;
    assert_int_equal(want(r, "a"), 0);
    check_known(r, "a", "a 1");
    r->code = -EACCES;
    assert_int_equal(want(r, "a"), -EACCES);
    assert_int_equal(want(r, "b"), -EACCES);
    check_known(r, "b", NULL);
}

static void who_wants_it_exact_hears_the_failure(void **state)
{
    struct rig *r = *state;

    assert_int_equal(want(r, "a"), 0);
    r->now_ms += TTL_MS;
    r->code = -ETIMEDOUT;
    assert_int_equal(want(r, "a"), -ETIMEDOUT);
    check_known(r, "a", "a 1");
}

static void an_answer_that_says_nothing_is_one(void **state)
{
    struct rig *r = *state;

    assert_int_equal(want(r, "a"), 0);
    r->now_ms += TTL_MS;
    r->nothing = true;
    assert_int_equal(want(r, "a"), 0);
    assert_int_equal(r->n_asked, 2);
    check_known(r, "a", "a 1");
    /* It is not asked for again soon, whatever the ttl. */
    r->now_ms += 2 * TTL_MS;
    assert_int_equal(want(r, "a"), 0);
    assert_int_equal(r->n_asked, 2);
}

static void what_is_forgotten_is_asked_for(void **state)
{
    struct rig *r = *state;

    assert_int_equal(want(r, "a"), 0);
    ofs_ttlcache_forget(r->cache, "a");
    ofs_ttlcache_forget(r->cache, "b");
    check_known(r, "a", "a 1");
    assert_int_equal(want(r, "a"), 0);
    check_known(r, "a", "a 2");
    assert_int_equal(ofs_ttlcache_ask(r->cache, &r->call, "a", NULL), 0);
    check_known(r, "a", "a 3");
}

static void the_one_that_came_first_makes_room(void **state)
{
    struct rig *r = *state;

    assert_int_equal(want(r, "a"), 0);
    assert_int_equal(want(r, "b"), 0);
    {
        OFS_AUTO(ofs_ttlvalue_done)
        struct ofs_ttlvalue v = ofs_ttlcache_look(r->cache, "a");

        assert_int_equal(want(r, "c"), 0);
        check_known(r, "a", NULL);
        check_known(r, "b", "b 2");
        check_known(r, "c", "c 3");
        assert_int_equal(r->n_freed, 0);
        assert_string_equal(v.value, "a 1");
    }
    assert_int_equal(r->n_freed, 1);
}

static void who_may_not_wait_is_told(void **state)
{
    struct rig *r = *state;

    r->call.may_wait = false;
    assert_int_equal(want(r, "a"), -EAGAIN);
    assert_int_equal(r->n_asked, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(an_answer_is_asked_for_once_in_its_time,
                                        begin, end),
        cmocka_unit_test_setup_teardown(
            what_was_known_stays_when_nobody_answers, begin, end),
        cmocka_unit_test_setup_teardown(who_wants_it_exact_hears_the_failure,
                                        begin_exact, end),
        cmocka_unit_test_setup_teardown(an_answer_that_says_nothing_is_one,
                                        begin_exact, end),
        cmocka_unit_test_setup_teardown(what_is_forgotten_is_asked_for, begin,
                                        end),
        cmocka_unit_test_setup_teardown(the_one_that_came_first_makes_room,
                                        begin, end),
        cmocka_unit_test_setup_teardown(who_may_not_wait_is_told, begin, end),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
