/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_registry_priv.h"

struct target {
    struct target *next;
    const struct fake_thing *thing;
    char *path;
    unsigned uses;
    bool expired;
};

struct fake_targets {
    unsigned max_uses; /* immutable; 0: any */
    pthread_mutex_t mtx;
    struct target *targets; /* newest first; guarded by mtx */
    unsigned made;          /* guarded by mtx */
};

struct fake_targets *fake_targets_new(unsigned uses)
{
    struct fake_targets *targets = fake_alloc(sizeof(*targets));

    (void)pthread_mutex_init(&targets->mtx, NULL);
    targets->max_uses = uses;
    return targets;
}

void fake_targets_free(struct fake_targets *targets)
{
    struct target *t;

    while ((t = targets->targets)) {
        targets->targets = t->next;
        free(t->path);
        free(t);
    }
    (void)pthread_mutex_destroy(&targets->mtx);
    free(targets);
}

char *fake_targets_make(struct fake_targets *targets,
                        const struct fake_thing *thing)
{
    struct target *t = fake_alloc(sizeof(*t));
    char *url;

    t->thing = thing;
    (void)pthread_mutex_lock(&targets->mtx);
    t->path = fake_strf("/data/%u", ++targets->made);
    t->next = targets->targets;
    targets->targets = t;
    (void)pthread_mutex_unlock(&targets->mtx);
    url = fake_strf("%s?signature=not-for-logs&expires=60", t->path);
    return url;
}

void fake_targets_expire(struct fake_targets *targets)
{
    (void)pthread_mutex_lock(&targets->mtx);
    for (struct target *t = targets->targets; t; t = t->next)
        t->expired = true;
    (void)pthread_mutex_unlock(&targets->mtx);
}

/* What is behind that path, if it may still be used. */
static const struct fake_thing *use(struct fake_targets *targets,
                                    const char *path)
{
    const struct fake_thing *thing = NULL;
    struct target *t;

    (void)pthread_mutex_lock(&targets->mtx);
    for (t = targets->targets; t && strcmp(t->path, path) != 0; t = t->next)
        ;
    if (t && !t->expired &&
        (targets->max_uses == 0 || t->uses < targets->max_uses)) {
        t->uses++;
        thing = t->thing;
    }
    (void)pthread_mutex_unlock(&targets->mtx);
    return thing;
}

void fake_targets_serve(void *arg, const struct fake_request *req,
                        struct fake_response *resp)
{
    const struct fake_thing *thing = NULL;
    const char *denied = "<Error><Code>AccessDenied</Code></Error>";

    /* A URL signed for GET is not good for HEAD, as with object stores. */
    if (strcmp(req->method, "GET") == 0)
        thing = use(arg, req->path);
    if (!thing) {
        fake_response_body(resp, 403, "application/xml", denied,
                           strlen(denied));
        return;
    }
    fake_response_header(resp, "Content-Type: application/octet-stream");
    fake_thing_serve(thing, resp);
    resp->ranges = true;
}
