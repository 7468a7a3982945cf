/* SPDX-License-Identifier: Apache-2.0 */
#include "manage_ocir.h"

#include "card.h"
#include "made.h"
#include "names.h"
#include "scratch.h"
#include "tenancy.h"

/* The path that `name` below `dir` has as a repository, and its own name. */
struct target {
    char path[NAME_MAX + 1];
    const char *display; /* within path */
};

static int find_target(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_node *dir, const char *name,
                       struct target *ret, struct ofs_err *err)
{
    struct ofs_name parsed;
    int r = ofs_name_parse(name, &parsed);

    if (r < 0)
        return r;
    if (parsed.kind != OFS_NAME_PLAIN && parsed.kind != OFS_NAME_REPOSITORY)
        r = -ENOENT;
    else
        r = ofs_ns_join(t, call, dir->path, parsed.base, ret->path, err);
    if (r == -ENOENT)
        return ofs_err_set(err, -EINVAL,
                           "no repository can be called '%s': lower-case "
                           "letters, digits, and '.', '_', '-' between them",
                           name);
    if (r == 0)
        ret->display = strchr(ret->path, '/') + 1;
    return r;
}

/* The OCID of a directory's compartment: *ret (owned). */
static int find_compartment(struct ofs_tree *t, struct ofs_call *call,
                            uint64_t scope, char **ret, struct ofs_err *err)
{
    int r;

    *ret = ofs_tenancy_ocid(t, scope);
    if (*ret)
        return 0;
    /* With repos= nobody has asked for compartments yet. */
    r = ofs_tenancy_learn(t, call, err);
    if (r < 0)
        return r;
    *ret = ofs_tenancy_ocid(t, scope);
    return *ret ? 0 : ofs_err_set(err, -ENOENT, "the compartment is not there");
}

/* ---- mkdir ---- */

/* A name is unique in a tenancy, so it may be taken where nobody looks. */
static int tell_taken(struct ofs_tree *t, const struct target *to,
                      struct ofs_err *err)
{
    struct ofs_place place;
    OFS_AUTOFREE char *where = NULL;

    if (ofs_tenancy_place_of(t, to->path, &place))
        where = ofs_tenancy_ocid(t, place.scope);
    return ofs_err_set(
        err, -EEXIST, "repository '%s' exists already in this tenancy%s%s",
        to->display, where ? ", in compartment " : "", where ? where : "");
}

int ofs_ocir_mkdir(struct ofs_tree *t, struct ofs_call *call,
                   const struct ofs_node *dir, const char *name,
                   struct ofs_node_spec *ret, struct ofs_err *err)
{
    OFS_AUTOFREE char *compartment = NULL;
    struct target to;
    int r = find_target(t, call, dir, name, &to, err);

    if (r == 0)
        r = find_compartment(t, call, dir->scope, &compartment, err);
    if (r == 0)
        r = ofs_tenancy_create(t, call, compartment, to.display, err);
    if (r == -EEXIST)
        return tell_taken(t, &to, err);
    if (r < 0)
        return r;
    /* Its maker takes it for empty, as made.h says. */
    r = ofs_made_add(t, to.path, call->who);
    if (r < 0 && r != -EEXIST)
        return ofs_err_nomem(err, "a directory");
    ofs_spec_dir(ret, dir->scope, to.path);
    return 0;
}

/* ---- rmdir ---- */

/* What the card says of whether it may go. */
struct verdict {
    uint64_t n_images;
    char *id, *etag;
};

static void verdict_done(struct verdict *v)
{
    free(v->id);
    free(v->etag);
}

static void judge(const struct ofs_ora_repository *repo, void *arg)
{
    struct verdict *v = arg;

    v->n_images = repo->n_images;
    v->id = strdup(repo->id);
    v->etag = repo->etag ? strdup(repo->etag) : NULL;
}

static bool holds_scratch(struct ofs_tree *t, const struct ofs_node *dir,
                          const struct target *to)
{
    struct ofs_node_spec spec;

    ofs_spec_dir(&spec, dir->scope, to->path);
    return !ofs_scratch_is_empty(t, ofs_ino_of(&spec, 0));
}

static int check_alone(struct ofs_tree *t, struct ofs_call *call,
                       const struct ofs_node *dir, const struct target *to,
                       struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = ofs_ns_fresh(t, call, dir->scope, to->path, &ns, err);

    if (r < 0)
        return r;
    if (ns.flags & OFS_NS_PARENT)
        return ofs_err_set(err, -ENOTEMPTY, "other repositories lie below '%s'",
                           to->display);
    if (holds_scratch(t, dir, to) || ofs_waiting_any(t, to->path))
        return ofs_err_set(err, -ENOTEMPTY,
                           "what was written in '%s' is not pushed yet",
                           to->display);
    return ns.flags & OFS_NS_REPO
               ? 0
               : ofs_err_set(err, -ENOENT, "there is no repository '%s'",
                             to->display);
}

static int is_compartment(struct ofs_tree *t, const struct ofs_node *dir,
                          const char *name)
{
    struct ofs_name parsed;

    return !*dir->path && ofs_name_parse(name, &parsed) == 0 &&
           ofs_tenancy_child(t, dir->scope, parsed.base) != 0;
}

