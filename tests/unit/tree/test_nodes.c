/* SPDX-License-Identifier: Apache-2.0 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "nodes.h"

#include <stdatomic.h>

enum { N_THREADS = 8, ROUNDS = 5000, MANY = 20000 };

static struct ofs_node_spec spec_of(const char *kind, const char *path,
                                    const char *name)
{
    struct ofs_node_spec spec = { .kind = kind };

    (void)snprintf(spec.path, sizeof(spec.path), "%s", path);
    (void)snprintf(spec.name, sizeof(spec.name), "%s", name);
    return spec;
}

static struct ofs_node_spec tag_of(const char *tag, const char *content)
{
    struct ofs_node_spec spec = spec_of("tag", "a/b", tag);

    assert_int_equal(
        ofs_digest_of(OFS_SHA256, content, strlen(content), &spec.digest), 0);
    return spec;
}

/* The number, with one lookup counted and no use. */
static uint64_t look_up(struct ofs_nodes *t, const struct ofs_node_spec *spec)
{
    struct ofs_node *n;
    uint64_t ino;

    assert_int_equal(ofs_nodes_make(t, spec, 1, &n), 0);
    ino = n->ino;
    ofs_nodes_unuse(t, n);
    return ino;
}

static void numbers_are_the_same_in_every_table(void **state)
{
    const struct ofs_node_spec spec = tag_of("latest", "x");
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes a, b;
    uint64_t ino;

    (void)state;
    assert_int_equal(ofs_nodes_init(&a), 0);
    assert_int_equal(ofs_nodes_init(&b), 0);
    ino = look_up(&a, &spec);
    assert_int_equal(look_up(&b, &spec), ino);
    assert_int_equal(ofs_ino_of(&spec, 0), ino);
    /* And in every build: a mount of tomorrow has the inodes of today. */
    assert_int_equal(ofs_ino_of(&(struct ofs_node_spec){ .kind = "dir" }, 0),
                     UINT64_C(0x9019672b8a7bc266));
}

static void everything_that_differs_has_a_number_of_its_own(void **state)
{
    const struct ofs_node_spec specs[] = {
        tag_of("latest", "x"),       tag_of("latest", "y"), /* it moved */
        tag_of("1.0", "x"),          spec_of("tag", "a/b", "latest"),
        spec_of("tag", "a", "b"),    spec_of("tag", "a/b", ""),
        spec_of("dir", "a/b", ""),   spec_of("dir", "a", ""),
        spec_of("blobs", "a/b", ""),
    };

    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(specs); i++)
        for (size_t j = 0; j < i; j++)
            assert_int_not_equal(ofs_ino_of(&specs[i], 0),
                                 ofs_ino_of(&specs[j], 0));
}

static void a_scope_makes_another_directory_of_a_path(void **state)
{
    struct ofs_node_spec spec = spec_of("dir", "ns/app", "");
    uint64_t plain = ofs_ino_of(&spec, 0), ino;
    struct ofs_node *node;
    struct ofs_nodes t;

    (void)state;
    spec.scope = 7;
    ino = ofs_ino_of(&spec, 0);
    assert_true(ino != plain);
    spec.scope = 8;
    assert_true(ofs_ino_of(&spec, 0) != ino);
    assert_int_equal(ofs_nodes_init(&t), 0);
    assert_int_equal(ofs_nodes_make(&t, &spec, 0, &node), 0);
    assert_int_equal(node->scope, 8);
    assert_string_equal(node->path, "ns/app");
    ofs_nodes_unuse(&t, node);
    ofs_nodes_done(&t);
}

