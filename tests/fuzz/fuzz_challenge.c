/* SPDX-License-Identifier: Apache-2.0 */
#include "challenge.h"

#include "ocirfs/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static int pick(const char *text, struct ofs_challenge *ret)
{
    OFS_AUTO(ofs_headers_done) struct ofs_headers h = { 0 };

    /* Each line of the input is a header field. */
    while (*text) {
        size_t len = strcspn(text, "\n");

        if (ofs_headers_add(&h, "WWW-Authenticate", 16, text, len) < 0)
            return -EFBIG;
        text += len + (text[len] == '\n');
    }
    return ofs_challenge_pick(&h, ret, NULL);
}

static void add_param(struct ofs_buf *b, const char *name, const char *value)
{
    if (!value)
        return;
    (void)ofs_buf_addf(b, "%s%s=\"", b->data[b->len - 1] == '"' ? "," : " ",
                       name);
    for (; *value; value++) {
        if (*value == '"' || *value == '\\')
            (void)ofs_buf_addc(b, '\\');
        (void)ofs_buf_addc(b, *value);
    }
    (void)ofs_buf_addc(b, '"');
}

static bool same(const char *a, const char *b)
{
    return a && b ? strcmp(a, b) == 0 : a == b;
}

/* What was understood, written down properly, is understood the same. */
static void check_round_trip(const struct ofs_challenge *c)
{
    OFS_AUTOCHALLENGE struct ofs_challenge again = { 0 };
    OFS_AUTOBUF struct ofs_buf b = OFS_BUF_INIT(1 << 20);

    (void)ofs_buf_adds(&b,
                       c->kind == OFS_CHALLENGE_BEARER ? "Bearer" : "Basic");
    add_param(&b, "realm", c->realm);
    add_param(&b, "service", c->service);
    add_param(&b, "scope", c->scope);
    if (b.failed || b.len > OFS_HEADERS_BYTES_MAX - 16)
        return;
    if (pick(ofs_buf_str(&b), &again) < 0 || again.kind != c->kind ||
        !same(again.realm, c->realm) || !same(again.service, c->service) ||
        !same(again.scope, c->scope))
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    OFS_AUTOFREE char *text = strndup((const char *)data, size);
    OFS_AUTOCHALLENGE struct ofs_challenge c = { 0 };
    int r;

    if (!text)
        return 0;
    r = pick(text, &c);
    if (r == -EPROTO || r == -EFBIG || r == -ENOMEM)
        return 0;
    if (r != 0 || c.kind == OFS_CHALLENGE_NONE)
        abort();
    if (c.kind == OFS_CHALLENGE_BEARER && (!c.realm || !*c.realm))
        abort();
    check_round_trip(&c);
    return 0;
}
