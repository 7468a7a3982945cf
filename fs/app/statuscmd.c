/* SPDX-License-Identifier: Apache-2.0 */
#include "statuscmd.h"

#include "progress.h"
#include "screen.h"

#include "ocirfs/file.h"
#include "ocirfs/options.h"

#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <sys/stat.h>

enum {
    EXIT_TROUBLE = 1,
    EXIT_USAGE = 2,
    MAX_BYTES = 16 * 1024 * 1024,
    LOOK_MS = 1000,       /* between two drawings */
    PRINT_MS = 5 * 1000,  /* between two prints of lines that stay */
    IDLE_LOOKS_AT_END = 3 /* nothing moves: so often, then we go */
};

static const char help[] =
    "usage: ocirfs status [--watch] DIR\n"
    "\n"
    "Tells how the mount that DIR is in is doing, and what it transfers.\n"
    "\n"
    "  --watch   draw the transfers, again and again, until there are none\n";

struct command {
    bool watch, help;
    const char *dir;
};

static int parse(int argc, char *const *argv, struct command *ret,
                 struct ofs_err *err)
{
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--watch") == 0)
            ret->watch = true;
        else if (strcmp(argv[i], "-h") == 0 || strcmp(argv[i], "--help") == 0)
            ret->help = true;
        else if (argv[i][0] == '-' && argv[i][1])
            return ofs_err_set(err, -EINVAL, "status: unknown flag '%s'",
                               argv[i]);
        else if (ret->dir)
            return ofs_err_set(err, -EINVAL, "status: one DIR, but also '%s'",
                               argv[i]);
        else
            ret->dir = argv[i];
    }
    if (!ret->dir && !ret->help)
        return ofs_err_set(err, -EINVAL, "usage: ocirfs status [--watch] DIR");
    return 0;
}

/* ---- the mount ---- */

/* What the kernel knows of a directory; asks no file system. */
static int look_at(int fd, struct statx *ret)
{
    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_INO, ret);
}

static bool same_mount(const struct statx *a, const struct statx *b)
{
    return a->stx_dev_major == b->stx_dev_major &&
           a->stx_dev_minor == b->stx_dev_minor;
}

/* The topmost directory of the file system that `fd` is in; takes `fd`. */
static int climb(int fd)
{
    OFS_AUTOCLOSE int here = fd;
    struct statx at, up;

    if (look_at(here, &at) < 0)
        return -errno;
    for (;;) {
        OFS_AUTOCLOSE int above =
            openat(here, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
        int below = here;

        if (above < 0 || look_at(above, &up) < 0)
            return -errno;
        if (!same_mount(&at, &up) || at.stx_ino == up.stx_ino)
            return ofs_take_fd(&here);
        at = up;
        here = ofs_take_fd(&above);
        (void)close(below);
    }
}

static int mount_error(const char *dir, int r, struct ofs_err *err)
{
    if (r == -ENOTCONN)
        return ofs_err_set(err, r,
                           "the process behind the mount of '%s' has ended; "
                           "run 'umount' to clean up",
                           dir);
    return ofs_err_errno(err, -r, dir);
}

static int open_mount(const char *dir, int *ret, struct ofs_err *err)
{
    int fd = open(dir, O_PATH | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0)
        fd = climb(fd);
    else
        fd = -errno;
    if (fd < 0)
        return mount_error(dir, fd, err);
    *ret = fd;
    return 0;
}

/* The mount may be somebody else's: nothing of it commands our terminal. */
static void tame(struct ofs_buf *b)
{
    for (size_t i = 0; i < b->len; i++)
        if (((unsigned char)b->data[i] < ' ' && b->data[i] != '\n') ||
            b->data[i] == 0x7f)
            b->data[i] = '?';
}

/* One of its files; `optional`: one that an older ocirfs does not have. */
static int read_file(int mount, const char *dir, const char *name,
                     bool optional, struct ofs_buf *b, struct ofs_err *err)
{
    int r = ofs_file_read(mount, name, b);

    tame(b);
    if (r == -ENOENT && optional)
        return 0;
    if (r == -ENOENT || r == -ENOTDIR)
        return ofs_err_set(err, r, "'%s' is not in a mount of ocirfs", dir);
    return r < 0 ? mount_error(dir, r, err) : 0;
}

/* ---- what is shown ---- */

/* .ocirfs/transfers as bars, or as plain lines when columns is 0. */
static size_t draw_transfers(char *text, unsigned columns, struct ofs_buf *b)
{
    char *end;
    size_t n = 0;

    for (char *line = text; (end = strchr(line, '\n')); line = end + 1) {
        struct ofs_progress p;

        *end = '\0';
        if (ofs_progress_parse(line, &p) < 0)
            continue; /* of a newer ocirfs */
        (void)ofs_progress_draw(&p, columns, b);
        n++;
    }
    return n;
}

/* What moves and what waits; *ret_n transfers. */
static int add_moving(int mount, const char *dir, unsigned columns,
                      struct ofs_buf *b, size_t *ret_n, struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf transfers = OFS_BUF_INIT(MAX_BYTES);
    OFS_AUTOBUF struct ofs_buf pending = OFS_BUF_INIT(MAX_BYTES);
    int r = read_file(mount, dir, ".ocirfs/transfers", false, &transfers, err);

    if (r == 0)
        r = read_file(mount, dir, ".ocirfs/pending", true, &pending, err);
    if (r < 0)
        return r;
    *ret_n = transfers.len ? draw_transfers(transfers.data, columns, b) : 0;
    if (*ret_n == 0)
        (void)ofs_buf_adds(b, "nothing is being transferred\n");
    if (pending.len > 0)
        (void)ofs_buf_addf(b, "\npending:\n%s", ofs_buf_str(&pending));
    return b->failed ? ofs_err_set(err, b->failed, "too much to show") : 0;
}

static int show_once(int mount, const char *dir, struct ofs_screen *screen,
                     struct ofs_err *err)
{
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MAX_BYTES);
    size_t n;
    int r = read_file(mount, dir, ".ocirfs/status", false, &b, err);

    (void)ofs_buf_addc(&b, '\n');
    if (r == 0)
        r = add_moving(mount, dir, screen->columns, &b, &n, err);
    screen->redraws = false; /* all of it, also what scrolls away */
    return r < 0 ? r : ofs_screen_show(screen, ofs_buf_str(&b), err);
}

