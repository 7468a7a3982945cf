/* SPDX-License-Identifier: Apache-2.0 */
#include "optvalue.h"

#include "ocirfs/log.h"
#include "ocirfs/ora_auth.h"
#include "ocirfs/store.h"
#include "ocirfs/str.h"

#include <sys/types.h>
#include <unistd.h>

/* "<digits><unit>": the number, and the unit that follows it. */
static int split(const char *text, uint64_t *ret_n, const char **ret_unit)
{
    size_t digits = strspn(text, "0123456789");
    char number[24];

    if (digits == 0 || digits >= sizeof(number))
        return -EBADMSG;
    memcpy(number, text, digits);
    number[digits] = '\0';
    *ret_unit = text + digits;
    return ofs_str_u64(number, ret_n);
}

int ofs_opt_time(const char *text, void *member)
{
    static const struct {
        const char *unit;
        uint64_t ms;
    } units[] = { { "", 1000 },
                  { "ms", 1 },
                  { "s", 1000 },
                  { "m", 60 * 1000 },
                  { "h", 3600 * 1000 } };
    const uint64_t longest_ms = 24ull * 3600 * 1000;
    const char *unit;
    uint64_t n;

    if (split(text, &n, &unit) < 0)
        return -EBADMSG;
    for (size_t i = 0; i < OFS_COUNT_OF(units); i++) {
        if (strcmp(unit, units[i].unit) != 0)
            continue;
        if (n > longest_ms / units[i].ms)
            return -EBADMSG;
        *(int64_t *)member = (int64_t)(n * units[i].ms);
        return 0;
    }
    return -EBADMSG;
}

/* So few bytes were meant to be so many of a larger unit. */
#define SMALLEST_BYTES (1024ull * 1024)

int ofs_opt_size(const char *text, void *member)
{
    uint64_t n;
    int r = ofs_str_size(text, &n);

    if (r < 0 || (n > 0 && n < SMALLEST_BYTES))
        return r < 0 ? r : -EBADMSG;
    *(uint64_t *)member = n;
    return 0;
}

int ofs_opt_percent(const char *text, void *member)
{
    const char *unit;
    uint64_t n;

    if (split(text, &n, &unit) < 0 || n > 100 ||
        (strcmp(unit, "") != 0 && strcmp(unit, "%") != 0))
        return -EBADMSG;
    *(unsigned *)member = (unsigned)n;
    return 0;
}

int ofs_opt_id(const char *text, void *member)
{
    uint64_t n;

    if (ofs_str_u64(text, &n) < 0 || n >= UINT32_MAX)
        return -EBADMSG;
    *(uid_t *)member = (uid_t)n;
    return 0;
}

int ofs_opt_mode(const char *text, void *member)
{
    mode_t mode = 0;

    if (!*text || strlen(text) > 4)
        return -EBADMSG;
    for (; *text; text++) {
        if (*text < '0' || *text > '7')
            return -EBADMSG;
        mode = mode * 8 + (mode_t)(*text - '0');
    }
    if (mode > 0777)
        return -EBADMSG;
    *(mode_t *)member = mode;
    return 0;
}

int ofs_opt_text(const char *text, void *member)
{
    char **to = member;
    char *copy;

    if (!*text)
        return -EBADMSG;
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    free(*to);
    *to = copy;
    return 0;
}

bool ofs_opt_has_user(const char *url)
{
    const char *colon = strstr(url, "://");
    const char *host = colon ? colon + 3 : url;

    return memchr(host, '@', strcspn(host, "/?#")) != NULL;
}

int ofs_opt_url(const char *text, void *member)
{
    return ofs_opt_has_user(text) ? -EBADMSG : ofs_opt_text(text, member);
}

int ofs_opt_path(const char *text, void *member)
{
    OFS_AUTOFREE char *here = NULL, *path = NULL;

    if (!*text || *text == '/')
        return ofs_opt_text(text, member);
    here = getcwd(NULL, 0);
    if (!here)
        return -EBADMSG;
    path = ofs_strf("%s/%s", here, text);
    return path ? ofs_opt_text(path, member) : -ENOMEM;
}

int ofs_opt_auth(const char *text, void *member)
{
    return ofs_ora_auth_is_kind(text) ? ofs_opt_text(text, member) : -EBADMSG;
}

int ofs_opt_list(const char *text, void *member)
{
    OFS_AUTOFREE char *copy = strdup(text);
    char *rest = copy;
    char *one;

    if (!copy)
        return -ENOMEM;
    while ((one = strsep(&rest, ":"))) {
        if (!*one)
            return -EBADMSG;
        if (ofs_strv_add(member, one) < 0)
            return -ENOMEM;
    }
    return 0;
}

int ofs_opt_true(const char *text, void *member)
{
    (void)text;
    *(bool *)member = true;
    return 0;
}

int ofs_opt_verify(const char *text, void *member)
{
    static const char *const names[] = { "lazy", "strict", "always" };

    for (size_t i = 0; i < OFS_COUNT_OF(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *(enum ofs_verify *)member = (enum ofs_verify)i;
            return 0;
        }
    }
    return -EBADMSG;
}

int ofs_opt_level(const char *text, void *member)
{
    static const char *const names[] = { "error", "warn", "info", "debug" };

    for (size_t i = 0; i < OFS_COUNT_OF(names); i++) {
        if (strcmp(text, names[i]) == 0) {
            *(enum ofs_log_level *)member = (enum ofs_log_level)i;
            return 0;
        }
    }
    return -EBADMSG;
}

const char *ofs_opt_wants(ofs_opt_parse *parse)
{
    static const struct {
        ofs_opt_parse *parse;
        const char *wants;
    } rows[] = {
        { ofs_opt_time, "a time like 500ms, 10s or 5m, 24h at most" },
        { ofs_opt_size, "a size like 500M or 20G, 1M at least" },
        { ofs_opt_url, "a URL without a user or password in it" },
        { ofs_opt_percent, "a number from 0 to 100" },
        { ofs_opt_id, "a number" },
        { ofs_opt_mode, "an octal number up to 777" },
        { ofs_opt_auth, "one of the kinds that 'ocirfs --help' lists" },
        { ofs_opt_list, "a list of names with ':' between them" },
        { ofs_opt_verify, "'lazy', 'strict' or 'always'" },
        { ofs_opt_level, "'error', 'warn', 'info' or 'debug'" },
    };

    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++)
        if (rows[i].parse == parse)
            return rows[i].wants;
    return "a value";
}
