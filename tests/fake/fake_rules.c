/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_priv.h"

#include "ocirfs/str.h"

struct route {
    struct route *next;
    char *match;
    fake_handler *handler; /* NULL: canned */
    void *arg;
    int status;
    char *headers, *body; /* may be NULL */
};

struct entry {
    struct entry *next;
    struct fake_fault fault; /* owns its strings */
    unsigned seen;           /* matching requests */
    bool retired;
};

/* Both lists only grow, so that what a request holds stays valid. */
struct fake_rules {
    pthread_mutex_t mtx;
    struct route *routes; /* newest first; guarded by mtx */
    struct entry *script; /* oldest first; guarded by mtx */
    struct entry **tail;  /* guarded by mtx */
};

/* `*` stands for any characters. */
static bool glob(const char *pattern, const char *text)
{
    const char *star = NULL, *resume = NULL;

    for (;;) {
        if (*pattern == '*') {
            star = pattern++;
            resume = text;
        } else if (*pattern == *text) {
            if (!*text)
                return true;
            pattern++;
            text++;
        } else if (star && *resume) {
            pattern = star + 1;
            text = ++resume;
        } else {
            return false;
        }
    }
}

bool fake_match(const char *match, const struct fake_request *req)
{
    const char *space = strchr(match, ' ');
    size_t n;

    fake_must(space != NULL, "a pattern is a method, a space and a path");
    n = (size_t)(space - match);
    if ((n != 1 || match[0] != '*') &&
        (strlen(req->method) != n || strncmp(match, req->method, n) != 0))
        return false;
    return glob(space + 1, strchr(space, '?') ? req->target : req->path);
}

struct fake_rules *fake_rules_new(void)
{
    struct fake_rules *rules = fake_alloc(sizeof(*rules));

    (void)pthread_mutex_init(&rules->mtx, NULL);
    rules->tail = &rules->script;
    return rules;
}

void fake_rules_free(struct fake_rules *rules)
{
    struct route *r;
    struct entry *e;

    while ((r = rules->routes)) {
        rules->routes = r->next;
        free(r->match);
        free(r->headers);
        free(r->body);
        free(r);
    }
    while ((e = rules->script)) {
        rules->script = e->next;
        free((void *)(uintptr_t)e->fault.match);
        free((void *)(uintptr_t)e->fault.text);
        free((void *)(uintptr_t)e->fault.header);
        free(e);
    }
    (void)pthread_mutex_destroy(&rules->mtx);
    free(rules);
}

static void add_route(struct fake_rules *rules, const struct route *like)
{
    struct route *r = fake_alloc(sizeof(*r));

    *r = *like;
    (void)pthread_mutex_lock(&rules->mtx);
    r->next = rules->routes;
    rules->routes = r;
    (void)pthread_mutex_unlock(&rules->mtx);
}

void fake_rules_route(struct fake_rules *rules, const char *match,
                      fake_handler *handler, void *arg)
{
    add_route(rules, &(struct route){ .match = fake_strdup(match),
                                      .handler = handler,
                                      .arg = arg });
}

void fake_rules_canned(struct fake_rules *rules, const char *match, int status,
                       const char *headers, const char *body)
{
    add_route(rules, &(struct route){ .match = fake_strdup(match),
                                      .status = status,
                                      .headers = fake_strdup(headers),
                                      .body = fake_strdup(body) });
}

static void serve_canned(const struct route *r, struct fake_response *resp)
{
    const char *body = r->body ? r->body : "";

    if (r->headers)
        fake_must(ofs_buf_adds(&resp->headers, r->headers) == 0,
                  "headers too long");
    fake_response_body(resp, r->status, NULL, body, strlen(body));
    resp->ranges = true;
}

void fake_rules_ask(struct fake_rules *rules, const struct fake_request *req,
                    struct fake_response *resp)
{
    const struct route *r;

    (void)pthread_mutex_lock(&rules->mtx);
    for (r = rules->routes; r && !fake_match(r->match, req); r = r->next)
        ;
    (void)pthread_mutex_unlock(&rules->mtx);
    if (r && r->handler)
        r->handler(r->arg, req, resp);
    else if (r)
        serve_canned(r, resp);
}

void fake_rules_add(struct fake_rules *rules, const struct fake_fault *fault)
{
    struct entry *e = fake_alloc(sizeof(*e));

    e->fault = *fault;
    e->fault.match = fake_strdup(fault->match);
    e->fault.text = fake_strdup(fault->text);
    e->fault.header = fake_strdup(fault->header);
    fake_must(strchr(fault->match, ' ') != NULL, "a fault without a pattern");
    (void)pthread_mutex_lock(&rules->mtx);
    *rules->tail = e;
    rules->tail = &e->next;
    (void)pthread_mutex_unlock(&rules->mtx);
}

void fake_rules_retire(struct fake_rules *rules)
{
    (void)pthread_mutex_lock(&rules->mtx);
    for (struct entry *e = rules->script; e; e = e->next)
        e->retired = true;
    (void)pthread_mutex_unlock(&rules->mtx);
}

/* Does the fault act on its `seen`th request? */
static bool is_due(const struct fake_fault *f, unsigned seen)
{
    unsigned times = f->times ? f->times : 1;

    return f->nth == 0 || (seen >= f->nth && seen - f->nth < times);
}

void fake_rules_choose(struct fake_rules *rules, struct fake_record *record)
{
    (void)pthread_mutex_lock(&rules->mtx);
    for (struct entry *e = rules->script; e; e = e->next) {
        if (e->retired || !fake_match(e->fault.match, &record->req))
            continue;
        if (is_due(&e->fault, ++e->seen) && record->n_faults < FAKE_FAULTS_MAX)
            record->faults[record->n_faults++] = &e->fault;
    }
    (void)pthread_mutex_unlock(&rules->mtx);
}

const struct fake_fault *fake_request_fault(const struct fake_request *req,
                                            enum fake_fault_kind kind)
{
    /* Every request that a handler sees is the first member of a record. */
    const struct fake_record *record = (const struct fake_record *)req;

    for (unsigned i = 0; i < record->n_faults; i++) {
        if (record->faults[i]->kind == kind)
            return record->faults[i];
    }
    return NULL;
}
