/* SPDX-License-Identifier: Apache-2.0 */
#include "reg_refuse.h"

#include "ocirfs/errclass.h"
#include "ocirfs/metrics.h"

#include "blobanswer.h"
#include "reg_redirect.h"

#include <inttypes.h>

/*
 * Reading a part of a blob.
 *
 * One attempt is one answer: the sink's head decides by status and headers
 * what of the body is wanted (blobanswer.c), the sink's body passes that on
 * without a copy.  However an attempt ends, the next one asks for what is
 * still missing, so a broken connection, an expired token, a short body and a
 * server that sends less than was asked for are all the same case.
 *
 * http repeats a request as long as no byte of a body came; here it is
 * repeated when some did, or when a redirect's target failed, since the
 * registry may name a better one.
 */

enum {
    IDLE_MAX = 3, /* attempts without a byte for the sink */
    /* Attempts with a few bytes each: so many, and one for so many bytes. */
    ATTEMPTS_MAX = 16,
    ATTEMPT_BYTES = 64 * 1024,
    MIRROR_ATTEMPTS_MAX = 3, /* the source is better than remnants */
    /* A pull-through mirror sends the whole of what it has not yet (seen in
     * distribution 2.8); the source is nearer than the end of that. */
    MIRROR_SKIP_MAX = 4 * 1024 * 1024,
    HABIT_TTL_MS = 5 * 60000, /* that a server ignores ranges */
    DRAIN_MAX = 64 * 1024,    /* bytes read for nothing to keep a connection */
};

static struct ofs_metric resumed =
    OFS_COUNTER("ocirfs_registry_resumed_total",
                "Blob reads that went on after a broken or short answer.");
static struct ofs_metric ignored =
    OFS_COUNTER("ocirfs_registry_ranges_ignored_total",
                "Blob reads for which a server sent the whole blob.");

struct run {
    const struct ofs_blob_range *range;
    const char *what;
    ofs_blob_sink *sink;
    void *arg;
    uint64_t done;   /* bytes the sink has taken */
    int sink_failed; /* what it returned then */

    /* At one end. */
    uint64_t skip_max; /* bytes in front of what is wanted */
    bool no_range;     /* it was asked for a part and got that wrong */

    /* One attempt; the engine's thread writes while it runs. */
    struct blob_want want;
    struct blob_plan plan;
    int verdict; /* of the answer's head */
    struct ofs_err why;
    bool got_bytes; /* of a body, wanted or not */
    bool stopped;   /* has all it wants, the rest was refused */
    bool at_target;
};

static int on_head(void *arg, int status, const struct ofs_headers *headers)
{
    struct run *run = arg;

    run->plan = (struct blob_plan){ 0 };
    run->verdict =
        ofs_blob_answer(status, headers, &run->want, &run->plan, &run->why);
    if (run->verdict == 0 && run->plan.skip > run->skip_max)
        run->verdict = ofs_err_set(&run->why, -ERANGE, "sends far too much");
    return run->verdict;
}

/* Hand on what is wanted of it; how much that was, or the sink's errno. */
static ssize_t feed(struct run *run, const char *data, size_t len)
{
    size_t n = len < run->plan.take ? len : (size_t)run->plan.take;

    if (n > 0)
        run->sink_failed = run->sink(run->arg, data, n);
    if (run->sink_failed < 0)
        return run->sink_failed;
    run->plan.take -= n;
    run->done += n;
    return (ssize_t)n;
}

static int on_body(void *arg, const void *data, size_t len)
{
    struct run *run = arg;
    size_t skip = len < run->plan.skip ? len : (size_t)run->plan.skip;
    size_t extra;
    ssize_t n;

    run->got_bytes = true;
    run->plan.skip -= skip;
    n = feed(run, (const char *)data + skip, len - skip);
    if (n < 0 || run->plan.skip > 0 || run->plan.take > 0)
        return n < 0 ? (int)n : 0;
    extra = len - skip - (size_t)n;
    /* More than the head announced, or more than is worth reading. */
    run->stopped = extra > run->plan.rest || run->plan.rest > DRAIN_MAX;
    if (run->stopped)
        return -ECANCELED;
    run->plan.rest -= extra;
    return 0;
}

