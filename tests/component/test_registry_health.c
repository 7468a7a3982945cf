/* SPDX-License-Identifier: Apache-2.0 */
#include "registry_rig.h"

#include <pthread.h>

#define LIST "GET /v2/a/b/tags/list*"
#define ROOT "GET /v2/"

enum {
    FAST_MS = 1500,  /* a request or two on a busy machine */
    BRIEF_MS = 1000, /* long enough to be heard, too short to condemn */
    SOON_MS = 30000,
};

static const struct rig_cfg impatient = {
    .connect_ms = 3000, .stall_ms = 3000, .max_attempts = 1, .probe_ms = 20
};

static int tags_by(struct rig *rig, struct ofs_call *call, struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv names = { 0 };

    return ofs_registry_tags(rig->r, call, "a/b", &names, err);
}

static int tags(struct rig *rig)
{
    return tags_by(rig, &rig->call, &rig->err);
}

static bool is_up(struct rig *rig)
{
    struct ofs_registry_health health;

    ofs_registry_health(rig->r, &health);
    return health.up;
}

/* Not a sleep: the prober's own pause is what this waits for. */
static bool comes_up(struct rig *rig)
{
    int64_t until = ofs_mono_ms() + SOON_MS;

    while (!is_up(rig) && ofs_mono_ms() < until)
        (void)fake_server_wait(rig->server, ROOT, rig_count(rig, ROOT) + 1, 50);
    return is_up(rig);
}

static void a_dead_registry_fails_at_once_and_heals(void **state)
{
    RIG_AUTO struct rig rig;
    struct ofs_registry_health health;
    char first[sizeof(rig.err.text)];
    int64_t begun;

    (void)state;
    rig_start(&rig, &impatient);
    fake_registry_repo(rig.fake, "a/b");
    assert_int_equal(tags(&rig), 0);
    fake_server_down(rig.server);
    assert_int_equal(tags(&rig), -ECONNREFUSED);
    memcpy(first, rig.err.text, sizeof(first));
    ofs_registry_health(rig.r, &health);
    assert_false(health.up);
    assert_true(health.down_since_s > 0);
    assert_string_equal(health.why, first);
    begun = ofs_mono_ms();
    for (int i = 0; i < 100; i++) {
        assert_int_equal(tags(&rig), -ECONNREFUSED);
        assert_string_equal(rig.err.text, first);
    }
    assert_true(ofs_mono_ms() - begun < FAST_MS);
    fake_server_up(rig.server);
    assert_true(comes_up(&rig));
    assert_int_equal(tags(&rig), 0);
    ofs_registry_health(rig.r, &health);
    assert_int_equal(health.down_since_s, 0);
}

static void a_silent_registry_costs_one_deadline(void **state)
{
    RIG_AUTO struct rig rig;
    int64_t begun;

    (void)state;
    rig_start(&rig, &impatient);
    fake_registry_repo(rig.fake, "a/b");
    rig_fault(&rig, "* *", 0, FAKE_STALL, 0);
    assert_int_equal(tags(&rig), -ETIMEDOUT);
    begun = ofs_mono_ms();
    assert_int_equal(tags(&rig), -ETIMEDOUT);
    assert_int_equal(tags(&rig), -ETIMEDOUT);
    assert_true(ofs_mono_ms() - begun < FAST_MS);
    assert_int_equal(rig_count(&rig, LIST), 1);
    fake_server_no_faults(rig.server);
    fake_server_release(rig.server);
    assert_true(comes_up(&rig));
    assert_int_equal(tags(&rig), 0);
}

static void any_answer_to_the_probe_will_do(void **state)
{
    RIG_AUTO struct rig rig;

    (void)state;
    rig_start(&rig, &impatient);
    fake_registry_repo(rig.fake, "a/b");
    rig_fault(&rig, ROOT, 0, FAKE_STATUS, 500);
    fake_server_down(rig.server);
    assert_int_equal(tags(&rig), -ECONNREFUSED);
    fake_server_up(rig.server);
    assert_true(comes_up(&rig));
    assert_int_equal(fake_request_has(fake_server_request(rig.server, ROOT, 0),
                                      "Authorization"),
                     0);
}

static void an_impatient_user_does_not_condemn_it(void **state)
{
    RIG_AUTO struct rig rig;
    struct ofs_call brief;
    struct ofs_err err;

    (void)state;
    rig_start(&rig, &impatient);
    fake_registry_repo(rig.fake, "a/b");
    rig_fault(&rig, LIST, 1, FAKE_STALL, 0);
    ofs_call_init(&brief, BRIEF_MS);
    assert_int_equal(tags_by(&rig, &brief, &err), -ETIMEDOUT);
    ofs_call_done(&brief);
    assert_true(is_up(&rig));
    assert_int_equal(tags(&rig), 0);
}

static void a_doubt_that_the_probe_confirms_is_certainty(void **state)
{
    struct rig_cfg cfg = impatient;
    RIG_AUTO struct rig rig;
    struct ofs_call brief;
    struct ofs_err err;
    int64_t until;

    (void)state;
    cfg.stall_ms = 300; /* of the probe as well */
    rig_start(&rig, &cfg);
    fake_registry_repo(rig.fake, "a/b");
    rig_fault(&rig, "* *", 0, FAKE_STALL, 0);
    ofs_call_init(&brief, 100);
    assert_int_equal(tags_by(&rig, &brief, &err), -ETIMEDOUT);
    ofs_call_done(&brief);
    until = ofs_mono_ms() + SOON_MS;
    while (is_up(&rig) && ofs_mono_ms() < until)
        (void)fake_server_wait_stalled(rig.server, 1000, 20);
    assert_false(is_up(&rig));
    assert_int_equal(tags(&rig), -ETIMEDOUT);
}

