/* SPDX-License-Identifier: Apache-2.0 */
#include "app.h"

#include "statuscmd.h"
#include "umountcmd.h"

#include "ocirfs/bindnow.h"

#include <stdio.h>

enum { EXIT_TROUBLE = 1, EXIT_USAGE = 2, HELP_MAX_BYTES = 64 * 1024 };

static int print_help(void)
{
    OFS_AUTOBUF struct ofs_buf text = OFS_BUF_INIT(HELP_MAX_BYTES);

    if (ofs_options_help(&text) < 0 || fputs(ofs_buf_str(&text), stdout) < 0)
        return EXIT_TROUBLE;
    return 0;
}

int main(int argc, char **argv)
{
    OFS_AUTOOPTIONS struct ofs_options options = { 0 };
    struct ofs_err err = { 0 };
    struct ofs_env env;

    ofs_bind_now(argv);
    if (argc > 1 && strcmp(argv[1], "umount") == 0)
        return ofs_umountcmd_run(argc - 1, argv + 1);
    ofs_env_capture(&env);
    if (argc > 1 && strcmp(argv[1], "status") == 0)
        return ofs_statuscmd_run(argc - 1, argv + 1, &env);
    if (ofs_options_parse(argc, argv, &env, &options, &err) < 0) {
        (void)fprintf(stderr, "ocirfs: %s\n", err.text);
        return EXIT_USAGE;
    }
    if (options.help)
        return print_help();
    if (options.version)
        return printf("ocirfs %s\n", OFS_VERSION) < 0 ? EXIT_TROUBLE : 0;
    if (options.fake)
        return 0;
    return ofs_app_run(&options, &env);
}
