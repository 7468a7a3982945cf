/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_oracle.h"

#include "ocirfs/lock.h"
#include "ocirfs/str.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_ROWS = 2000, BODY_MAX_BYTES = 4 * 1024 * 1024 };

struct row {
    char *name, *parent;
    const char *state; /* of a compartment */
};

struct table {
    struct row at[MAX_ROWS];
    unsigned n;
};

struct fake_oracle {
    struct fake_server *server;
    struct ofs_mutex mtx; /* guards all below; rank LOG: nothing is inside */
    struct table compartments, repos;
    unsigned rows;
    bool empty;
};

static void *sure(void *p)
{
    if (p)
        return p;
    (void)fprintf(stderr, "fake_oracle: no memory\n");
    abort();
}

/* Which rows of a table a request gets. */
struct page {
    unsigned first, end, next; /* next 0: none */
};

/* Pages are numbered from 0; with `empty`, odd ones hold the rows. */
static struct page page_of(const struct fake_oracle *o,
                           const struct fake_request *req, unsigned n)
{
    OFS_AUTOFREE char *word = fake_request_param(req, "page");
    struct page p = { .end = n };
    uint64_t number = 0;

    if (!o->rows)
        return p;
    if (word && ofs_str_u64(word, &number) < 0)
        number = 0;
    p.next = (unsigned)number + 1;
    if (o->empty && number % 2 == 0) {
        p.end = 0;
        return p;
    }
    p.first = (unsigned)(o->empty ? number / 2 : number) * o->rows;
    p.end = p.first + o->rows;
    if (p.end >= n) {
        p.end = n;
        p.next = 0;
    }
    return p;
}

static void answer(struct fake_response *resp, const struct page *p,
                   struct ofs_buf *body)
{
    if (p->next)
        fake_response_header(resp, "opc-next-page: %u", p->next);
    fake_response_header(resp, "opc-request-id: fake");
    fake_response_body(resp, 200, "application/json", ofs_buf_str(body),
                       body->len);
}

static void list_compartments(void *arg, const struct fake_request *req,
                              struct fake_response *resp)
{
    OFS_AUTOBUF struct ofs_buf body = OFS_BUF_INIT(BODY_MAX_BYTES);
    struct fake_oracle *o = arg;
    const char *comma = "";
    struct page p;

    OFS_GUARD(&o->mtx);
    p = page_of(o, req, o->compartments.n);
    (void)ofs_buf_addc(&body, '[');
    for (unsigned i = p.first; i < p.end; i++) {
        const struct row *c = &o->compartments.at[i];

        (void)ofs_buf_addf(&body,
                           "%s{\"id\":\"ocid1.c.%s\",\"compartmentId\":\"%s\","
                           "\"name\":\"%s\",\"lifecycleState\":\"%s\","
                           "\"timeCreated\":\"2026-01-05T21:31:40Z\"}",
                           comma, c->name, c->parent, c->name, c->state);
        comma = ",";
    }
    (void)ofs_buf_addc(&body, ']');
    answer(resp, &p, &body);
}

static void list_repositories(void *arg, const struct fake_request *req,
                              struct fake_response *resp)
{
    OFS_AUTOFREE char *of = fake_request_param(req, "compartmentId");
    OFS_AUTOFREE char *all = fake_request_param(req, "compartmentIdInSubtree");
    OFS_AUTOBUF struct ofs_buf body = OFS_BUF_INIT(BODY_MAX_BYTES);
    struct fake_oracle *o = arg;
    const char *comma = "";
    struct page p;

    OFS_GUARD(&o->mtx);
    p = page_of(o, req, o->repos.n);
    (void)ofs_buf_adds(&body, "{\"items\":[");
    for (unsigned i = p.first; i < p.end; i++) {
        const struct row *r = &o->repos.at[i];

        if (!all && (!of || strcmp(of, r->parent) != 0))
            continue;
        (void)ofs_buf_addf(&body,
                           "%s{\"id\":\"ocid1.r.%s\",\"compartmentId\":\"%s\","
                           "\"displayName\":\"%s\",\"namespace\":\"%s\","
                           "\"isPublic\":false,\"imageCount\":0,"
                           "\"lifecycleState\":\"AVAILABLE\","
                           "\"timeCreated\":\"2026-01-05T21:31:40Z\"}",
                           comma, r->name, r->parent, r->name,
                           FAKE_ORACLE_NAMESPACE);
        comma = ",";
    }
    (void)ofs_buf_adds(&body, "]}");
    answer(resp, &p, &body);
}

struct fake_oracle *fake_oracle_start(void)
{
    struct fake_oracle *o = sure(calloc(1, sizeof(*o)));

    ofs_mutex_init(&o->mtx, OFS_RANK_LOG);
    o->server = fake_server_start();
    fake_server_route(o->server, "GET /20160918/compartments",
                      list_compartments, o);
    fake_server_route(o->server, "GET /20160918/container/repositories",
                      list_repositories, o);
    fake_server_canned(o->server, "GET /n/", 200,
                       "Content-Type: application/json\r\n",
                       "\"" FAKE_ORACLE_NAMESPACE "\"");
    return o;
}

static void table_done(struct table *t)
{
    for (unsigned i = 0; i < t->n; i++) {
        free(t->at[i].name);
        free(t->at[i].parent);
    }
}

void fake_oracle_free(struct fake_oracle *o)
{
    if (!o)
        return;
    fake_server_free(o->server);
    table_done(&o->compartments);
    table_done(&o->repos);
    ofs_mutex_done(&o->mtx);
    free(o);
}

struct fake_server *fake_oracle_server(struct fake_oracle *o)
{
    return o->server;
}

static struct row *add(struct table *t, const char *name, const char *parent)
{
    struct row *row = &t->at[t->n++];

    row->name = sure(strdup(name));
    row->parent = sure(strdup(parent ? parent : FAKE_ORACLE_TENANCY));
    return row;
}

void fake_oracle_compartment(struct fake_oracle *o, const char *name,
                             const char *parent, const char *state)
{
    OFS_GUARD(&o->mtx);
    add(&o->compartments, name, parent)->state = state;
}

void fake_oracle_repository(struct fake_oracle *o, const char *name,
                            const char *compartment)
{
    OFS_GUARD(&o->mtx);
    (void)add(&o->repos, name, compartment);
}

void fake_oracle_remove(struct fake_oracle *o, const char *name)
{
    struct table *t = &o->repos;

    OFS_GUARD(&o->mtx);
    for (unsigned i = 0; i < t->n; i++) {
        if (strcmp(t->at[i].name, name) != 0)
            continue;
        free(t->at[i].name);
        free(t->at[i].parent);
        t->at[i] = t->at[--t->n];
        return;
    }
}

void fake_oracle_pages(struct fake_oracle *o, unsigned rows, bool empty)
{
    OFS_GUARD(&o->mtx);
    o->rows = rows;
    o->empty = empty;
}