static bool is_whole(const struct ofs_blob_range *range, uint64_t done)
{
    return range->off == 0 && done == 0 && range->len == range->size;
}

static void prepare(struct run *run)
{
    const struct ofs_blob_range *range = run->range;

    run->want = (struct blob_want){
        .off = range->off + run->done,
        .len = range->len - run->done,
        .size = range->size,
        .ranged = !run->no_range && !is_whole(range, run->done),
    };
    run->plan = (struct blob_plan){ 0 };
    run->verdict = 0;
    run->got_bytes = false;
    run->stopped = false;
}

static int get(struct run *run, struct reg_end *end, struct ofs_call *call,
               struct ofs_http_resp *ret, struct ofs_err *err)
{
    const struct ofs_http_sink sink = { .head = on_head,
                                        .body = on_body,
                                        .arg = run };
    char range[80];
    const char *headers[] = { run->want.ranged ? range : NULL, NULL };
    struct reg_blob_req req = {
        .repo = run->range->repo,
        .digest = run->range->digest,
        .what = run->what,
        .headers = headers,
        .sink = &sink,
    };

    (void)snprintf(range, sizeof(range), "Range: bytes=%" PRIu64 "-%" PRIu64,
                   run->want.off, run->want.off + run->want.len - 1);
    return ofs_reg_blob_get(end, call, &req, ret, &run->at_target, err);
}

/* How does this server answer ranges? */
static void learn_habit(struct run *run, struct reg_end *end)
{
    const char *repo = run->range->repo;

    if (run->plan.ignored_range) {
        ofs_metric_add(&ignored, 1);
        ofs_reg_note(end, REG_HINT_WHOLE, repo, "", HABIT_TTL_MS);
    } else if (run->want.ranged && run->got_bytes) {
        ofs_reg_unnote(end, REG_HINT_WHOLE, repo, NULL);
    }
}

static bool ignores_ranges(struct reg_end *end, const char *repo)
{
    OFS_AUTOFREE char *hint = ofs_reg_noted(end, REG_HINT_WHOLE, repo);

    return hint;
}

/* A server that gets ranges wrong is asked for everything, once. */
static int ask_whole(struct run *run, struct ofs_err *err, bool *ret_again)
{
    *ret_again = !run->no_range;
    run->no_range = true;
    if (err)
        *err = run->why;
    return ofs_err_wrap(err, -EBADMSG, run->what);
}

/* 416 for a range that lies within the blob as we know it. */
static int unsatisfiable(struct run *run, const struct ofs_headers *headers,
                         struct ofs_err *err, bool *ret_again)
{
    uint64_t total;

    if (ofs_blob_total(headers, &total) && total != run->range->size)
        return ofs_err_set(err, -EBADMSG,
                           "%s: has %" PRIu64 " bytes where %" PRIu64
                           " were announced",
                           run->what, total, run->range->size);
    (void)ofs_err_set(&run->why, -EBADMSG, "no such range (416)");
    return ask_whole(run, err, ret_again);
}

/* Is a transport failure one that another request may be spared? */
static bool is_passing(const struct run *run, int r)
{
    return (ofs_err_is(r, OFS_ERR_BROKEN)) &&
           (run->got_bytes || run->at_target);
}

/* A redirect's target knows nothing of policies. */
static int refuse_range(const struct run *run, const struct reg_end *end,
                        const struct ofs_http_resp *resp, struct ofs_err *err)
{
    OFS_AUTOFREE char *scope =
        run->at_target ? NULL : ofs_reg_scope(run->range->repo);

    return ofs_reg_refuse(end, run->what, scope, resp, err);
}

/* One answer.  *ret_again: another may do better (if it failed). */
static int attempt(struct run *run, struct reg_end *end, struct ofs_call *call,
                   struct ofs_err *err, bool *ret_again)
{
    OFS_AUTORESP struct ofs_http_resp resp = { 0 };
    int r;

