/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/log.h"

#include "ocirfs/harmless.h"

#include "logring.h"

#include <stdarg.h>
#include <stdatomic.h>
#include <syslog.h>
#include <time.h>

enum { LINE_MAX_BYTES = 2048 }; /* PIPE_BUF is 4096: one write, one line */

static atomic_int max_level = OFS_INFO;
static atomic_int current_sink = OFS_LOG_STDERR;

void ofs_log_init(enum ofs_log_level level, enum ofs_log_sink sink)
{
    if (sink == OFS_LOG_SYSLOG)
        openlog("ocirfs", LOG_PID, LOG_DAEMON);
    atomic_store(&max_level, (int)level);
    atomic_store(&current_sink, (int)sink);
}

bool ofs_log_on(enum ofs_log_level level)
{
    return (int)level <= atomic_load_explicit(&max_level, memory_order_relaxed);
}

static void to_syslog(enum ofs_log_level level, const char *text)
{
    static const int priorities[] = {
        [OFS_ERROR] = LOG_ERR,
        [OFS_WARN] = LOG_WARNING,
        [OFS_INFO] = LOG_INFO,
        [OFS_DEBUG] = LOG_DEBUG,
    };

    syslog(priorities[level], "%s", text);
}

static const char *const names[] = {
    [OFS_ERROR] = "ERROR",
    [OFS_WARN] = "WARN",
    [OFS_INFO] = "INFO",
    [OFS_DEBUG] = "DEBUG",
};

static void to_stderr(enum ofs_log_level level, const char *text)
{
    char line[LINE_MAX_BYTES + 64];
    struct timespec now;
    struct tm tm;
    int len;

    (void)clock_gettime(CLOCK_REALTIME, &now);
    (void)gmtime_r(&now.tv_sec, &tm);
    len = snprintf(
        line, sizeof(line), "%04d-%02d-%02dT%02d:%02d:%02d.%03ldZ %s %s\n",
        tm.tm_year + 1900, tm.tm_mon + 1, tm.tm_mday, tm.tm_hour, tm.tm_min,
        tm.tm_sec, now.tv_nsec / 1000000, names[level], text);
    /* A sink that takes no more is no reason to fail or to wait twice. */
    if (write(STDERR_FILENO, line, (size_t)len) < 0)
        return;
}

void ofs_log_(enum ofs_log_level level, const char *fmt, ...)
{
    char text[LINE_MAX_BYTES];
    int saved = errno;
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    if (len >= (int)sizeof(text))
        memcpy(text + sizeof(text) - 4, "...", 4);
    ofs_harmless(text);
    if (level <= OFS_WARN)
        ofs_logring_add(names[level], text);
    if (atomic_load(&current_sink) == OFS_LOG_SYSLOG)
        to_syslog(level, text);
    else
        to_stderr(level, text);
    errno = saved;
}

int ofs_log_recent(struct ofs_buf *b)
{
    return ofs_logring_dump(b);
}
