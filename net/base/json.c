/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/json.h"

enum { MAX_DEPTH = 64 };

/* The index of the bracket that goes too deep; `len` when none does. */
static size_t too_deep_at(const char *text, size_t len)
{
    bool in_string = false;
    int depth = 0;

    for (size_t i = 0; i < len; i++) {
        char c = text[i];

        if (in_string && c == '\\')
            i++;
        else if (c == '"')
            in_string = !in_string;
        else if (!in_string && (c == '{' || c == '[') && ++depth > MAX_DEPTH)
            return i;
        else if (!in_string && (c == '}' || c == ']'))
            depth--;
    }
    return len;
}

/*
 * A name given twice is taken as its last value, as Go's decoder takes it: a
 * document that other clients accept is not refused here.  jansson's own words
 * quote the document, which may hold a token, so only the place is told.
 */
int ofs_json_parse(const char *text, size_t len, json_t **ret,
                   struct ofs_err *err)
{
    size_t deep = too_deep_at(text, len);
    json_error_t where;
    json_t *doc;

    if (deep < len)
        return ofs_err_set(err, -EBADMSG,
                           "JSON nested deeper than %d levels at byte %zu",
                           MAX_DEPTH, deep);
    doc = json_loadb(text, len, JSON_ALLOW_NUL, &where);
    if (doc) {
        *ret = doc;
        return 0;
    }
    if (json_error_code(&where) == json_error_out_of_memory)
        return ofs_err_nomem(err, "a JSON document");
    return ofs_err_set(err, -EBADMSG, "not JSON in line %d, column %d",
                       where.line, where.column);
}

/* A NUL would end the copy early and make two different texts the same. */
static int copy_string(const json_t *value, char **ret)
{
    const char *text = json_string_value(value);
    char *copy;

    if (!text || strlen(text) != json_string_length(value))
        return -EBADMSG;
    copy = strdup(text);
    if (!copy)
        return -ENOMEM;
    *ret = copy;
    return 0;
}

static int decode_u64(const json_t *value, uint64_t *ret)
{
    if (!json_is_integer(value) || json_integer_value(value) < 0)
        return -EBADMSG;
    *ret = (uint64_t)json_integer_value(value);
    return 0;
}

static int decode_bool(const json_t *value, bool *ret)
{
    if (!json_is_boolean(value))
        return -EBADMSG;
    *ret = json_is_true(value);
    return 0;
}

static int decode_strv(const json_t *value, struct ofs_strv *ret)
{
    if (!json_is_array(value))
        return -EBADMSG;
    for (size_t i = 0; i < json_array_size(value); i++) {
        char *copy;
        int r = copy_string(json_array_get(value, i), &copy);

        if (r == 0)
            r = ofs_strv_add_own(ret, copy);
        if (r < 0)
            return r;
    }
    return 0;
}

static int decode_obj(json_t *value, json_t **ret)
{
    if (!json_is_object(value) && !json_is_array(value))
        return -EBADMSG;
    *ret = value;
    return 0;
}

/* `member` points at a member of the type that its row names. */
static int decode_value(json_t *value, enum ofs_json_kind kind, void *member)
{
    switch (kind) {
    case OFS_JSON_STR:
        return copy_string(value, member);
    case OFS_JSON_U64:
        return decode_u64(value, member);
    case OFS_JSON_BOOL:
        return decode_bool(value, member);
    case OFS_JSON_STRV:
        return decode_strv(value, member);
    case OFS_JSON_OBJ:
        return decode_obj(value, member);
    }
    return -EBADMSG;
}

static int decode_field(const json_t *obj, const struct ofs_json_field *field,
                        void *out, struct ofs_err *err)
{
    static const char *const kinds[] = {
        [OFS_JSON_STR] = "a string",
        [OFS_JSON_U64] = "a whole number",
        [OFS_JSON_BOOL] = "true or false",
        [OFS_JSON_STRV] = "a list of strings",
        [OFS_JSON_OBJ] = "an object or a list",
    };
    json_t *value = json_object_get(obj, field->name);
    int r;

    if (!value || json_is_null(value)) {
        if (!field->required)
            return 0;
        return ofs_err_set(err, -EBADMSG, "'%s' is missing", field->name);
    }
    r = decode_value(value, field->kind, (char *)out + field->offset);
    if (r == -ENOMEM)
        return ofs_err_nomem(err, field->name);
    if (r < 0)
        return ofs_err_set(err, r, "'%s' is not %s", field->name,
                           kinds[field->kind]);
    return 0;
}

int ofs_json_decode(const json_t *obj, const struct ofs_json_field *fields,
                    void *out, struct ofs_err *err)
{
    if (!json_is_object(obj))
        return ofs_err_set(err, -EBADMSG, "not a JSON object");
    for (; fields->name; fields++) {
        int r = decode_field(obj, fields, out, err);

        if (r < 0)
            return r;
    }
    return 0;
}