    *ret_again = false;
    prepare(run);
    r = get(run, end, call, &resp, err);
    learn_habit(run, end);
    if (run->stopped)
        return 0;
    if (run->sink_failed < 0)
        return run->sink_failed;
    if (run->verdict == -ERANGE)
        return ask_whole(run, err, ret_again);
    if (run->verdict < 0 && err)
        *err = run->why;
    if (r < 0) {
        *ret_again = is_passing(run, r);
        return run->verdict < 0 ? ofs_err_wrap(err, r, run->what) : r;
    }
    if (run->want.ranged && ofs_blob_refuses_ranges(resp.status)) {
        (void)ofs_reg_refuse(end, run->what, "", &resp, &run->why);
        ofs_reg_note(end, REG_HINT_WHOLE, run->range->repo, "", HABIT_TTL_MS);
        return ask_whole(run, err, ret_again);
    }
    if (resp.status == 416)
        return unsatisfiable(run, &resp.headers, err, ret_again);
    if (resp.status < 200 || resp.status > 299) {
        *ret_again = run->at_target;
        return refuse_range(run, end, &resp, err);
    }
    return 0;
}

static int ended_early(const struct run *run, const struct reg_end *end,
                       struct ofs_err *err)
{
    return ofs_err_set(err, -EIO,
                       "%s: %s: ended after %" PRIu64 " of %" PRIu64 " bytes",
                       end->host, run->what, run->done, run->range->len);
}

/* How often an end may still be asked: in vain, and at all. */
struct patience {
    int idle;
    uint64_t attempts;
};

static struct patience patience_with(const struct reg_end *end, uint64_t len)
{
    if (end->is_mirror)
        return (struct patience){ 1, MIRROR_ATTEMPTS_MAX };
    return (struct patience){ IDLE_MAX, ATTEMPTS_MAX + len / ATTEMPT_BYTES };
}

/* Until all is there. */
static int read_op(struct reg_end *end, struct ofs_call *call, void *arg,
                   struct ofs_err *err)
{
    struct run *run = arg;
    struct patience left = patience_with(end, run->range->len);
    struct patience full = left;

    run->no_range = false;
    run->skip_max = end->is_mirror ? MIRROR_SKIP_MAX : UINT64_MAX;
    /* The mirror may have fed a sink that then failed. */
    if (run->sink_failed < 0)
        return run->sink_failed;
    if (run->range->off > run->skip_max &&
        ignores_ranges(end, run->range->repo))
        return ofs_err_set(err, -ERANGE, "%s: sends whole blobs", end->host);
    while (run->done < run->range->len) {
        uint64_t before = run->done;
        bool again;
        int r = attempt(run, end, call, err, &again);

        if (run->done == run->range->len)
            break;
        if (r < 0 && !again)
            return r;
        left.idle = run->done > before ? full.idle : left.idle - 1;
        left.attempts--;
        if (left.idle == 0 || left.attempts == 0)
            return r < 0 ? r : ended_early(run, end, err);
        ofs_metric_add(&resumed, 1);
    }
    return 0;
}

static char *what_is(const char *repo, const struct ofs_digest *digest)
{
    char text[OFS_DIGEST_TEXT_MAX];

    return ofs_strf("blob '%.19s' of '%s'", ofs_digest_format(digest, text),
                    repo);
}

int ofs_registry_blob_read(struct ofs_registry *r, struct ofs_call *call,
                           const struct ofs_blob_range *range,
                           ofs_blob_sink *sink, void *arg, struct ofs_err *err)
{
    OFS_AUTOFREE char *what = what_is(range->repo, range->digest);
    struct run run = { .range = range, .what = what, .sink = sink, .arg = arg };
    struct reg_task task = {
        .op = read_op,
        .arg = &run,
        .pass_mirror = !range->use_mirror,
        .is_long = true,
    };
    int e = ofs_reg_check_repo(range->repo, err);

    if (e < 0)
        return e;
    if (range->len == 0 || range->off > range->size ||
        range->len > range->size - range->off)
        return ofs_err_set(err, -EINVAL, "a range beyond the blob");
    return what ? ofs_reg_route(r, call, &task, err)
                : ofs_err_nomem(err, "a blob");
}
