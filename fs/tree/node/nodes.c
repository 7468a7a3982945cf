/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One lock guards the table and every node's counts.  Finding or making a
 * node and counting the kernel's new reference is one critical section, and
 * so is dropping references and leaving the table; between them lies the
 * classic race of lookup and forget.
 *
 * A number is the beginning of a SHA-256, so that two things get the same one
 * by accident never, and by a hostile registry's choice of names only with
 * more work than it is worth.  If it happens all the same, the later one takes
 * its next choice.  All choices are looked at before a node is made, because
 * the node that stood in the way may have gone meanwhile.
 */
#include "nodes.h"

enum { FIRST_BUCKETS = 256, N_SALTS = 4 };

/* kind, path and name with their NULs, the digest, and the scope if any. */
struct key {
    size_t len;
    char text[64 + 2 * (NAME_MAX + 1) + 1 + OFS_DIGEST_MAX + sizeof(uint64_t)];
};

static void key_add(struct key *k, const void *data, size_t len)
{
    assert(k->len + len <= sizeof(k->text));
    memcpy(k->text + k->len, data, len);
    k->len += len;
}

static void key_make(const struct ofs_node_spec *spec, struct key *k)
{
    k->len = 0;
    key_add(k, spec->kind, strlen(spec->kind) + 1);
    key_add(k, spec->path, strlen(spec->path) + 1);
    key_add(k, spec->name, strlen(spec->name) + 1);
    key_add(k, &spec->digest.alg, 1);
    if (spec->digest.alg)
        key_add(k, spec->digest.bytes, ofs_digest_len(spec->digest.alg));
    for (int shift = 56; spec->scope && shift >= 0; shift -= 8)
        key_add(k, &(char){ (char)(spec->scope >> shift) }, 1);
}

/* 0: no memory. */
static uint64_t ino_of_key(const struct key *k, unsigned salt)
{
    struct ofs_digest d;
    struct key salted = *k;
    uint64_t ino = 0;
    char byte = (char)salt;

    if (salt > 0)
        key_add(&salted, &byte, 1);
    if (ofs_digest_of(OFS_SHA256, salted.text, salted.len, &d) < 0)
        return 0;
    for (int i = 0; i < 8; i++)
        ino = ino << 8 | d.bytes[i];
    /* 0 is "no entry" to FUSE, 1 the root. */
    return ino > OFS_NODES_ROOT ? ino : ino + 2;
}

uint64_t ofs_ino_of(const struct ofs_node_spec *spec, unsigned salt)
{
    struct key k;

    key_make(spec, &k);
    return ino_of_key(&k, salt);
}

int ofs_nodes_init(struct ofs_nodes *t)
{
    memset(t, 0, sizeof(*t));
    t->buckets = calloc(FIRST_BUCKETS, sizeof(struct ofs_node *));
    if (!t->buckets)
        return -ENOMEM;
    t->n_buckets = FIRST_BUCKETS;
    t->ino_mask = UINT64_MAX;
    ofs_mutex_init(&t->mtx, OFS_RANK_TREE);
    return 0;
}

static void node_free(struct ofs_node *n)
{
    if (!n)
        return;
    free(n->error);
    free(n);
}
OFS_DEFINE_AUTO(struct ofs_node, node_free)

void ofs_nodes_done(struct ofs_nodes *t)
{
    for (size_t i = 0; i < t->n_buckets; i++) {
        while (t->buckets[i]) {
            struct ofs_node *n = t->buckets[i];

            t->buckets[i] = n->next;
            node_free(n);
        }
    }
    free(t->buckets);
    if (t->n_buckets)
        ofs_mutex_done(&t->mtx);
    memset(t, 0, sizeof(*t));
}

/* With t->mtx held, as all up to ofs_nodes_make(). */
static struct ofs_node **slot_of(struct ofs_nodes *t, uint64_t ino)
{
    struct ofs_node **p = &t->buckets[ino & (t->n_buckets - 1)];

    while (*p && (*p)->ino != ino)
        p = &(*p)->next;
    return p;
}

static void grow(struct ofs_nodes *t)
{
    size_t n = t->n_buckets * 2;
    struct ofs_node **buckets = calloc(n, sizeof(struct ofs_node *));

    if (!buckets)
        return; /* chains get longer, nothing else */
    for (size_t i = 0; i < t->n_buckets; i++) {
        while (t->buckets[i]) {
            struct ofs_node *node = t->buckets[i];

            t->buckets[i] = node->next;
            node->next = buckets[node->ino & (n - 1)];
            buckets[node->ino & (n - 1)] = node;
        }
    }
    free(t->buckets);
    t->buckets = buckets;
    t->n_buckets = n;
}

static bool has_key(const struct ofs_node *n, const struct ofs_node *wanted)
{
    return n->key_len == wanted->key_len &&
           memcmp(n->key, wanted->key, n->key_len) == 0;
}

static void insert(struct ofs_nodes *t, struct ofs_node *n, uint64_t ino)
{
    struct ofs_node **p;

    n->ino = ino;
    if (t->count >= t->n_buckets)
        grow(t);
    p = slot_of(t, ino);
    assert(!*p);
    *p = n;
    t->count++;
}

/* The node like `fresh`, or *fresh put into the table; NULL: no place. */
static struct ofs_node *find_or_insert(struct ofs_nodes *t,
                                       struct ofs_node **fresh,
                                       const uint64_t choices[N_SALTS])
{
    struct ofs_node *n;
    int place = -1;

    for (int i = N_SALTS - 1; i >= 0; i--) {
        n = *slot_of(t, choices[i]);
        if (n && has_key(n, *fresh))
            return n;
        if (!n)
            place = i;
    }
    if (place < 0)
        return NULL;
    n = ofs_take(fresh);
    insert(t, n, choices[place]);
    return n;
}