static void a_node_goes_with_its_last_reference(void **state)
{
    const struct ofs_node_spec spec = tag_of("latest", "x");
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    struct ofs_node *n;
    uint64_t ino;

    (void)state;
    assert_int_equal(ofs_nodes_init(&t), 0);
    ino = look_up(&t, &spec);
    assert_int_equal(look_up(&t, &spec), ino);
    ofs_nodes_forget(&t, ino, 1);
    n = ofs_nodes_use(&t, ino);
    assert_non_null(n);
    assert_string_equal(n->path, "a/b");
    assert_string_equal(n->name, "latest");
    ofs_nodes_forget(&t, ino, 1);
    assert_int_equal(ofs_nodes_count(&t), 1); /* somebody is at work with it */
    ofs_nodes_unuse(&t, n);
    assert_int_equal(ofs_nodes_count(&t), 0);
    assert_null(ofs_nodes_use(&t, ino));
    ofs_nodes_forget(&t, ino, 1); /* unknown: nothing */
}

static void what_collides_takes_its_next_choice(void **state)
{
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    uint64_t first[6];
    char tag[8];

    (void)state;
    assert_int_equal(ofs_nodes_init(&t), 0);
    t.ino_mask = 0xff;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 6; i++) {
            struct ofs_node_spec spec;
            struct ofs_node *n;

            (void)snprintf(tag, sizeof(tag), "t%d", i);
            spec = tag_of(tag, "x");
            assert_int_equal(ofs_nodes_make(&t, &spec, 1, &n), 0);
            assert_string_equal(n->name, tag);
            assert_true(n->ino > OFS_NODES_ROOT);
            if (round == 0)
                first[i] = n->ino;
            assert_int_equal(n->ino, first[i]);
            ofs_nodes_unuse(&t, n);
        }
    }
    assert_int_equal(ofs_nodes_count(&t), 6);
}

static void a_node_is_found_when_what_stood_in_its_way_has_gone(void **state)
{
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    struct ofs_node_spec a, b;
    uint64_t ino_a, ino_b;
    char tag[16];

    (void)state;
    assert_int_equal(ofs_nodes_init(&t), 0);
    t.ino_mask = 0xff;
    a = tag_of("a", "x");
    ino_a = look_up(&t, &a);
    /* Some other one has the same first choice. */
    for (int i = 0;; i++) {
        (void)snprintf(tag, sizeof(tag), "b%d", i);
        b = tag_of(tag, "x");
        if ((ofs_ino_of(&b, 0) & 0xff) == ino_a)
            break;
    }
    ino_b = look_up(&t, &b);
    assert_int_not_equal(ino_b, ino_a);
    ofs_nodes_forget(&t, ino_a, 1);
    assert_int_equal(look_up(&t, &b), ino_b);
    assert_int_equal(ofs_nodes_count(&t), 1);
}

static void the_root_is_never_forgotten(void **state)
{
    const struct ofs_node_spec root = spec_of("dir", "", "");
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    struct ofs_node *n;

    (void)state;
    assert_int_equal(ofs_nodes_init(&t), 0);
    assert_int_equal(ofs_nodes_make_root(&t, &root), 0);
    n = ofs_nodes_use(&t, OFS_NODES_ROOT);
    assert_non_null(n);
    ofs_nodes_unuse(&t, n);
    assert_non_null(n = ofs_nodes_use(&t, OFS_NODES_ROOT));
    ofs_nodes_unuse(&t, n);
}

static void many_nodes_are_found(void **state)
{
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    struct ofs_node_spec spec = spec_of("tag", "a", "");
    OFS_AUTOFREE uint64_t *inos = calloc(MANY, sizeof(*inos));

    (void)state;
    assert_non_null(inos);
    assert_int_equal(ofs_nodes_init(&t), 0);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(spec.name, sizeof(spec.name), "%d", i);
        inos[i] = look_up(&t, &spec);
    }
    assert_int_equal(ofs_nodes_count(&t), MANY);
    assert_true(t.n_buckets >= MANY / 2);
    for (int i = 0; i < MANY; i++)
        ofs_nodes_forget(&t, inos[i], 1);
    assert_int_equal(ofs_nodes_count(&t), 0);
}

