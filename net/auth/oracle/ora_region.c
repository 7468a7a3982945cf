/* SPDX-License-Identifier: Apache-2.0 */
#include "ocirfs/ora_region.h"

#include "ocirfs/file.h"
#include "ocirfs/json.h"
#include "ocirfs/str.h"

#include <ctype.h>
#include <fcntl.h>

#include "ora_regions_table.h" /* made at build time */

#define DEFAULT_DOMAIN "oraclecloud.com" /* realm oc1, as the SDK assumes */

enum { CONFIG_MAX_BYTES = 1024 * 1024 };

static bool is_region(const struct ofs_ora_region *r, const char *name)
{
    return ofs_str_ieq(r->identifier, name) ||
           (r->key[0] && ofs_str_ieq(r->key, name));
}

static bool find_known(const char *name, struct ofs_ora_region *ret)
{
    for (size_t i = 0; i < OFS_COUNT_OF(known_regions); i++) {
        if (is_region(&known_regions[i], name)) {
            *ret = known_regions[i];
            return true;
        }
    }
    return false;
}

/* Letters, digits and '-'; dots only where a whole suffix may be given. */
static bool is_name(const char *name, const char *more)
{
    if (!isalnum((unsigned char)name[0]) || strlen(name) >= 64)
        return false;
    for (; *name; name++)
        if (!isalnum((unsigned char)*name) && !strchr(more, *name))
            return false;
    return true;
}

static void copy_lower(char *to, size_t room, const char *from)
{
    size_t i = 0;

    for (; from[i] && i + 1 < room; i++)
        to[i] = (char)tolower((unsigned char)from[i]);
    to[i] = '\0';
}

static const struct {
    const char *name;
    size_t offset, room;
} metadata_fields[] = {
    { "regionKey", offsetof(struct ofs_ora_region, key), 16 },
    { "regionIdentifier", offsetof(struct ofs_ora_region, identifier), 64 },
    { "realmDomainComponent", offsetof(struct ofs_ora_region, domain), 64 },
};

/* One object as the metadata service, the file and the variable write it. */
static bool decode_metadata(const json_t *obj, struct ofs_ora_region *ret)
{
    struct ofs_ora_region r = { 0 };

    for (size_t i = 0; i < OFS_COUNT_OF(metadata_fields); i++) {
        const char *text =
            json_string_value(json_object_get(obj, metadata_fields[i].name));

        if (!text || !is_name(text, "-."))
            return false;
        copy_lower((char *)&r + metadata_fields[i].offset,
                   metadata_fields[i].room, text);
    }
    *ret = r;
    return true;
}

static bool find_in_text(const char *text, size_t len, const char *name,
                         struct ofs_ora_region *ret)
{
    OFS_AUTOJSON json_t *doc = NULL;
    struct ofs_ora_region r;

    if (ofs_json_parse(text, len, &doc, NULL) < 0)
        return false;
    if (json_is_object(doc) && decode_metadata(doc, &r) &&
        is_region(&r, name)) {
        *ret = r;
        return true;
    }
    for (size_t i = 0; i < json_array_size(doc); i++) {
        if (decode_metadata(json_array_get(doc, i), &r) &&
            is_region(&r, name)) {
            *ret = r;
            return true;
        }
    }
    return false;
}

static bool find_configured(const char *name,
                            const struct ofs_ora_region_cfg *cfg,
                            struct ofs_ora_region *ret)
{
    OFS_AUTOBUF struct ofs_buf file = OFS_BUF_INIT(CONFIG_MAX_BYTES);

    if (cfg->metadata &&
        find_in_text(cfg->metadata, strlen(cfg->metadata), name, ret))
        return true;
    return cfg->config_file &&
           ofs_file_read(AT_FDCWD, cfg->config_file, &file) == 0 &&
           find_in_text(ofs_buf_str(&file), file.len, name, ret);
}

int ofs_ora_region_find(const char *name, const struct ofs_ora_region_cfg *cfg,
                        struct ofs_ora_region *ret, struct ofs_err *err)
{
    struct ofs_ora_region r = { 0 };

    if (find_known(name, ret) || (cfg && find_configured(name, cfg, ret)))
        return 0;
    if (!is_name(name, "-."))
        return ofs_err_set(err, -EINVAL, "'%.64s' is no region", name);
    copy_lower(r.identifier, sizeof(r.identifier), name);
    if (!strchr(name, '.'))
        copy_lower(r.domain, sizeof(r.domain),
                   cfg && cfg->default_realm ? cfg->default_realm
                                             : DEFAULT_DOMAIN);
    *ret = r;
    return 0;
}

/* The part of `source` between two fixed ends, or NULL. */
static char *between(const char *source, const char *prefix, const char *suffix)
{
    size_t len = strlen(source), before = strlen(prefix);

    if (!ofs_str_starts(source, prefix) || !ofs_str_ends(source, suffix) ||
        len <= before + strlen(suffix))
        return NULL;
    return strndup(source + before, len - before - strlen(suffix));
}

/* "ocir.<identifier>.oci.<domain>": the domain must be the region's own. */
static bool is_recommended_host(const char *source,
                                const struct ofs_ora_region_cfg *cfg,
                                struct ofs_ora_region *ret)
{
    const char *end = strstr(source, ".oci.");
    OFS_AUTOFREE char *name = end ? between(source, "ocir.", end) : NULL;
    struct ofs_ora_region r;

    if (!name || !is_name(name, "-") ||
        ofs_ora_region_find(name, cfg, &r, NULL) < 0)
        return false;
    if (strcmp(r.domain, end + strlen(".oci.")) != 0)
        return false;
    *ret = r;
    return true;
}

int ofs_ora_region_of_source(const char *source,
                             const struct ofs_ora_region_cfg *cfg,
                             struct ofs_ora_region *ret)
{
    OFS_AUTOFREE char *lower = strdup(source);
    OFS_AUTOFREE char *name = NULL;

    if (!lower)
        return -ENOMEM;
    copy_lower(lower, strlen(lower) + 1, source);
    name = between(lower, "", ".ocir.io");
    if (name)
        return find_known(name, ret) ? 0 : -ENOENT;
    if (is_recommended_host(lower, cfg, ret) || find_known(lower, ret) ||
        (cfg && find_configured(lower, cfg, ret)))
        return 0;
    return -ENOENT;
}

int ofs_ora_endpoint(const struct ofs_ora_region *region,
                     enum ofs_ora_service service, char **ret)
{
    static const struct {
        const char *name, *middle;
    } services[] = {
        [OFS_ORA_IDENTITY] = { "identity", "oci." },
        [OFS_ORA_ARTIFACTS] = { "artifacts", "oci." },
        [OFS_ORA_OBJECTSTORAGE] = { "objectstorage", "" },
        [OFS_ORA_AUTH] = { "auth", "" },
        [OFS_ORA_REGISTRY] = { "ocir", "oci." },
    };

    if (region->domain[0])
        *ret = ofs_strf("https://%s.%s.%s%s", services[service].name,
                        region->identifier, services[service].middle,
                        region->domain);
    else
        *ret = ofs_strf("https://%s.%s", services[service].name,
                        region->identifier);
    return *ret ? 0 : -ENOMEM;
}