static struct ofs_node *node_new(const struct ofs_node_spec *spec,
                                 const struct key *k)
{
    struct ofs_node *n = calloc(1, sizeof(*n) + k->len);

    if (!n)
        return NULL;
    memcpy(n->key, k->text, k->len);
    n->key_len = k->len;
    n->path = n->key + strlen(spec->kind) + 1;
    n->name = n->path + strlen(spec->path) + 1;
    n->view = spec->view;
    n->scope = spec->scope;
    n->digest = spec->digest;
    n->size = spec->size;
    n->mtime_s = spec->mtime_s;
    n->manifest = spec->manifest;
    return n;
}

/* All choices; false: no memory. */
static bool choose(const struct ofs_nodes *t, const struct key *k,
                   uint64_t ret[N_SALTS])
{
    for (unsigned i = 0; i < N_SALTS; i++) {
        uint64_t ino = ino_of_key(k, i);

        if (!ino)
            return false;
        ino &= t->ino_mask;
        ret[i] = ino > OFS_NODES_ROOT ? ino : ino + 2;
    }
    return true;
}

int ofs_nodes_make(struct ofs_nodes *t, const struct ofs_node_spec *spec,
                   unsigned n_lookup, struct ofs_node **ret)
{
    OFS_AUTO(node_freep) struct ofs_node *fresh = NULL;
    uint64_t choices[N_SALTS];
    struct ofs_node *n;
    struct key k;

    key_make(spec, &k);
    fresh = node_new(spec, &k);
    if (!fresh || !choose(t, &k, choices))
        return -ENOMEM;

    OFS_GUARD(&t->mtx);
    n = find_or_insert(t, &fresh, choices);
    if (!n)
        return -ENOMEM;
    n->nlookup += n_lookup;
    n->uses++;
    *ret = n;
    return 0;
}

int ofs_nodes_make_root(struct ofs_nodes *t, const struct ofs_node_spec *spec)
{
    struct ofs_node *root;
    struct key k;

    key_make(spec, &k);
    root = node_new(spec, &k);
    if (!root)
        return -ENOMEM;

    OFS_GUARD(&t->mtx);
    root->nlookup = 1;
    insert(t, root, OFS_NODES_ROOT);
    return 0;
}

bool ofs_nodes_is_root(struct ofs_nodes *t, const struct ofs_node_spec *spec)
{
    const struct ofs_node *root;
    struct key k;

    key_make(spec, &k);
    OFS_GUARD(&t->mtx);
    root = *slot_of(t, OFS_NODES_ROOT);
    return root && root->key_len == k.len &&
           memcmp(root->key, k.text, k.len) == 0;
}

struct ofs_node *ofs_nodes_use(struct ofs_nodes *t, uint64_t ino)
{
    struct ofs_node *n;

    OFS_GUARD(&t->mtx);
    n = *slot_of(t, ino);
    if (n)
        n->uses++;
    return n;
}

/* With t->mtx held: take a node that nobody knows out of the table. */
static struct ofs_node *take_dead(struct ofs_nodes *t, struct ofs_node **p)
{
    struct ofs_node *n = *p;

    if (n->nlookup > 0 || n->uses > 0)
        return NULL;
    *p = n->next;
    t->count--;
    return n;
}

void ofs_nodes_unuse(struct ofs_nodes *t, struct ofs_node *node)
{
    OFS_AUTO(node_freep) struct ofs_node *dead = NULL;

    if (!node)
        return;
    OFS_GUARD(&t->mtx);
    assert(node->uses > 0);
    node->uses--;
    dead = take_dead(t, slot_of(t, node->ino));
}

void ofs_nodes_forget(struct ofs_nodes *t, uint64_t ino, uint64_t n)
{
    OFS_AUTO(node_freep) struct ofs_node *dead = NULL;
    struct ofs_node **p;

    OFS_GUARD(&t->mtx);
    p = slot_of(t, ino);
    if (!*p)
        return;
    (*p)->nlookup -= n < (*p)->nlookup ? n : (*p)->nlookup;
    dead = take_dead(t, p);
}

size_t ofs_nodes_count(struct ofs_nodes *t)
{
    OFS_GUARD(&t->mtx);
    return t->count;
}

size_t ofs_nodes_of_digest(struct ofs_nodes *t, const struct ofs_digest *digest,
                           uint64_t *ret, size_t max)
{
    size_t n = 0;

    OFS_GUARD(&t->mtx);
    for (size_t i = 0; i < t->n_buckets; i++)
        for (struct ofs_node *p = t->buckets[i]; p && n < max; p = p->next)
            if (ofs_digest_eq(&p->digest, digest))
                ret[n++] = p->ino;
    return n;
}

void ofs_nodes_set_error(struct ofs_nodes *t, uint64_t ino, const char *text)
{
    OFS_AUTOFREE char *old = NULL;
    char *copy = text ? strdup(text) : NULL;
    struct ofs_node *n;

    OFS_GUARD(&t->mtx);
    n = *slot_of(t, ino);
    old = n ? n->error : copy;
    if (n)
        n->error = copy;
}

char *ofs_nodes_error(struct ofs_nodes *t, struct ofs_node *node)
{
    OFS_GUARD(&t->mtx);
    return node->error ? strdup(node->error) : NULL;
}
