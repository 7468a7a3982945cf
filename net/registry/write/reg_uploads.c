/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/reg_uploads.h"

#include "reg_error.h"
#include "reg_session.h"
#include "upload_policy.h"

#include "ocirfs/log.h"
#include "ocirfs/metrics.h"

/*
 * A blob whose bytes and digest are known.
 *
 * One PUT with all of it is what every registry can.  When that breaks off,
 * the session is asked how far it got, and the rest goes on from there as
 * PATCH; when somebody on the way finds it too large (413), it goes in parts
 * from the start.  Whatever happened, a request that may have finished the
 * upload is followed by a look whether the blob is there.
 */

enum {
    /* Shorter than this is sent again sooner than the session is asked. */
    RESUME_MIN = 1024 * 1024,
    /* A registry may work on a last PUT for longer than we listen to silence;
     * it is looked at so often, after 1, 2, 4, ... s. */
    LOOKS = 6,
    RESUMES_MAX = 2, /* in a row that got nowhere, of one session */
};

static struct ofs_metric uploaded = OFS_COUNTER(
    "ocirfs_registry_uploads_total", "Blobs whose bytes were uploaded.");
static struct ofs_metric mounted =
    OFS_COUNTER("ocirfs_registry_mounts_total",
                "Blobs that were mounted from another repository.");
static struct ofs_metric again =
    OFS_COUNTER("ocirfs_registry_upload_retries_total",
                "Requests of uploads that failed and were not the last word.");

struct push {
    const struct ofs_blob_push *ask;
    struct ofs_call *call;
    struct reg_session s;

    uint64_t received; /* bytes that the session has */
    uint64_t chunk;    /* bytes of a request; 0: all */
    bool patched;      /* the session's bytes came in several requests */
    unsigned idle;     /* tries in a row that got nowhere */
    uint64_t requests;

    /* The last request. */
    enum reg_upload_step step;
    struct reg_feed feed;
    struct ofs_err why;
};

static char *what_is(const char *repo, const struct ofs_digest *digest)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_strf("blob '%.19s' of '%s'", ofs_digest_format(digest, text),
                    repo);
}

/* 1: it is there; 0: it is not; else why that cannot be told. */
static int look(struct push *p, struct ofs_err *err)
{
    const struct ofs_blob_data *data = p->ask->data;
    uint64_t size;
    int r = ofs_reg_session_look(&p->s, p->call, p->ask->digest, &size, err);

    if (r == 1 && data && size != 0 && size != data->size)
        return ofs_err_set(err, -EBADMSG,
                           "%s: there with %llu bytes instead of %llu",
                           p->s.what, (unsigned long long)size,
                           (unsigned long long)data->size);
    return r;
}

/* --- without bytes: there already, or mounted ---------------------------- */

/* Would an upload end in the same way? */
static bool is_final(int r, const struct ofs_err *err)
{
    return r < 0 && err->http_status < 300;
}

/* The same for a mount: a token for two repositories may just not be had. */
static bool is_callers(int r, const struct ofs_err *err)
{
    return is_final(r, err) && r != -EACCES && r != -EIO && r != -EBADMSG;
}

/* 1: mounted; 0: from nowhere, and a session may be open. */
static int mount(struct push *p, struct ofs_err *err)
{
    const struct ofs_strv *from = p->ask->from;

    for (size_t i = 0; from && i < from->n; i++) {
        struct ofs_err why = { 0 };
        bool done = false;
        int r;

        if (strcmp(from->at[i], p->ask->repo) == 0 ||
            ofs_reg_check_repo(from->at[i], NULL) < 0)
            continue;
        ofs_reg_session_cancel(&p->s);
        r = ofs_reg_session_mount(&p->s, p->call, p->ask->digest, from->at[i],
                                  &done, &why);
        if (is_callers(r, &why)) {
            *err = why;
            return r;
        }
        if (r == 0 && done)
            return 1;
    }
    return 0;
}

/* 1: *ret_how tells; 0: bytes are needed. */
static int without_bytes(struct push *p, enum ofs_pushed *ret_how,
                         struct ofs_err *err)
{
    int looked = p->ask->known_missing ? 0 : look(p, err);
    int r;

