/* SPDX-License-Identifier: Apache-2.0 */
#include "push_image.h"

#include <pthread.h>

/*
 * Many threads bring the parts of several images, manifests and index.json at
 * once, each in an order of its own.  In the end every tag is there, whoever
 * was the last.
 */

enum { IMAGES = 6, PARTS = 4 * IMAGES, THREADS = 8, ROUNDS = 10 };

struct crowd {
    struct world *w;
    struct image images[IMAGES];
    char tags[IMAGES][8];
    _Atomic int next; /* part */
    int order[PARTS];
    _Atomic int failures;
};

static int bring(struct crowd *c, struct world *mine, int part)
{
    const struct image *m = &c->images[part / 4];
    const struct image *const all[] = { m, NULL };
    const char *const tags[] = { c->tags[part / 4], NULL };

    switch (part % 4) {
    case 0:
        return push_bytes(mine, "app", m->config);
    case 1:
        return push_bytes(mine, "app", m->layer);
    case 2:
        return push_bytes(mine, "app", m->manifest);
    default:
        return push_index(mine, "app", all, tags);
    }
}

/* A call and an error of its own; the rest is shared. */
static void *run(void *arg)
{
    struct crowd *c = arg;
    struct world mine = { .p = c->w->p };
    int i;

    ofs_call_init(&mine.call, 60 * 1000);
    while ((i = atomic_fetch_add(&c->next, 1)) < PARTS)
        if (bring(c, &mine, c->order[i]) < 0)
            atomic_fetch_add(&c->failures, 1);
    ofs_call_done(&mine.call);
    return NULL;
}

static void shuffle(struct crowd *c, uint64_t seed)
{
    for (int i = 0; i < PARTS; i++)
        c->order[i] = i;
    for (int i = PARTS - 1; i > 0; i--) {
        int k, other;

        seed = seed * 6364136223846793005u + 1442695040888963407u;
        k = (int)((seed >> 33) % (uint64_t)(i + 1));
        other = c->order[k];
        c->order[k] = c->order[i];
        c->order[i] = other;
    }
}

static void run_crowd(struct world *w, uint64_t seed)
{
    struct crowd c = { .w = w };
    pthread_t threads[THREADS];

    shuffle(&c, seed);
    for (int i = 0; i < IMAGES; i++) {
        char name[32];

        (void)snprintf(name, sizeof(name), "%d of %d", i, (int)seed);
        image_make(&c.images[i], name);
        (void)snprintf(c.tags[i], sizeof(c.tags[i]), "t%d", i);
    }
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, run, &c), 0);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    assert_int_equal(c.failures, 0);
    for (int i = 0; i < IMAGES; i++)
        assert_true(has_tag(w, "app", c.tags[i], &c.images[i]));
}

static void every_tag_is_there_whoever_was_last(void **state)
{
    struct world w;

    (void)state;
    world_init(&w);
    for (uint64_t i = 0; i < ROUNDS; i++) {
        run_crowd(&w, i);
        until_all_is_done(&w);
    }
    world_done(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_tag_is_there_whoever_was_last),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