static void nodes_of_one_content_are_found(void **state)
{
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    const struct ofs_node_spec a = tag_of("a", "x"), b = tag_of("b", "x"),
                               c = tag_of("c", "y");
    uint64_t inos[4];

    (void)state;
    assert_int_equal(ofs_nodes_init(&t), 0);
    (void)look_up(&t, &a);
    (void)look_up(&t, &b);
    (void)look_up(&t, &c);
    assert_int_equal(ofs_nodes_of_digest(&t, &a.digest, inos, 4), 2);
    assert_int_equal(ofs_nodes_of_digest(&t, &a.digest, inos, 1), 1);
    assert_int_equal(ofs_nodes_of_digest(&t, &c.digest, inos, 4), 1);
}

static void a_node_remembers_its_last_error(void **state)
{
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    const struct ofs_node_spec spec = tag_of("a", "x");
    OFS_AUTOFREE char *text = NULL;
    struct ofs_node *n;
    uint64_t ino;

    (void)state;
    assert_int_equal(ofs_nodes_init(&t), 0);
    ino = look_up(&t, &spec);
    n = ofs_nodes_use(&t, ino);
    assert_null(ofs_nodes_error(&t, n));
    ofs_nodes_set_error(&t, ino, "first");
    ofs_nodes_set_error(&t, ino, "second");
    text = ofs_nodes_error(&t, n);
    assert_string_equal(text, "second");
    ofs_nodes_set_error(&t, ino, NULL);
    assert_null(ofs_nodes_error(&t, n));
    ofs_nodes_set_error(&t, ino + 1, "nobody's");
    ofs_nodes_unuse(&t, n);
}

struct churn {
    struct ofs_nodes *t;
    atomic_uint wrong;
};

static void *churn(void *arg)
{
    struct churn *c = arg;

    for (int i = 0; i < ROUNDS; i++) {
        struct ofs_node_spec spec = spec_of("tag", "a", "");
        struct ofs_node *n, *same;

        (void)snprintf(spec.name, sizeof(spec.name), "%d", i % 7);
        if (ofs_nodes_make(c->t, &spec, 1, &n) < 0) {
            atomic_fetch_add(&c->wrong, 1);
            continue;
        }
        same = ofs_nodes_use(c->t, n->ino);
        atomic_fetch_add(&c->wrong, same != n);
        ofs_nodes_unuse(c->t, same);
        ofs_nodes_forget(c->t, n->ino, 1);
        atomic_fetch_add(&c->wrong, strcmp(n->name, spec.name) != 0);
        ofs_nodes_unuse(c->t, n);
    }
    return NULL;
}

static void lookup_and_forget_may_meet(void **state)
{
    OFS_AUTO(ofs_nodes_done) struct ofs_nodes t;
    struct churn c = { .t = &t };
    pthread_t threads[N_THREADS];

    (void)state;
    assert_int_equal(ofs_nodes_init(&t), 0);
    for (int i = 0; i < N_THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, &c), 0);
    for (int i = 0; i < N_THREADS; i++)
        (void)pthread_join(threads[i], NULL);
    assert_int_equal(atomic_load(&c.wrong), 0);
    assert_int_equal(ofs_nodes_count(&t), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_are_the_same_in_every_table),
        cmocka_unit_test(everything_that_differs_has_a_number_of_its_own),
        cmocka_unit_test(a_scope_makes_another_directory_of_a_path),
        cmocka_unit_test(a_node_goes_with_its_last_reference),
        cmocka_unit_test(what_collides_takes_its_next_choice),
        cmocka_unit_test(a_node_is_found_when_what_stood_in_its_way_has_gone),
        cmocka_unit_test(the_root_is_never_forgotten),
        cmocka_unit_test(many_nodes_are_found),
        cmocka_unit_test(nodes_of_one_content_are_found),
        cmocka_unit_test(a_node_remembers_its_last_error),
        cmocka_unit_test(lookup_and_forget_may_meet),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