    *ret_how = OFS_PUSHED_EXISTS;
    if (looked == 1 || is_final(looked, err))
        return looked;
    *ret_how = OFS_PUSHED_MOUNTED;
    r = mount(p, err);
    if (r == 1)
        ofs_metric_add(&mounted, 1);
    /* HEAD refuses without words; an upload would be told some. */
    return r == 0 && !p->ask->data ? looked : r;
}

/* --- bytes --------------------------------------------------------------- */

static enum reg_upload_step next_step(const struct push *p)
{
    if (!ofs_reg_session_is_open(&p->s))
        return REG_UP_OPEN;
    if (p->received == 0 && p->chunk == 0)
        return REG_UP_WHOLE;
    return p->received < p->ask->data->size ? REG_UP_PART : REG_UP_COMMIT;
}

static void feed_init(struct push *p)
{
    uint64_t left = p->ask->data->size - p->received;

    p->feed = (struct reg_feed){
        .data = p->ask->data,
        .base = p->received,
        .end = p->received + (p->chunk && p->chunk < left ? p->chunk : left),
        .sent = p->ask->sent,
        .at = p->received,
    };
}

static int part(struct push *p)
{
    uint64_t before = p->received, received = 0;
    int r = ofs_reg_session_part(&p->s, p->call, &p->feed, /* ranged= */ true,
                                 &received, &p->why);

    if (r < 0)
        return r;
    p->patched = true;
    if (received > p->feed.end)
        return ofs_err_set(&p->why, -EBADMSG,
                           "%s: has received more than was sent", p->s.what);
    if (received <= before)
        return ofs_err_set(&p->why, -EIO, "%s: has taken nothing", p->s.what);
    p->received = received;
    p->idle = 0;
    return 0;
}

/* One request.  1: the blob is there; 0: go on. */
static int advance(struct push *p)
{
    int r;

    p->step = next_step(p);
    p->why = (struct ofs_err){ 0 };
    p->requests++;
    feed_init(p);
    switch (p->step) {
    case REG_UP_OPEN:
        p->received = 0;
        p->patched = false;
        return ofs_reg_session_open(&p->s, p->call, &p->why);
    case REG_UP_PART:
        return part(p);
    case REG_UP_WHOLE:
    case REG_UP_COMMIT:
    default:
        r = ofs_reg_session_commit(&p->s, p->call, p->ask->digest,
                                   p->step == REG_UP_WHOLE ? &p->feed : NULL,
                                   &p->why);
        return r < 0 ? r : 1;
    }
}

/* Is a registry that says nothing perhaps still busy with what it has? */
static bool may_be_busy(const struct push *p, int r)
{
    return r == -ETIMEDOUT && ofs_reg_step_commits(p->step) &&
           (p->step == REG_UP_COMMIT || p->feed.at == p->ask->data->size);
}

/*
 * After a failure: is it there all the same?  1 it is; 0 it is not, but the
 * registry answers; else it does not.
 */
static int look_again(struct push *p, int failed, struct ofs_err *err)
{
    int looks = may_be_busy(p, failed) ? LOOKS : 1;
    int r = look(p, err);

    for (int64_t ms = 1000; r == 0 && --looks > 0; ms *= 2) {
        r = ofs_http_pause(p->s.end->r->http, p->call, ms, err);
        if (r == 0)
            r = look(p, err);
    }
    return r;
}

/* How far did it get?  A session that does not tell is not used any more. */
static void ask_session(struct push *p)
{
    struct ofs_err err;
    uint64_t received;

    if (!ofs_reg_session_is_open(&p->s))
        return;
    if (p->ask->data->size < RESUME_MIN ||
        ofs_reg_session_ask(&p->s, p->call, &received, &err) < 0 ||
        received > p->ask->data->size) {
        ofs_reg_session_forget(&p->s);
        return;
    }
    p->patched = true;
    if (received > p->received)
        p->idle = 0;
    p->received = received;
}

