/* SPDX-License-Identifier: Apache-2.0 */
#include "token_answer.h"

#include "ora_jwt.h"

#include "ocirfs/clock.h"
#include "ocirfs/cred.h"
#include "ocirfs/json.h"

enum {
    DEFAULT_LIFE_S = 60, /* by the specification */
    LIFE_MAX_S = 30 * 24 * 3600,
    MARGIN_MIN_MS = 10 * 1000,
    WORD_MAX_BYTES = 40, /* a longer one may be a token */
};

void ofs_token_answer_done(struct ofs_token_answer *a)
{
    ofs_secret_done(&a->token);
    *a = (struct ofs_token_answer){ 0 };
}

/* Its text, or NULL when it is absent, empty or no string. */
static const char *get_text(const json_t *doc, const char *name)
{
    const char *text = json_string_value(json_object_get(doc, name));

    return text && *text ? text : NULL;
}

/* Some servers write it as a fraction, or as a string of digits. */
static int64_t get_seconds(const json_t *value)
{
    const char *text = json_string_value(value);
    double number = json_number_value(value);
    uint64_t digits = 0;

    if (text && ofs_str_u64(text, &digits) == 0)
        number = (double)digits;
    if (!(number >= 1))
        return 0;
    return number < LIFE_MAX_S ? (int64_t)number : LIFE_MAX_S;
}

static int decode(const json_t *doc, struct ofs_token_answer *ret,
                  struct ofs_err *err)
{
    const char *token = get_text(doc, "token");
    const char *issued = get_text(doc, "issued_at");

    if (!token)
        token = get_text(doc, "access_token");
    if (!token)
        return ofs_err_set(err, -EBADMSG, "no token in the answer");
    if (!ofs_cred_is_token(token, strlen(token)))
        return ofs_err_set(err, -EBADMSG,
                           "the token has characters that no token has");
    if (ofs_secret_set(&ret->token, token, strlen(token)) < 0)
        return ofs_err_nomem(err, "a token");
    ret->expires_in_s = get_seconds(json_object_get(doc, "expires_in"));
    ret->issued_known = issued && ofs_time_parse(issued, &ret->issued_s) == 0;
    return 0;
}

int ofs_token_answer_parse(const char *body, size_t len,
                           struct ofs_token_answer *ret, struct ofs_err *err)
{
    OFS_AUTOTOKENANSWER struct ofs_token_answer a = { 0 };
    OFS_AUTOJSON json_t *doc = NULL;
    int r = ofs_json_parse(body ? body : "", len, &doc, err);

    if (r == 0)
        r = decode(doc, &a, err);
    if (r < 0)
        return r;
    *ret = a;
    a = (struct ofs_token_answer){ 0 };
    return 0;
}

int64_t ofs_token_life_ms(const struct ofs_token_answer *a, const char *date)
{
    int64_t life_s = a->expires_in_s > 0 ? a->expires_in_s : DEFAULT_LIFE_S;
    int64_t date_s, age_s = 0;

    if (a->issued_known && date && ofs_time_parse(date, &date_s) == 0)
        age_s = date_s - a->issued_s;
    if (age_s > 0 && age_s < life_s)
        life_s -= age_s;
    return life_s * 1000;
}

int64_t ofs_token_use_ms(int64_t life_ms)
{
    int64_t margin_ms = life_ms / 10;

    if (margin_ms < MARGIN_MIN_MS)
        margin_ms = MARGIN_MIN_MS;
    if (margin_ms > life_ms / 2)
        margin_ms = life_ms / 2;
    return life_ms - margin_ms;
}

bool ofs_token_is_anonymous(const struct ofs_secret *token)
{
    struct ofs_ora_claims claims;

    return token->len > 0 &&
           ofs_ora_claims_parse(token->text, token->len, &claims) == 0 &&
           claims.anonymous;
}

/* {"errors":[{"message":..}]} of registries, "details" of docker's servers,
 * "error_description" of OAuth, "message" of many. */
static const char *find_words(const json_t *doc)
{
    static const char *const names[] = { "message", "details",
                                         "error_description", "error" };
    const json_t *first = json_array_get(json_object_get(doc, "errors"), 0);
    const char *text = get_text(first, "message");

    for (size_t i = 0; !text && i < OFS_COUNT_OF(names); i++)
        text = get_text(doc, names[i]);
    return text;
}

static bool is_harmless(const char *text, const struct ofs_secret *secret)
{
    size_t word = 0;

    for (const char *p = text; *p; p++) {
        word = *p == ' ' ? 0 : word + 1;
        if (word > WORD_MAX_BYTES)
            return false;
    }
    return !secret || secret->len == 0 || !strstr(text, secret->text);
}

void ofs_token_words(const char *body, size_t len,
                     const struct ofs_secret *secret, char *text, size_t size)
{
    OFS_AUTOJSON json_t *doc = NULL;
    const char *words = NULL;

    *text = '\0';
    if (len > 0 && ofs_json_parse(body, len, &doc, NULL) == 0)
        words = find_words(doc);
    if (words && is_harmless(words, secret))
        (void)snprintf(text, size, "%s", words);
}