/* Lines that stay are not printed for saying that nothing is new. */
static bool is_news(const struct ofs_screen *screen, size_t n, int idle)
{
    return screen->redraws || n > 0 || idle == IDLE_LOOKS_AT_END;
}

/*
 * Ctrl-C ends it as it ends every program, and nothing has to be put right on
 * the terminal then.  It ends by itself when nothing moves any more, so that a
 * script may wait by it; a pause between two files does not end it.
 */
static int watch(int mount, const char *dir, struct ofs_screen *screen,
                 struct ofs_err *err)
{
    int idle = 0;
    int r = 0;

    while (r == 0 && idle < IDLE_LOOKS_AT_END) {
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(MAX_BYTES);
        size_t n = 0;

        ofs_screen_measure(screen);
        r = add_moving(mount, dir, screen->columns, &b, &n, err);
        idle = n == 0 ? idle + 1 : 0;
        if (r == 0 && is_news(screen, n, idle))
            r = ofs_screen_show(screen, ofs_buf_str(&b), err);
        if (r == 0 && idle < IDLE_LOOKS_AT_END)
            (void)poll(NULL, 0, screen->redraws || n == 0 ? LOOK_MS : PRINT_MS);
    }
    return r;
}

int ofs_statuscmd_run(int argc, char *const *argv, const struct ofs_env *env)
{
    struct command command = { 0 };
    OFS_AUTOCLOSE int mount = -1;
    struct ofs_screen screen;
    struct ofs_err err = { 0 };
    int r = parse(argc, argv, &command, &err);

    if (r < 0) {
        (void)fprintf(stderr, "ocirfs: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (command.help)
        return fputs(help, stdout) < 0 ? EXIT_TROUBLE : 0;
    ofs_screen_init(&screen, STDOUT_FILENO, env->term);
    ofs_screen_measure(&screen);
    r = open_mount(command.dir, &mount, &err);
    if (r == 0)
        r = command.watch ? watch(mount, command.dir, &screen, &err)
                          : show_once(mount, command.dir, &screen, &err);
    if (r == 0)
        return 0;
    (void)fprintf(stderr, "ocirfs: %s\n", err.text);
    return EXIT_TROUBLE;
}
