/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/json.h"
#include "ocirfs/manifest.h"

struct header {
    char *version;
};

static void header_done(struct header *h)
{
    free(h->version);
}

int ofs_layout_header_check(const char *json, size_t len, struct ofs_err *err)
{
    static const struct ofs_json_field fields[] = {
        { "imageLayoutVersion", OFS_JSON_STR, offsetof(struct header, version),
          true },
        { 0 },
    };
    OFS_AUTO(header_done) struct header h = { 0 };
    OFS_AUTOJSON json_t *doc = NULL;
    int r;

    if (len > OFS_LAYOUT_HEADER_MAX_BYTES)
        return ofs_err_set(err, -EINVAL, "too long for an oci-layout file");
    r = ofs_json_parse(json, len, &doc, err);
    if (r == 0)
        r = ofs_json_decode(doc, fields, &h, err);
    if (r == -EBADMSG)
        return ofs_err_wrap(err, -EINVAL, "not an oci-layout file");
    if (r == 0 && !ofs_str_starts(h.version, "1."))
        return ofs_err_set(err, -EINVAL, "an image layout of version '%.32s'",
                           h.version);
    return r;
}
