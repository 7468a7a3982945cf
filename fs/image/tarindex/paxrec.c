/* SPDX-License-Identifier: Apache-2.0 */
#include "paxrec.h"

#include "xattrlist.h"

#include "ocirfs/base64.h"

enum {
    MAX_TEXT = 1 << 20,
    NANOS = 1000000000,
};

/* A key or a value; not terminated. */
struct slice {
    const char *at;
    size_t len;
};

struct parse {
    struct ofs_pax *pax;
    struct ofs_buf encoded;         /* LIBARCHIVE.xattr ones, decoded */
    uint64_t major, minor, pair_at; /* GNU.sparse.* */
    bool has_pair_at;
};

void ofs_pax_init(struct ofs_pax *p)
{
    *p = (struct ofs_pax){ 0 };
    ofs_buf_init(&p->path, MAX_TEXT);
    ofs_buf_init(&p->link, MAX_TEXT);
    ofs_buf_init(&p->xattrs, MAX_TEXT);
    ofs_buf_init(&p->extents, MAX_TEXT);
}

void ofs_pax_done(struct ofs_pax *p)
{
    ofs_buf_done(&p->path);
    ofs_buf_done(&p->link);
    ofs_buf_done(&p->xattrs);
    ofs_buf_done(&p->extents);
}

static int decimal(struct slice s, uint64_t *ret)
{
    uint64_t value = 0;

    if (s.len == 0)
        return -EBADMSG;
    for (size_t i = 0; i < s.len; i++) {
        if (s.at[i] < '0' || s.at[i] > '9' || value > INT64_MAX / 10 - 1)
            return -EBADMSG;
        value = value * 10 + (uint64_t)(s.at[i] - '0');
    }
    *ret = value;
    return 0;
}

static struct slice after(struct slice s, size_t n)
{
    return (struct slice){ s.at + n, s.len - n };
}

static int whole_number(struct slice s, int64_t *ret)
{
    bool negative = s.len > 0 && s.at[0] == '-';
    uint64_t value;

    if (decimal(after(s, negative), &value) < 0)
        return -EBADMSG;
    *ret = negative ? -(int64_t)value : (int64_t)value;
    return 0;
}

int ofs_pax_time(const char *text, size_t len, int64_t *ret_s, uint32_t *ret_ns)
{
    const char *dot = memchr(text, '.', len);
    struct slice whole = { text, dot ? (size_t)(dot - text) : len };
    bool negative = len > 0 && text[0] == '-';
    uint32_t ns = 0, unit = NANOS / 10;
    int64_t s = 0;

    if ((whole.len > negative || !dot) && whole_number(whole, &s) < 0)
        return -EBADMSG;
    for (const char *p = dot ? dot + 1 : text + len; p < text + len; p++) {
        if (*p < '0' || *p > '9')
            return -EBADMSG;
        ns += (uint32_t)(*p - '0') * unit;
        unit /= 10;
    }
    if (negative && ns > 0) {
        s--;
        ns = NANOS - ns;
    }
    *ret_s = s;
    *ret_ns = ns;
    return 0;
}

static bool is_key(struct slice key, const char *text)
{
    return key.len == strlen(text) && memcmp(key.at, text, key.len) == 0;
}

static bool has_prefix(struct slice s, const char *text)
{
    return s.len > strlen(text) && memcmp(s.at, text, strlen(text)) == 0;
}

/* Told to a kernel, not to us: they would act on what lies over the mount. */
static bool is_overlay(struct slice name)
{
    return has_prefix(name, "trusted.overlay.") ||
           has_prefix(name, "user.overlay.");
}

