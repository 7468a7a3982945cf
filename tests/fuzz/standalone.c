/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What libFuzzer is to a fuzz target, for builds without it: runs each file of
 * the given directories and files once, so that the corpus is an ordinary
 * test.  Fails when there was no input, as a test that tested nothing must.
 */

#include <dirent.h>
#include <errno.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned n_inputs;

static int complain(const char *path)
{
    fprintf(stderr, "%s: %s\n", path, strerror(errno));
    return -1;
}

static int run_bytes(FILE *f, size_t size)
{
    /* Exactly as long as the input, so that sanitizers see a read beyond. */
    uint8_t *data = malloc(size > 0 ? size : 1);
    int r = -1;

    if (!data)
        return -1;
    if (fread(data, 1, size, f) == size) {
        (void)LLVMFuzzerTestOneInput(data, size);
        n_inputs++;
        r = 0;
    }
    free(data);
    return r;
}

static int run_file(const char *path, size_t size)
{
    FILE *f = fopen(path, "re");
    int r;

    if (!f)
        return complain(path);
    r = run_bytes(f, size);
    if (r < 0)
        (void)complain(path);
    (void)fclose(f);
    return r;
}

static int run_path(const char *path);

static int run_entry(const char *dir, const char *name)
{
    char *path;
    int r;

    if (name[0] == '.')
        return 0;
    if (asprintf(&path, "%s/%s", dir, name) < 0)
        return -1;
    r = run_path(path);
    free(path);
    return r;
}

static int run_dir(const char *path)
{
    const struct dirent *e;
    DIR *dir = opendir(path);
    int r = 0;

    if (!dir)
        return complain(path);
    while (r == 0 && (e = readdir(dir)))
        r = run_entry(path, e->d_name);
    (void)closedir(dir);
    return r;
}

static int run_path(const char *path)
{
    struct stat st;

    if (stat(path, &st) < 0)
        return complain(path);
    if (S_ISDIR(st.st_mode))
        return run_dir(path);
    return run_file(path, (size_t)st.st_size);
}

int main(int argc, char **argv)
{
    for (int i = 1; i < argc; i++)
        if (run_path(argv[i]) < 0)
            return EXIT_FAILURE;
    printf("%u inputs\n", n_inputs);
    return n_inputs > 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