struct helper {
    struct rig *rig;
    struct ofs_call call;
    struct ofs_err err;
    pthread_t thread;
    int r;
};

static void *list_in_thread(void *arg)
{
    struct helper *h = arg;

    h->r = tags_by(h->rig, &h->call, &h->err);
    return NULL;
}

static void begin(struct helper *h, struct rig *rig)
{
    *h = (struct helper){ .rig = rig };
    ofs_call_init(&h->call, RIG_CALL_MS);
    assert_int_equal(pthread_create(&h->thread, NULL, list_in_thread, h), 0);
}

static int end(struct helper *h)
{
    (void)pthread_join(h->thread, NULL);
    ofs_call_done(&h->call);
    return h->r;
}

static void a_user_who_gives_up_does_not_condemn_it(void **state)
{
    RIG_AUTO struct rig rig;
    struct helper h;

    (void)state;
    rig_start(&rig, &impatient);
    fake_registry_repo(rig.fake, "a/b");
    rig_fault(&rig, LIST, 1, FAKE_STALL, 0);
    begin(&h, &rig);
    assert_true(fake_server_wait_stalled(rig.server, 1, SOON_MS));
    ofs_call_cancel(&h.call);
    assert_int_equal(end(&h), -EINTR);
    assert_true(is_up(&rig));
    assert_int_equal(rig_count(&rig, ROOT), 0);
}

/* Many time out together, and the registry is back before the last of them:
 * that one tells of the past. */
static void stragglers_do_not_condemn_what_is_back(void **state)
{
    enum { N = 16 };
    RIG_AUTO struct rig rig;
    struct helper helpers[N];

    (void)state;
    rig_start(&rig, &impatient);
    fake_registry_repo(rig.fake, "a/b");
    fake_server_fault(rig.server, &(struct fake_fault){ .match = LIST,
                                                        .nth = 1,
                                                        .times = N,
                                                        .kind = FAKE_STALL });
    for (unsigned i = 0; i < N; i++)
        begin(&helpers[i], &rig);
    assert_true(fake_server_wait_stalled(rig.server, N, SOON_MS));
    /* Somebody else is answered meanwhile, so all those are mere doubts. */
    assert_int_equal(tags(&rig), 0);
    for (unsigned i = 0; i < N; i++)
        assert_int_equal(end(&helpers[i]), -ETIMEDOUT);
    assert_true(is_up(&rig));
    assert_int_equal(tags(&rig), 0);
}

static void a_check_asks_though_it_is_down(void **state)
{
    struct rig_cfg cfg = impatient;
    RIG_AUTO struct rig rig;

    (void)state;
    cfg.probe_ms = 1000000; /* no probe finds it first */
    rig_start(&rig, &cfg);
    fake_registry_repo(rig.fake, "a/b");
    fake_server_down(rig.server);
    assert_int_equal(tags(&rig), -ECONNREFUSED);
    fake_server_up(rig.server);
    assert_int_equal(ofs_registry_check(rig.r, &rig.call, NULL, &rig.err), 0);
    assert_true(is_up(&rig));
    assert_int_equal(tags(&rig), 0);
}

static void a_token_server_that_is_gone_counts_too(void **state)
{
    struct rig_cfg cfg = impatient;
    RIG_AUTO struct rig rig;

    (void)state;
    cfg.fake.auth = FAKE_AUTH_BEARER;
    rig_start(&rig, &cfg);
    fake_registry_repo(rig.fake, "a/b");
    rig_fault(&rig, "* /token", 0, FAKE_STALL, 0);
    assert_int_equal(tags(&rig), -ETIMEDOUT);
    /* The registry itself answers the probe; the token is asked for, too. */
    assert_true(fake_server_wait(rig.server, ROOT, 1, SOON_MS));
    assert_true(fake_server_wait(rig.server, "* /token", 2, SOON_MS));
    assert_int_equal(tags(&rig), -ETIMEDOUT);
    assert_int_equal(rig_count(&rig, LIST), 1);
    assert_false(is_up(&rig));
    fake_server_no_faults(rig.server);
    fake_server_release(rig.server);
    assert_true(comes_up(&rig));
    assert_int_equal(tags(&rig), 0);
}

static void stopping_ends_the_prober_in_any_state(void **state)
{
    (void)state;
    for (int i = 0; i < 2; i++) {
        RIG_AUTO struct rig rig;

        rig_start(&rig, &impatient);
        if (i == 0)
            continue;
        fake_server_down(rig.server);
        assert_int_equal(tags(&rig), -ECONNREFUSED);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_dead_registry_fails_at_once_and_heals),
        cmocka_unit_test(a_silent_registry_costs_one_deadline),
        cmocka_unit_test(any_answer_to_the_probe_will_do),
        cmocka_unit_test(an_impatient_user_does_not_condemn_it),
        cmocka_unit_test(a_doubt_that_the_probe_confirms_is_certainty),
        cmocka_unit_test(a_user_who_gives_up_does_not_condemn_it),
        cmocka_unit_test(stragglers_do_not_condemn_what_is_back),
        cmocka_unit_test(a_check_asks_though_it_is_down),
        cmocka_unit_test(a_token_server_that_is_gone_counts_too),
        cmocka_unit_test(stopping_ends_the_prober_in_any_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