static int add_xattr(struct ofs_buf *list, struct slice name,
                     const struct slice *value)
{
    struct ofs_xattr x = { name.at, name.len, (const uint8_t *)value->at,
                           value->len },
                     old;

    if (name.len > OFS_XATTR_NAME_MAX || value->len > OFS_XATTR_VALUE_MAX ||
        memchr(name.at, '\0', name.len) || is_overlay(name))
        return 0;
    if (ofs_xattr_find((const uint8_t *)list->data, list->len, name.at,
                       name.len, &old))
        return 0;
    return ofs_xattr_add(list, &x);
}

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int unescape(struct slice s, struct ofs_buf *ret)
{
    for (size_t i = 0; i < s.len; i++) {
        int high = s.len - i > 2 ? hex(s.at[i + 1]) : -1;
        int low = s.len - i > 2 ? hex(s.at[i + 2]) : -1;

        if (s.at[i] != '%' || high < 0 || low < 0) {
            (void)ofs_buf_addc(ret, s.at[i]);
            continue;
        }
        (void)ofs_buf_addc(ret, (char)(high * 16 + low));
        i += 2;
    }
    return ret->failed;
}

/* Of both forms the first is what runtimes read. */
static int on_libarchive_xattr(struct parse *p, struct slice key,
                               struct slice value)
{
    OFS_AUTOBUF struct ofs_buf name = OFS_BUF_INIT(MAX_TEXT);
    OFS_AUTOBUF struct ofs_buf raw = OFS_BUF_INIT(MAX_TEXT);
    int r = unescape(key, &name);

    if (r == 0)
        r = ofs_base64_decode(&raw, value.at, value.len);
    if (r == -EBADMSG || (r == 0 && name.len == 0))
        return 0; /* an attribute less, as with bsdtar */
    if (r < 0)
        return r;
    return add_xattr(&p->encoded, (struct slice){ name.data, name.len },
                     &(struct slice){ raw.data, raw.len });
}

static int on_text(struct ofs_buf *b, struct slice value)
{
    if (memchr(value.at, '\0', value.len))
        return -EBADMSG;
    ofs_buf_reset(b);
    return ofs_buf_add(b, value.at, value.len);
}

static int add_extent(struct ofs_pax *pax, uint64_t off, uint64_t len)
{
    struct ofs_extent e = { off, len };

    pax->sparse = true;
    return ofs_buf_add(&pax->extents, &e, sizeof(e));
}

/* "off,len,off,len", as of version 0.1. */
static int on_sparse_map(struct ofs_pax *pax, struct slice value)
{
    uint64_t pair[2];
    size_t n = 0;
    int r = 0;

    pax->sparse = true;
    while (r == 0 && value.len > 0) {
        const char *comma = memchr(value.at, ',', value.len);
        struct slice one = { value.at,
                             comma ? (size_t)(comma - value.at) : value.len };

        r = decimal(one, &pair[n++ % 2]);
        if (r == 0 && n % 2 == 0)
            r = add_extent(pax, pair[0], pair[1]);
        value = after(value, one.len + (comma != NULL));
    }
    return r == 0 && n % 2 == 1 ? -EBADMSG : r;
}

/* Pairs of records, as of version 0.0. */
static int on_sparse_pair(struct parse *p, struct slice key, struct slice value)
{
    uint64_t number;
    int r = decimal(value, &number);

    if (r < 0)
        return r;
    if (is_key(key, "offset")) {
        p->pair_at = number;
        p->has_pair_at = true;
        return 0;
    }
    if (!p->has_pair_at)
        return -EBADMSG;
    p->has_pair_at = false;
    return add_extent(p->pax, p->pair_at, number);
}

static int on_sparse(struct parse *p, struct slice key, struct slice value)
{
    if (is_key(key, "offset") || is_key(key, "numbytes"))
        return on_sparse_pair(p, key, value);
    if (is_key(key, "map"))
        return on_sparse_map(p->pax, value);
    if (is_key(key, "size") || is_key(key, "realsize"))
        return decimal(value, &p->pax->real_size);
    if (is_key(key, "major"))
        return decimal(value, &p->major);
    if (is_key(key, "minor"))
        return decimal(value, &p->minor);
    return 0;
}