/* Fewer bytes in one request.  -EFBIG: there is no way to do with fewer. */
static int make_smaller(struct push *p)
{
    uint64_t chunk =
        ofs_reg_smaller(p->feed.end - p->feed.base, p->s.min_chunk);

    if (chunk == 0)
        return p->why.code;
    p->chunk = chunk;
    ofs_reg_session_cancel(&p->s);
    return 0;
}

/* Wait, as long as it makes sense.  The failure again: it does not. */
static int be_patient(struct push *p, int failed)
{
    uint64_t most = ofs_reg_upload_patience(p->ask->data->size, p->chunk);
    int64_t ms = ofs_reg_upload_pause_ms(++p->idle, p->why.retry_after_ms);
    struct ofs_err err;
    int r;

    if (ms < 0 || p->requests >= most || ms >= ofs_call_left_ms(p->call))
        return failed;
    ofs_metric_add(&again, 1);
    ofs_log(OFS_DEBUG, "registry: %s, going on in %lld ms", p->why.text,
            (long long)ms);
    r = ofs_http_pause(p->s.end->r->http, p->call, ms, &err);
    if (r < 0)
        p->why = err;
    return r;
}

/* 1: it is there; 0: go on; else it is final. */
static int take_stock(struct push *p, int failed)
{
    struct ofs_err err = { 0 };
    int r;

    if (p->step == REG_UP_OPEN)
        return 0;
    r = look_again(p, failed, &err);
    if (r == -EINTR)
        p->why = err;
    if (r >= 0 || r == -EINTR)
        return r;
    /* Silence twice is as long as a user's patience. */
    return failed == -ETIMEDOUT ? failed : 0;
}

/* What to do about it.  1: it is there; 0: go on; else it is final. */
static int recover(struct push *p, int failed)
{
    enum reg_upload_next next =
        ofs_reg_upload_next(p->step, failed, &p->why, p->patched);
    int r;

    if (p->feed.failed < 0 || next == REG_UP_FAIL)
        return failed;
    if (next == REG_UP_SMALLER)
        return make_smaller(p);
    r = be_patient(p, failed);
    if (r == 0)
        r = take_stock(p, failed);
    if (r != 0)
        return r;
    if (next == REG_UP_RESTART || p->idle > RESUMES_MAX)
        ofs_reg_session_forget(&p->s);
    else
        ask_session(p);
    return 0;
}

static int send_bytes(struct push *p, struct ofs_err *err)
{
    int r = 0;

    while (r == 0) {
        r = advance(p);
        if (r < 0)
            r = recover(p, r);
    }
    if (r == 1) {
        ofs_metric_add(&uploaded, 1);
        return r;
    }
    *err = p->why;
    return r;
}

static int push(struct push *p, enum ofs_pushed *ret_how, struct ofs_err *err)
{
    int r = without_bytes(p, ret_how, err);

    if (r == 0 && p->ask->data) {
        *ret_how = OFS_PUSHED_UPLOADED;
        r = send_bytes(p, err);
    } else if (r == 0) {
        r = ofs_err_set(err, -ENOENT, "%s: not there", p->s.what);
    }
    /* Tidying up is worth a request only if somebody answers it. */
    if (r == -ENOENT || (r < 0 && err->http_status >= 300))
        ofs_reg_session_cancel(&p->s);
    return r < 0 ? r : 0;
}

static void push_done(struct push *p)
{
    ofs_reg_session_done(&p->s);
}

int ofs_registry_blob_push(struct ofs_registry *r, struct ofs_call *call,
                           const struct ofs_blob_push *ask,
                           enum ofs_pushed *ret_how, struct ofs_err *err)
{
    OFS_AUTO(push_done) struct push p = { .ask = ask, .call = call };
    struct ofs_err why = { 0 };
    enum ofs_pushed how;
    int e = ofs_reg_check_repo(ask->repo, err);

    if (e < 0)
        return e;
    e = ofs_reg_session_init(&p.s, r, ask->repo,
                             what_is(ask->repo, ask->digest), &why);
    if (e == 0)
        e = ofs_reg_push_errno(push(&p, &how, &why), &why);
    if (e < 0 && err)
        *err = why;
    if (e == 0)
        *ret_how = how;
    return e;
}

void ofs_uploads_wake(struct ofs_registry *r)
{
    ofs_http_upload_more(r->http);
}
