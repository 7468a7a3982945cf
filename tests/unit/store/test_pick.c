/* SPDX-License-Identifier: Apache-2.0 */
#include "store_world.h"

/*
 * An object drawn as text: '.' absent, 'c' coming, 'P' present, 'h' held.
 */
enum { NOW = 1000000 };

struct picture {
    struct ofs_store store;
    struct ofs_object object;
    struct ofs_blob blobs[2];
    struct ofs_source sources[2];
    struct ofs_want want;
    _Atomic uint8_t states[256];
};

static void draw(struct picture *p, const char *text)
{
    struct ofs_object *o = &p->object;

    memset((void *)p, 0, sizeof(*p));
    p->store.cfg.max_transfers = 16;
    o->store = &p->store;
    o->state = p->states;
    o->ready = true;
    o->n_chunks = (uint32_t)strlen(text);
    o->size = (uint64_t)o->n_chunks * OFS_CHUNK_BYTES;
    o->file = (struct ofs_blobfile)OFS_BLOBFILE_NONE;
    o->busy_since_ms = NOW;
    for (uint32_t i = 0; i < o->n_chunks; i++) {
        enum ofs_chunk state = OFS_ABSENT;

        if (text[i] == 'c')
            state = OFS_COMING;
        else if (text[i] == 'P')
            state = OFS_PRESENT;
        else if (text[i] == 'h')
            state = OFS_HELD;
        ofs_object_set(o, i, state);
    }
    o->blobs = &p->blobs[0];
    p->blobs[0].next = &p->blobs[1];
    for (int i = 0; i < 2; i++) {
        p->blobs[i].object = o;
        p->blobs[i].source = &p->sources[i];
    }
}

static void want(struct picture *p, uint32_t first, uint32_t last)
{
    p->want = (struct ofs_want){
        .blob = &p->blobs[0], .first = first, .last = last, .await = last
    };
    ofs_want_add(&p->object, &p->want);
}

/* The window of handle `i`, in chunks. */
static void window(struct picture *p, int i, uint64_t from, uint64_t to,
                   uint64_t piece)
{
    p->blobs[i].ra = (struct ofs_readahead){
        .started = true,
        .from = from * OFS_CHUNK_BYTES,
        .to = to * OFS_CHUNK_BYTES,
        .piece = piece * OFS_CHUNK_BYTES,
    };
}

static const char long_text[] = "................................"
                                "................................"
                                "................................";

static const struct {
    const char *label, *text;
    int want[2];   /* first and last; -1: nobody wants */
    int window[3]; /* from, to, piece; piece 0: none */
    bool demand, memory;
    unsigned n_fetches;
    uint32_t hashed;
    uint32_t first, n; /* what is picked; n 0: nothing */
} cases[] = {
    { "nothing wanted", "....", { -1 }, { 0 }, false, false, 0, 0, 0, 0 },
    { "just what is wanted",
      "........",
      { 2, 3 },
      { 0 },
      false,
      false,
      0,
      0,
      2,
      2 },
    { "what is coming is left out",
      "..c.....",
      { 1, 5 },
      { 0 },
      false,
      false,
      0,
      0,
      1,
      1 },
    { "and what is here",
      "PPP.c.P.",
      { 0, 7 },
      { 0 },
      false,
      false,
      0,
      0,
      3,
      1 },
    { "all of it coming", ".cc.", { 1, 2 }, { 0 }, false, false, 0, 0, 0, 0 },
    { "held is here", ".hh.", { 1, 2 }, { 0 }, false, false, 0, 0, 0, 0 },
    { "a sequence goes on in one request",
      long_text,
      { 2, 2 },
      { 3, 20, 8 },
      false,
      false,
      0,
      0,
      2,
      8 },
    { "up to the window's end",
      long_text,
      { 2, 2 },
      { 3, 5, 8 },
      false,
      false,
      0,
      0,
      2,
      3 },
    { "a read longer than its window",
      long_text,
      { 2, 40 },
      { 41, 44, 32 },
      false,
      false,
      0,
      0,
      2,
      32 },
    { "a long read at random",
      long_text,
      { 2, 90 },
      { 0 },
      false,
      false,
      0,
      0,
      2,
      64 },
    { "ahead", long_text, { -1 }, { 8, 20, 4 }, false, false, 0, 0, 8, 4 },
    { "ahead, the next piece",
      "PPPPPPPPcccc........",
      { -1 },
      { 8, 20, 4 },
      false,
      false,
      1,
      0,
      12,
      4 },
    { "ahead, all coming",
      "PPPPcccc....",
      { -1 },
      { 4, 8, 4 },
      false,
      false,
      1,
      0,
      0,
      0 },
    { "ahead, enough at a time",
      long_text,
      { -1 },
      { 8, 20, 4 },
      false,
      false,
      6,
      0,
      0,
      0 },
    { "wanted before ahead",
      long_text,
      { 60, 60 },
      { 0 },
      true,
      false,
      6,
      0,
      60,
      1 },
    { "wanted, too many at a time",
      long_text,
      { 60, 60 },
      { 0 },
      true,
      false,
      8,
      0,
      0,
      0 },
    { "the verdict", long_text, { -1 }, { 0 }, true, false, 0, 0, 0, 64 },
    { "the verdict, the rest",
      "PPccPP..PP",
      { -1 },
      { 0 },
      true,
      false,
      1,
      0,
      6,
      2 },
    { "the verdict, behind the chain",
      "..PP....",
      { -1 },
      { 0 },
      true,
      false,
      0,
      4,
      4,
      4 },
    { "in memory less at a time",
      long_text,
      { 2, 30 },
      { 0 },
      false,
      true,
      0,
      0,
      2,
      4 },
    { "in memory near the chain",
      long_text,
      { -1 },
      { 0 },
      true,
      true,
      0,
      10,
      10,
      4 },
    { "in memory not too far from it",
      "hhhhhhhh........",
      { -1 },
      { 0 },
      true,
      true,
      0,
      0,
      0,
      0 },
};

