/* SPDX-License-Identifier: Apache-2.0 */
#include "push_rig.h"

/* Each request of a push fails once, in each of these ways. */

enum flow { LAYOUT, TAG, FLOWS };

static int run(struct prig *p, enum flow flow)
{
    return flow == LAYOUT ? prig_layout(p, "app") : prig_tag(p, "app");
}

/* A registry that is back takes a moment to be believed. */
static void run_until_it_works(struct prig *p, enum flow flow)
{
    int64_t until = ofs_mono_ms() + 20 * 1000;

    while (run(p, flow) < 0) {
        if (ofs_mono_ms() > until)
            fail_msg("%s", p->err.text);
        (void)sched_yield();
    }
}

static void start_flow(struct prig *p, enum flow flow, int attempts)
{
    const struct rig_cfg cfg = {
        .fake = { .auth = FAKE_AUTH_BEARER },
        .max_attempts = attempts,
        .probe_ms = 20,
    };

    prig_start(p, &cfg);
    if (flow == TAG) {
        assert_int_equal(prig_layout(p, "base"), 0);
        p->where = "base";
    }
    fake_server_clear(p->rig.server);
}

static unsigned count_requests(enum flow flow)
{
    struct prig p;
    unsigned n;

    start_flow(&p, flow, 1);
    assert_int_equal(run(&p, flow), 0);
    n = rig_count(&p.rig, "* /v2/*");
    prig_stop(&p);
    return n;
}

static void fail_one(enum flow flow, unsigned nth,
                     const struct fake_fault *fault, int attempts)
{
    struct fake_fault f = *fault;
    struct prig p;
    int r;

    start_flow(&p, flow, attempts);
    f.match = "* /v2/*";
    f.nth = nth;
    fake_server_fault(p.rig.server, &f);
    r = run(&p, flow);
    if (r == 0)
        assert_true(prig_is_set(&p, "app"));
    else if (attempts > 1)
        fail_msg("request %u: %s", nth, p.err.text);
    assert_true(r == 0 || prig_pending(&p) > 0 || !prig_is_set(&p, "app"));
    /* Whatever was left over, the next mount comes to the same end. */
    fake_server_no_faults(p.rig.server);
    prig_unmount(&p);
    prig_mount(&p);
    run_until_it_works(&p, flow);
    assert_true(prig_is_set(&p, "app"));
    assert_int_equal(prig_pending(&p), 0);
    prig_stop(&p);
}

static void each_request_fails_once(enum flow flow)
{
    static const struct {
        struct fake_fault fault;
        int attempts; /* of a request; several: nobody notices */
    } faults[] = {
        { { .kind = FAKE_RESET_NOW }, 1 },
        { { .kind = FAKE_LOSE_ANSWER }, 1 },
        { { .kind = FAKE_STATUS, .n = 500 }, 1 },
        { { .kind = FAKE_EXPIRE_TOKENS }, 4 },
    };
    unsigned n = count_requests(flow);

    assert_in_range(n, 5, 60);
    for (size_t i = 0; i < OFS_COUNT_OF(faults); i++)
        for (unsigned nth = 1; nth <= n; nth++)
            fail_one(flow, nth, &faults[i].fault, faults[i].attempts);
}

static void a_layout_survives_each_failure(void **state)
{
    (void)state;
    each_request_fails_once(LAYOUT);
}

static void a_tag_survives_each_failure(void **state)
{
    (void)state;
    each_request_fails_once(TAG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_layout_survives_each_failure),
        cmocka_unit_test(a_tag_survives_each_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
