/* SPDX-License-Identifier: Apache-2.0 */
#include "index_plan.h"

#include "ocirfs/mediatype.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/*
 * Indexes and plans as words with blanks between them: "1=a" is an entry called
 * 1 for digest a, "=a" one without a name, "now" what tags name: "1=a", and
 * "1=?" for one of which nothing more is known.
 */
static const struct {
    const char *now, *read, *written; /* read NULL: nothing was */
    const char *wishes, *left_out;
    int code;
} rows[] = {
    /* what is new */
    { "", NULL, "1=a", "1=a", "", 0 },
    { "", "", "1=a 2=b", "1=a 2=b", "", 0 },
    { "1=a", NULL, "1=b", "1=b", "", 0 },
    { "1=?", NULL, "1=a", "1=a", "", 0 },
    { "", NULL, "x/app:1=a x/app:1,x/app:2=b", "1=b 2=b", "", 0 },
    /* what is known */
    { "1=a 2=b", NULL, "1=a 2=b", "", "", 0 },
    { "1=a 2=b", "1=a 2=b", "1=a 2=b 3=c", "3=c", "", 0 },
    /* others have moved a tag meanwhile, or made one */
    { "1=b", "1=a", "1=a 2=c", "2=c", "", 0 },
    { "1=?", "1=a", "1=a 2=c", "2=c", "", 0 },
    { "1=b 2=c", "1=a", "1=a 3=d", "3=d", "", 0 },
    { "1=b", "1=a", "1=c", "1=c", "", 0 },
    { "1=b", "1=b", "1=a", "1=a", "", 0 },
    /* others have taken it away: to write it is to want it */
    { "", "1=a", "1=a", "1=a", "", 0 },
    /* several for a tag: the last, but never an old one */
    { "", NULL, "1=a 1=b", "1=b", "", 0 },
    { "1=a", "1=a", "1=a x/app:1=b", "1=b", "", 0 },
    { "1=a", "1=a", "x/app:1=b 1=a", "1=b", "", 0 },
    /* without a name */
    { "", NULL, "=a =b", "=a =b", "", 0 },
    { "", NULL, "=a =a", "=a", "", 0 },
    { "1=a", "1=a", "1=a =a =b", "=b", "", 0 },
    { "", "=a", "=a =b", "=a =b", "", 0 },
    { "", "=a", "=b", "=b", "a", 0 },
    { "", "=a =b", "1=a", "1=a", "b", 0 },
    { "1=a", "1=a", "", "", "", 0 },
    /* what cannot be */
    { "", NULL, "x/app=a 1=b", "1=b", "", -EINVAL },
    { "", NULL, "1+2=a =b", "=b", "", -EINVAL },
    { "", NULL, "1=layer 2=b", "2=b", "", -EINVAL },
    { "", NULL, "=config", "", "", -EINVAL },
};

static struct ofs_digest digest_of_word(const char *word)
{
    struct ofs_digest d;

    assert_int_equal(ofs_digest_of(OFS_SHA256, word, strlen(word), &d), 0);
    return d;
}

static const char *type_of(const char *what)
{
    if (strcmp(what, "layer") == 0)
        return "application/vnd.oci.image.layer.v1.tar+gzip";
    return strcmp(what, "config") == 0
               ? "application/vnd.oci.image.config.v1+json"
               : OFS_MT_OCI_MANIFEST;
}

/* The next "tag=what" of a list that is cut up; NULL: no more. */
static char *next_word(char **list, char **ret_what)
{
    char *word = strsep(list, " ");

    if (!word || !*word)
        return NULL;
    *ret_what = strrchr(word, '=') + 1;
    (*ret_what)[-1] = '\0';
    return word;
}

static void index_of(const char *text, struct ofs_manifest *ret)
{
    static char key[] = "org.opencontainers.image.ref.name";
    OFS_AUTOFREE char *copy = strdup(text);
    char *rest = copy, *tag, *what;

    *ret = (struct ofs_manifest){ .kind = OFS_MANIFEST_INDEX };
    ret->layers = calloc(8, sizeof(*ret->layers));
    while ((tag = next_word(&rest, &what))) {
        struct ofs_descriptor *d = &ret->layers[ret->n_layers++];

        d->media_type = strdup(type_of(what));
        d->digest = digest_of_word(what);
        if (!*tag)
            continue;
        d->annotations.at = calloc(1, sizeof(*d->annotations.at));
        d->annotations.at[0] =
            (struct ofs_annotation){ strdup(key), strdup(tag) };
        d->annotations.n = 1;
    }
}

static int now(void *arg, const char *tag, struct ofs_digest *ret)
{
    OFS_AUTOFREE char *copy = strdup(arg);
    char *rest = copy, *name, *what;

    while ((name = next_word(&rest, &what)))
        if (strcmp(name, tag) == 0) {
            *ret = digest_of_word(what);
            return strcmp(what, "?") == 0 ? -EAGAIN : 0;
        }
    return -ENOENT;
}

static char letter_of(const struct ofs_digest *d)
{
    for (char letter[] = "a"; letter[0] <= 'z'; letter[0]++) {
        struct ofs_digest its = digest_of_word(letter);

        if (ofs_digest_eq(&its, d))
            return letter[0];
    }
    return '?';
}

static void print(const struct ofs_index_plan *p, struct ofs_buf *wishes,
                  struct ofs_buf *left_out)
{
    for (size_t i = 0; i < p->n; i++)
        (void)ofs_buf_addf(wishes, "%s%s=%c", i ? " " : "",
                           p->at[i].tag ? p->at[i].tag : "",
                           letter_of(&p->at[i].d->digest));
    for (size_t i = 0; i < p->n_left_out; i++)
        (void)ofs_buf_addf(left_out, "%s%c", i ? " " : "",
                           letter_of(&p->left_out[i]->digest));
}

static void what_is_wanted_is_what_is_new(void **state)
{
    (void)state;
    for (size_t i = 0; i < OFS_COUNT_OF(rows); i++) {
        OFS_AUTO(ofs_index_plan_done) struct ofs_index_plan p = { 0 };
        OFS_AUTOMANIFEST struct ofs_manifest written = { 0 }, read = { 0 };
        OFS_AUTOBUF struct ofs_buf wishes = OFS_BUF_INIT(256);
        OFS_AUTOBUF struct ofs_buf left_out = OFS_BUF_INIT(256);
        OFS_AUTOFREE char *state_now = strdup(rows[i].now);
        struct ofs_index_ask ask = { .written = &written, .now = now };
        struct ofs_err err = { 0 };
        int r;

        ask.arg = state_now;
        index_of(rows[i].written, &written);
        if (rows[i].read) {
            index_of(rows[i].read, &read);
            ask.read = &read;
        }
        r = ofs_index_plan(&ask, &p, &err);
        print(&p, &wishes, &left_out);
        if (r != rows[i].code || r != err.code ||
            strcmp(ofs_buf_str(&wishes), rows[i].wishes) != 0 ||
            strcmp(ofs_buf_str(&left_out), rows[i].left_out) != 0)
            fail_msg("row %zu: %d '%s' without '%s' %s", i, r,
                     ofs_buf_str(&wishes), ofs_buf_str(&left_out), err.text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_wanted_is_what_is_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