static int on_number(struct ofs_pax *pax, struct slice key, struct slice value)
{
    if (is_key(key, "size")) {
        pax->has_size = true;
        return decimal(value, &pax->size);
    }
    if (is_key(key, "uid")) {
        pax->has_uid = true;
        return whole_number(value, &pax->uid);
    }
    if (is_key(key, "gid")) {
        pax->has_gid = true;
        return whole_number(value, &pax->gid);
    }
    pax->has_mtime = true;
    return ofs_pax_time(value.at, value.len, &pax->mtime_s, &pax->mtime_ns);
}

static int on_record(struct parse *p, struct slice key, struct slice value)
{
    static const char schily[] = "SCHILY.xattr.", gnu[] = "GNU.sparse.";
    static const char libarchive[] = "LIBARCHIVE.xattr.";

    if (value.len == 0)
        return 0; /* as in the header */
    if (is_key(key, "path"))
        return on_text(&p->pax->path, value);
    if (is_key(key, "linkpath"))
        return on_text(&p->pax->link, value);
    if (is_key(key, "size") || is_key(key, "uid") || is_key(key, "gid") ||
        is_key(key, "mtime"))
        return on_number(p->pax, key, value);
    if (has_prefix(key, schily))
        return add_xattr(&p->pax->xattrs, after(key, sizeof(schily) - 1),
                         &value);
    if (has_prefix(key, libarchive))
        return on_libarchive_xattr(p, after(key, sizeof(libarchive) - 1),
                                   value);
    return has_prefix(key, gnu)
               ? on_sparse(p, after(key, sizeof(gnu) - 1), value)
               : 0;
}

/* Cut one record off *text. */
static int cut_record(struct slice *text, struct slice *ret_key,
                      struct slice *ret_value)
{
    const char *blank = memchr(text->at, ' ', text->len), *equals;
    size_t digits = blank ? (size_t)(blank - text->at) : 0;
    struct slice body;
    uint64_t len;

    if (!blank || decimal((struct slice){ text->at, digits }, &len) < 0 ||
        len > text->len || len < digits + 2 || text->at[len - 1] != '\n')
        return -EBADMSG;
    body = (struct slice){ blank + 1, (size_t)len - digits - 2 };
    equals = memchr(body.at, '=', body.len);
    if (!equals || equals == body.at)
        return -EBADMSG;
    *ret_key = (struct slice){ body.at, (size_t)(equals - body.at) };
    *ret_value = after(body, ret_key->len + 1);
    *text = after(*text, (size_t)len);
    return 0;
}

static int add_encoded(struct parse *p)
{
    const uint8_t *list = (const uint8_t *)p->encoded.data;
    struct ofs_xattr x;
    size_t at = 0;
    int r = 0;

    while (r == 0 && p->encoded.len > 0 &&
           ofs_xattr_next(list, p->encoded.len, &at, &x))
        r = add_xattr(&p->pax->xattrs, (struct slice){ x.name, x.name_len },
                      &(struct slice){ (const char *)x.value, x.value_len });
    return r;
}

int ofs_pax_parse(const char *data, size_t len, struct ofs_pax *ret)
{
    struct parse p = { .pax = ret, .encoded = OFS_BUF_INIT(MAX_TEXT) };
    struct slice text = { data, len }, key, value, name = { 0 };
    int r = 0;

    while (r == 0 && text.len > 0) {
        r = cut_record(&text, &key, &value);
        if (r == 0 && is_key(key, "GNU.sparse.name"))
            name = value; /* wins over "path", which is made up */
        else if (r == 0)
            r = on_record(&p, key, value);
    }
    if (r == 0 && name.len > 0)
        r = on_text(&ret->path, name);
    if (r == 0)
        r = add_encoded(&p);
    ofs_buf_done(&p.encoded);
    ret->map_in_data = p.major == 1 && p.minor == 0;
    ret->sparse |= ret->map_in_data;
    return r == -ENOMEM ? r : r < 0 ? -EBADMSG : 0;
}