int ofs_ocir_rmdir(struct ofs_tree *t, struct ofs_call *call,
                   const struct ofs_node *dir, const char *name,
                   struct ofs_err *err)
{
    OFS_AUTO(verdict_done) struct verdict v = { 0 };
    struct target to;
    int r = find_target(t, call, dir, name, &to, err);

    if (r == 0)
        r = check_alone(t, call, dir, &to, err);
    if ((r == -ENOENT || r == -EINVAL) && is_compartment(t, dir, name))
        return ofs_err_set(err, -EPERM, "compartments are not deleted here");
    if (r == 0 && !t->allow_delete)
        return ofs_err_set(
            err, -EPERM,
            "repositories are taken away only with -o allow_delete");
    if (r == 0)
        r = ofs_card_ask(t, call, to.path, err);
    if (r < 0)
        return r;
    (void)ofs_card_look(t, to.path, judge, &v);
    if (!v.id)
        return ofs_err_nomem(err, "a repository");
    if (v.n_images > 0)
        return ofs_err_set(err, -ENOTEMPTY, "'%s' holds %llu images",
                           to.display, (unsigned long long)v.n_images);
    /* As it was when it was empty: not after a push of somebody else's. */
    r = ofs_tenancy_delete(t, call, to.path, v.id, v.etag, err);
    if (r == -ESTALE)
        return ofs_err_set(err, -ENOTEMPTY, "'%s' has changed meanwhile",
                           to.display);
    if (r == 0)
        ofs_made_forget(t, to.path);
    return r;
}

/* ---- mv ---- */

static int check_same_name(const struct target *from, const struct target *to,
                           struct ofs_err *err)
{
    if (strcmp(from->path, to->path) == 0)
        return 0;
    return ofs_err_set(err, -EINVAL,
                       "repository '%s' keeps its name: it can be moved to the "
                       "same place in another compartment, or copied",
                       from->display);
}

/* Display names of the repositories at and below a path in a compartment. */
static int find_all(struct ofs_tree *t, struct ofs_call *call, uint64_t scope,
                    const struct target *from, struct ofs_strv *ret,
                    struct ofs_err *err)
{
    struct ofs_ns ns;
    int r = ofs_ns_fresh(t, call, scope, from->path, &ns, err);

    if (r < 0)
        return r;
    if (ofs_tenancy_names(t, scope, from->path, ret) < 0)
        return ofs_err_nomem(err, "a directory");
    return ret->n > 0 ? 0
                      : ofs_err_set(err, -ENOENT, "there is no repository '%s'",
                                    from->display);
}

static int move_all(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_strv *paths, const char *compartment,
                    struct ofs_err *err)
{
    for (size_t i = 0; i < paths->n; i++) {
        int r = ofs_tenancy_move(t, call, paths->at[i], compartment, err);

        if (r < 0 && i > 0)
            return ofs_err_wrap(err, r, "some were moved, but not all");
        if (r < 0)
            return r;
    }
    return 0;
}

int ofs_ocir_move(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_node *dir, const char *name,
                  const struct ofs_node *to_dir, const char *to_name,
                  struct ofs_err *err)
{
    OFS_AUTOSTRV struct ofs_strv paths = { 0 };
    OFS_AUTOFREE char *compartment = NULL;
    struct target from, to;
    int r = find_target(t, call, dir, name, &from, err);

    if (r == 0)
        r = find_target(t, call, to_dir, to_name, &to, err);
    if (r == 0)
        r = check_same_name(&from, &to, err);
    if (r == 0)
        r = find_all(t, call, dir->scope, &from, &paths, err);
    if ((r == -ENOENT || r == -EINVAL) && is_compartment(t, dir, name))
        return ofs_err_set(err, -EPERM, "compartments are not moved here");
    if (r == 0)
        r = find_compartment(t, call, to_dir->scope, &compartment, err);
    return r < 0 ? r : move_all(t, call, &paths, compartment, err);
}

/* ---- tags ---- */

int ofs_ocir_untag(struct ofs_tree *t, struct ofs_call *call, const char *repo,
                   const char *tag, struct ofs_err *err)
{
    int r = ofs_tenancy_untag(t, call, repo, tag, err);

    if (r < 0 && ofs_card_is_immutable(t, repo) && err &&
        err->http_status / 100 == 4 && r != -ENOENT)
        return ofs_err_wrap(err, -EPERM, "the repository is immutable");
    return r;
}

int ofs_ocir_may_move(struct ofs_tree *t, struct ofs_call *call,
                      const char *repo, const char *tag,
                      const struct ofs_digest *old, struct ofs_err *err)
{
    if (!old)
        return 0;
    /* Who may push need not be allowed to ask; the registry tells then. */
    if (ofs_card_want(t, call, repo, NULL) == -EAGAIN)
        return -EAGAIN;
    if (!ofs_card_is_immutable(t, repo))
        return 0;
    return ofs_err_set(
        err, -EPERM, "'%s' is immutable: tag '%s' cannot be moved", repo, tag);
}
