/* SPDX-License-Identifier: Apache-2.0 */
#include "upload_policy.h"

#include "ocirfs/errclass.h"
#include "ocirfs/http.h"

enum {
    IDLE_MAX = 5, /* tries in a row that got nowhere */
    PAUSE_MS = 200,
    PAUSE_MAX_MS = 5000,
    WISH_MAX_MS = 120 * 1000,
    /* Requests in all: so many, twice what the parts need, and one for so
     * many bytes, since each may be broken off anywhere. */
    REQUESTS = 16,
    REQUEST_BYTES = 16 * 1024 * 1024,
};

static const uint64_t MiB = 1024 * 1024;

/* Words that mean: begin again.  Others of a 400 are final. */
static bool is_lost(const char *id)
{
    static const char *const words[] = { "BLOB_UPLOAD_UNKNOWN",
                                         "BLOB_UPLOAD_INVALID", "SIZE_INVALID",
                                         "RANGE_INVALID" };

    for (size_t i = 0; i < OFS_COUNT_OF(words); i++)
        if (strcmp(words[i], id) == 0)
            return true;
    return false;
}

static enum reg_upload_next bad_request(const char *id, bool patched)
{
    if (is_lost(id) || (patched && strcmp(id, "DIGEST_INVALID") == 0))
        return REG_UP_RESTART;
    return REG_UP_FAIL;
}

/* The registry said no. */
static enum reg_upload_next refused(enum reg_upload_step step,
                                    const struct ofs_err *why, bool patched)
{
    bool open = step != REG_UP_OPEN;

    switch (why->http_status) {
    case 400:
        return open ? bad_request(why->id, patched) : REG_UP_FAIL;
    case 404: /* the session is gone, perhaps because it is done */
    case 409:
    case 410:
        return open ? REG_UP_RESTART : REG_UP_FAIL;
    case 413:
        return open ? REG_UP_SMALLER : REG_UP_FAIL;
    case 416:
        return open ? REG_UP_RESUME : REG_UP_FAIL;
    case 408:
    case 429:
    case 500:
    case 502:
    case 503:
    case 504:
        return REG_UP_RESUME;
    default:
        return REG_UP_FAIL;
    }
}

enum reg_upload_next ofs_reg_upload_next(enum reg_upload_step step, int code,
                                         const struct ofs_err *why,
                                         bool patched)
{
    if (why->http_status >= 300)
        return refused(step, why, patched);
    return ofs_err_is(code, OFS_ERR_BROKEN) ? REG_UP_RESUME : REG_UP_FAIL;
}

bool ofs_reg_step_commits(enum reg_upload_step step)
{
    return step == REG_UP_WHOLE || step == REG_UP_COMMIT;
}

int64_t ofs_reg_upload_pause_ms(unsigned n, int64_t wish_ms)
{
    int64_t pause = PAUSE_MS;

    if (n > IDLE_MAX || wish_ms > WISH_MAX_MS)
        return -1;
    while (--n > 0 && pause < PAUSE_MAX_MS)
        pause *= 2;
    if (pause > PAUSE_MAX_MS)
        pause = PAUSE_MAX_MS;
    return wish_ms > pause ? wish_ms : pause;
}

uint64_t ofs_reg_upload_patience(uint64_t size, uint64_t chunk)
{
    return REQUESTS + size / REQUEST_BYTES + (chunk ? 2 * (size / chunk) : 0);
}

uint64_t ofs_reg_smaller(uint64_t refused, uint64_t least)
{
    /* Usual limits of proxies: 100 MB, 10 MB, and nginx's 1 MiB. */
    const uint64_t sizes[] = { 64 * MiB, 8 * MiB, MiB - 64 * 1024 };

    for (size_t i = 0; i < OFS_COUNT_OF(sizes); i++) {
        uint64_t size = sizes[i] > least ? sizes[i] : least;

        if (size < refused)
            return size;
    }
    return 0;
}
