/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/clock.h"
#include "ocirfs/json.h"
#include "ocirfs/manifest.h"

/* The configuration of an image.  Source: OCI image-spec v1.1, config.md. */
struct raw {
    char *created;
};

static const struct ofs_json_field raw_fields[] = {
    { "created", OFS_JSON_STR, offsetof(struct raw, created), false },
    { 0 },
};

int ofs_config_created(const char *json, size_t len, int64_t *ret_s)
{
    OFS_AUTOJSON json_t *doc = NULL;
    struct raw raw = { 0 };
    OFS_AUTOFREE char *created = NULL;
    int64_t s;
    int r = ofs_json_parse(json, len, &doc, NULL);

    if (r == 0)
        r = ofs_json_decode(doc, raw_fields, &raw, NULL);
    created = raw.created;
    if (r < 0)
        return r;
    /* Go writes the year 1 for a time that was never set. */
    if (!created || ofs_time_parse(created, &s) < 0 || s < 0)
        return -ENOENT;
    *ret_s = s;
    return 0;
}