static void the_right_range_is_picked(void **state)
{
    struct picture *p = malloc(sizeof(*p));

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(cases); i++) {
        struct ofs_pick pick;

        draw(p, cases[i].text);
        if (cases[i].want[0] >= 0)
            want(p, (uint32_t)cases[i].want[0], (uint32_t)cases[i].want[1]);
        if (cases[i].window[2])
            window(p, 0, (uint64_t)cases[i].window[0],
                   (uint64_t)cases[i].window[1], (uint64_t)cases[i].window[2]);
        p->object.demand = cases[i].demand;
        p->object.n_fetches = cases[i].n_fetches;
        p->object.hashed = cases[i].hashed;
        ofs_pick(&p->object, cases[i].memory, NOW, &pick);
        if (pick.n != cases[i].n || (pick.n && pick.first != cases[i].first))
            fail_msg("%s: %u from %u", cases[i].label, pick.n, pick.first);
    }
    free(p);
}

/* On a slow line the one that is waited for has it for itself. */
static void no_more_is_under_way_than_the_line_carries(void **state)
{
    static const struct {
        const char *label;
        int64_t busy_ms;
        uint64_t arrived; /* in the last seconds, bytes */
        const char *text;
        bool picks;
    } lines[] = {
        { "too early to tell", 1000, 0, "cccccccccccccccc........", true },
        { "slow", 5000, MIB, "cccccccccccccccc........", false },
        { "slow, but little under way", 5000, 0, "cccccccc........", true },
        { "fast", 5000, 40 * MIB, "cccccccccccccccc........", true },
        { "standing still", 5000, 0, "cccccccccccccccc........", false },
    };
    struct picture *p = malloc(sizeof(*p));

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(lines); i++) {
        struct ofs_pick pick;

        draw(p, lines[i].text);
        p->object.n_fetches = 1;
        p->object.busy_since_ms = NOW - lines[i].busy_ms;
        ofs_rate_add(&p->object.rate, NOW, lines[i].arrived);
        window(p, 0, 0, 24, 4);
        ofs_pick(&p->object, false, NOW, &pick);
        if ((pick.n > 0) != lines[i].picks)
            fail_msg("%s: %u", lines[i].label, pick.n);
        /* What is waited for is fetched in any case. */
        want(p, 20, 20);
        ofs_pick(&p->object, false, NOW, &pick);
        assert_int_equal(pick.first, 20);
        assert_true(pick.n > 0);
    }
    free(p);
}

static void who_wants_pays_with_its_own_source(void **state)
{
    struct picture *p = malloc(sizeof(*p));
    struct ofs_pick pick;

    (void)state;
    draw(p, "........");
    want(p, 1, 1);
    p->want.blob = &p->blobs[1];
    ofs_pick(&p->object, false, NOW, &pick);
    assert_ptr_equal(pick.source, &p->sources[1]);
    /* Without one it waits for others. */
    p->blobs[1].source = NULL;
    ofs_pick(&p->object, false, NOW, &pick);
    assert_int_equal(pick.n, 0);
    /* The verdict may be had with anybody's. */
    p->blobs[0].source = NULL;
    p->blobs[1].source = &p->sources[1];
    ofs_list_remove(&p->want);
    p->object.demand = true;
    ofs_pick(&p->object, false, NOW, &pick);
    assert_int_equal(pick.n, 8);
    assert_ptr_equal(pick.source, &p->sources[1]);
    free(p);
}

static void nothing_is_fetched_for_who_was_told_of_a_failure(void **state)
{
    struct picture *p = malloc(sizeof(*p));
    struct ofs_err err = { .code = -EIO };
    struct ofs_call call;
    struct ofs_pick pick;

    (void)state;
    draw(p, "........");
    want(p, 1, 1);
    ofs_call_init(&call, OFS_NEVER);
    p->want.call = &call;
    ofs_object_fail(&p->object, 0, 7, &err, NULL);
    ofs_pick(&p->object, false, NOW, &pick);
    assert_int_equal(pick.n, 0);
    ofs_call_done(&call);
    free(p);
}

static void what_is_damaged_or_not_open_yet_is_left_alone(void **state)
{
    struct picture *p = malloc(sizeof(*p));
    struct ofs_pick pick;

    (void)state;
    draw(p, "........");
    want(p, 1, 1);
    p->object.ready = false;
    ofs_pick(&p->object, false, NOW, &pick);
    assert_int_equal(pick.n, 0);
    p->object.ready = true;
    p->object.broken = -EBADMSG;
    ofs_pick(&p->object, false, NOW, &pick);
    assert_int_equal(pick.n, 0);
    free(p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_right_range_is_picked),
        cmocka_unit_test(no_more_is_under_way_than_the_line_carries),
        cmocka_unit_test(who_wants_pays_with_its_own_source),
        cmocka_unit_test(nothing_is_fetched_for_who_was_told_of_a_failure),
        cmocka_unit_test(what_is_damaged_or_not_open_yet_is_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
