/* SPDX-License-Identifier: Apache-2.0 */
/* File names come from anybody who may look into the mount. */
#include "names.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct ofs_name *n)
{
    char text[NAME_MAX + 1];

    if (n->kind == OFS_NAME_DIGEST ? !n->digest.alg : n->digest.alg)
        abort();
    if (n->kind == OFS_NAME_PLAIN && strpbrk(n->base, "/@:\n "))
        abort();
    if (n->kind == OFS_NAME_REPOSITORY && ofs_path_join("", n->base, text) < 0)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *name = malloc(size + 1);
    struct ofs_name n;

    if (!name)
        return 0;
    memcpy(name, data, size);
    name[size] = '\0';
    if (ofs_name_parse(name, &n) == 0)
        check(&n);
    else if (strlen(name) <= NAME_MAX)
        abort();
    return 0;
}
