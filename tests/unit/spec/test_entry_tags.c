/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/entry_tags.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#define REF_NAME   "org.opencontainers.image.ref.name"
#define CONTAINERD "io.containerd.image.name"
#define HEX        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
#define LONG                                                                   \
    "a123456789a123456789a123456789a123456789a123456789a123456789a123456789"

static const struct {
    const char *ref, *containerd; /* NULL: not there */
    const char *tags;             /* with blanks between them */
    int code;
} rows[] = {
    /* one tag, however it is written */
    { "1.5", NULL, "1.5", 0 },
    { "app:1.5", NULL, "1.5", 0 },
    { "localhost/app:1.0", NULL, "1.0", 0 },
    { "host:5000/x/app:1.5", NULL, "1.5", 0 },
    { "host:5000/app:1.5@sha256:" HEX, NULL, "1.5", 0 },
    { " v1\n", NULL, "v1", 0 },
    { "a_B.c-9", NULL, "a_B.c-9", 0 },
    /* several */
    { "docker.io/library/a:1,docker.io/library/a:2", NULL, "1 2", 0 },
    { "x/a:1, x/b:1 ,2,", NULL, "1 2", 0 },
    /* containerd's own name counts when there is no other */
    { NULL, "docker.io/library/app:7", "7", 0 },
    { "", "x/app:7,x/app:8", "7 8", 0 },
    { "6", "docker.io/library/app:7", "6", 0 },
    /* none */
    { NULL, NULL, "", 0 },
    { "", NULL, "", 0 },
    { " , ", "", "", 0 },
    { "sha256:" HEX, NULL, "", 0 },
    { "app@sha256:" HEX, NULL, "", 0 },
    { "host:5000/app@sha256:" HEX, NULL, "", 0 },
    /* a name that gives none; what is good of several counts all the same */
    { "localhost/app", NULL, "", -EINVAL },
    { "localhost:5000/app", NULL, "", -EINVAL },
    { "app:", NULL, "", -EINVAL },
    { "1.0+build", NULL, "", -EINVAL },
    { "-x", NULL, "", -EINVAL },
    { "a b", NULL, "", -EINVAL },
    { "v\xc3\xa4", NULL, "", -EINVAL },
    { LONG LONG, NULL, "", -EINVAL },
    { "x/a:1,x/a:+,x/a:2", NULL, "1 2", -EINVAL },
};

static void add(struct ofs_annotation *at, size_t *n, char *key,
                const char *value)
{
    if (value)
        at[(*n)++] = (struct ofs_annotation){ key, strdup(value) };
}

static void an_entry_asks_for_the_tags_in_its_names(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTOSTRV struct ofs_strv tags = { 0 };
        OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1024);
        struct ofs_annotation at[2];
        struct ofs_annotations a = { .at = at };
        struct ofs_err err = { 0 };
        char ref[] = REF_NAME, containerd[] = CONTAINERD;
        int r;

        add(at, &a.n, containerd, rows[i].containerd);
        add(at, &a.n, ref, rows[i].ref);
        r = ofs_entry_tags(&a, &tags, &err);
        for (size_t k = 0; k < tags.n; k++)
            (void)ofs_buf_addf(&b, "%s%s", k ? " " : "", tags.at[k]);
        if (r != rows[i].code || err.code != r ||
            strcmp(ofs_buf_str(&b), rows[i].tags) != 0)
            fail_msg("row %zu: %d '%s' %s", i, r, ofs_buf_str(&b), err.text);
        for (size_t k = 0; k < a.n; k++)
            free(at[k].value);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_entry_asks_for_the_tags_in_its_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
