/* SPDX-License-Identifier: Apache-2.0 */
/* Writing files; tree_names.c has what changes names. */
#include "ocirfs/tree_write.h"

#include "ocirfs/clock.h"
#include "ocirfs/push.h"
#include "ocirfs/regsource.h"

#include "attrs.h"
#include "failures.h"
#include "flush.h"
#include "handle.h"
#include "view_local.h"

#include <sys/stat.h>

enum { COPY_BYTES = 1024 * 1024, COPY_MAX_BYTES = 64 * 1024 * 1024 };

/* ---- open ---- */

/* An empty file, not yet in the tree, of which push knows what it may be. */
static int draft_new(struct ofs_tree *t, const struct ofs_destination *m,
                     struct ofs_draft **ret, struct ofs_err *err)
{
    int r = ofs_draft_new(t->push, m->repo, ret, err);

    if (r < 0)
        return r;
    if (m->target.kind == OFS_TARGET_BLOB)
        ofs_draft_aim(*ret, &m->target.digest);
    else if (m->target.blob_likely)
        ofs_draft_aim(*ret, NULL);
    return 0;
}

/* A file of the scratch that `node` stands for, open for writing. */
static struct ofs_file *writer_new(struct ofs_tree *t, struct ofs_node *node,
                                   struct ofs_local *s, int who)
{
    struct ofs_file *f = ofs_file_new(t, node);

    if (!f)
        return NULL;
    f->scratch = ofs_local_ref(&t->overlay, s);
    f->writes = true;
    ofs_local_open(&t->overlay, s, who);
    return f;
}

/* Enter it into the inode table, and open it. */
static int enter_open(struct ofs_tree *t, struct ofs_local *s, int who,
                      struct ofs_created *ret, struct ofs_err *err)
{
    struct ofs_created made = { .how = { .direct = true } };
    struct ofs_found found;
    int r;

    ofs_local_found(s, &found);
    r = ofs_enter(t, &found, &made.entry);
    if (r < 0)
        return ofs_err_nomem(err, "a file");
    made.file =
        writer_new(t, ofs_nodes_use(&t->nodes, made.entry.attr.ino), s, who);
    if (!made.file) {
        ofs_tree_forget(t, made.entry.attr.ino, 1);
        return ofs_err_nomem(err, "a file");
    }
    *ret = made;
    return 0;
}

/* The scratch at that spot, made if need be; of what is to be pushed each
 * writer has his own. */
static int need_scratch(struct ofs_tree *t, const struct ofs_destination *m,
                        mode_t mode, struct ofs_local **ret,
                        struct ofs_err *err)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct ofs_local_spec spec = {
        .spot = m->spot,
        .repo = m->repo,
        .target = &m->target,
        .mode = mode & 0777,
    };
    int r;

    *ret = ofs_target_is_final(m->target.kind)
               ? NULL
               : ofs_local_at(&t->overlay, m->spot.dir, m->spot.name);
    if (*ret)
        return 0;
    r = draft_new(t, m, &d, err);
    if (r < 0)
        return r;
    spec.draft = ofs_take(&d);
    return ofs_local_add(&t->overlay, &spec, ret);
}

static int create(struct ofs_tree *t, const struct ofs_call *call,
                  const struct ofs_node *dir, const char *name, mode_t mode,
                  struct ofs_created *ret, struct ofs_err *err)
{
    struct ofs_local *s = NULL;
    struct ofs_destination m;
    int r;

    ofs_destination_of_file(t, dir, name, &m);
    if (m.target.kind == OFS_TARGET_NONE)
        return ofs_err_set(err, m.target.code, "'%s': %s", name, m.target.why);
    if (m.target.kind == OFS_TARGET_TAG && ofs_target_is_temporary(name, mode))
        m.target = (struct ofs_target){ .kind = OFS_TARGET_SCRATCH };
    r = need_scratch(t, &m, mode, &s, err);
    if (r < 0)
        return r;
    r = ofs_local_is_dir(s) ? ofs_err_set(err, -EISDIR, "a directory")
                            : enter_open(t, s, call->who, ret, err);
    ofs_local_put(&t->overlay, s);
    return r;
}

int ofs_tree_create(struct ofs_tree *t, struct ofs_call *call, uint64_t parent,
                    const char *name, mode_t mode, struct ofs_created *ret,
                    struct ofs_err *err)
{
    int r;
    OFS_NODE_HOLD(dir, t, ofs_dir_use(t, parent, &r));

    if (r == 0)
        r = ofs_need_writable(t, err);
    if (r == 0)
        r = create(t, call, dir.node, name, mode, ret, err);
    return ofs_told(r, err, name);
}

static int cut(struct ofs_tree *t, struct ofs_call *call, struct ofs_local *s,
               uint64_t size, struct ofs_err *err)
{
    struct ofs_draft *d = ofs_local_draft(s);
    int r = 0;

    if (ofs_draft_size(d) == size)
        return 0;
    r = ofs_draft_truncate(d, call, size, err);
    if (r == 0)
        ofs_local_changed(&t->overlay, s, ofs_wall_s());
    return r;
}

static int resize(struct ofs_tree *t, struct ofs_call *call,
                  struct ofs_local *s, uint64_t size, struct ofs_err *err)
{
    int r;

    if (ofs_local_is_dir(s))
        return ofs_err_set(err, -EISDIR, "a directory");
    r = ofs_local_begin_write(&t->overlay, call, s, err);
    if (r < 0)
        return r;
    r = cut(t, call, s, size, err);
    ofs_local_end_write(&t->overlay, s);
    return r;
}

static int open_draft(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_node *node, struct ofs_local *s, bool truncate,
                      struct ofs_file **ret, struct ofs_err *err)
{
    int r = truncate ? resize(t, call, s, 0, err) : 0;

    if (r < 0)
        return r;
    *ret = writer_new(t, ofs_nodes_use(&t->nodes, node->ino), s, call->who);
    return *ret ? 0 : ofs_err_nomem(err, "a file");
}

/* What a file of the registry is to push. */
static int clone_part(const struct ofs_file *from, struct ofs_call *call,
                      uint64_t off, uint64_t len, struct ofs_draft *to,
                      uint64_t to_off, struct ofs_err *err)
{
    const struct ofs_node *node = from->node;
    OFS_AUTO(ofs_source_unrefp)
    struct ofs_source *source =
        ofs_regsource_new(from->t->repos.registry, node->path, &node->digest,
                          node->size, from->t->repos.use_mirror);
    const struct ofs_clone of = {
        .repo = node->path,
        .digest = node->digest,
        .size = node->size,
        .manifest = node->manifest,
        .source = source,
    };

    if (!source)
        return ofs_err_nomem(err, "a copy");
    return ofs_draft_clone(to, call, &of, off, len, to_off, err);
}

/* Can the registry copy it by itself? */
static bool is_registry_blob(const struct ofs_file *f)
{
    return ofs_node_is_blob(f->node) && !f->scratch;
}

/* [off, off + len) lies within the source. */
static int copy_part(const struct ofs_file *from, struct ofs_call *call,
                     uint64_t off, uint64_t len, struct ofs_draft *to,
                     uint64_t to_off, struct ofs_err *err)
{
    if (len == 0)
        return 0;
    if (is_registry_blob(from))
        return clone_part(from, call, off, len, to, to_off, err);
    if (!from->bytes)
        return ofs_err_set(err, -EXDEV, "cannot be copied but by reading it");
    return ofs_draft_write(to, call, from->bytes->data + off, (size_t)len,
                           to_off, err);
}

/* Fill a new draft with what the node is. */
static int fill(struct ofs_tree *t, struct ofs_call *call,
                const struct ofs_node *node, struct ofs_draft *d,
                struct ofs_err *err)
{
    OFS_AUTO(ofs_file_closep)
    struct ofs_file *f = ofs_file_new(t, ofs_nodes_use(&t->nodes, node->ino));
    int r =
        f ? node->view->open(t, call, f, err) : ofs_err_nomem(err, "a copy");

    return r < 0 ? r : copy_part(f, call, 0, node->size, d, 0, err);
}

/*
 * A file of his own for who opens that name: empty, or a copy of what the
 * registry has.  It is promised to him, who is told to look the name up again
 * and finds it; nobody else does.
 */
static int make_own(struct ofs_tree *t, struct ofs_call *call,
                    const struct ofs_node *node,
                    const struct ofs_destination *m, bool truncate,
                    struct ofs_err *err)
{
    OFS_AUTO(ofs_draft_unrefp) struct ofs_draft *d = NULL;
    struct ofs_local *s = NULL;
    struct ofs_local_spec spec = {
        .spot = m->spot,
        .repo = m->repo,
        .target = &m->target,
        .mode = 0644,
        .promised = true,
        .promised_to = call->who,
        /* An editor makes sure that it writes what it has looked at. */
        .shown_ino = node->view->local ? 0 : node->ino,
    };
    int r;

    if (!truncate && !call->may_wait)
        return -EAGAIN;
    r = draft_new(t, m, &d, err);
    if (r == 0 && !truncate)
        r = fill(t, call, node, d, err);
    if (r < 0)
        return r;
    spec.draft = ofs_take(&d);
    r = ofs_local_add(&t->overlay, &spec, &s);
    ofs_local_put(&t->overlay, s);
    return r < 0 ? ofs_err_nomem(err, "a file") : 0;
}

/* What the node's name means to a writer. */
static int meaning_of(struct ofs_tree *t, const struct ofs_node *node,
                      bool truncate, struct ofs_destination *ret,
                      struct ofs_err *err)
{
    struct ofs_local_trace trace;

    if (!node->view->local)
        return ofs_destination_of_node(t, node, ret, err);
    /* Another writer's; what he has pushed meanwhile is not his file now. */
    if (!truncate || ofs_local_recall(&t->overlay, node->name, &trace) < 0)
        return ofs_err_set(err, -ESTALE, "the file has gone");
    *ret =
        (struct ofs_destination){ .spot = trace.spot, .target = trace.target };
    memcpy(ret->repo, trace.repo, sizeof(ret->repo));
    return 0;
}

static void meaning_of_scratch(struct ofs_tree *t, struct ofs_local *s,
                               struct ofs_destination *ret)
{
    struct ofs_local_now now;

    ofs_local_look(&t->overlay, s, &now);
    *ret = (struct ofs_destination){ .spot = now.spot, .target = now.target };
    memcpy(ret->repo, now.repo, sizeof(ret->repo));
}

/* What was promised to who asks; else promise it. */
static int open_own(struct ofs_tree *t, struct ofs_call *call,
                    struct ofs_node *node, const struct ofs_destination *m,
                    bool truncate, struct ofs_file **ret, struct ofs_err *err)
{
    OFS_LOCAL_HOLD(mine, &t->overlay,
                   ofs_local_promised(&t->overlay, &m->spot, call->who));
    int r;

    if (mine.s)
        return open_draft(t, call, node, mine.s, truncate, ret, err);
    r = make_own(t, call, node, m, truncate, err);
    return r < 0 ? r : -ESTALE;
}

static int open_write(struct ofs_tree *t, struct ofs_call *call,
                      struct ofs_node *node, bool truncate,
                      struct ofs_file **ret, struct ofs_err *err)
{
    OFS_LOCAL_HOLD(held, &t->overlay, ofs_local_of(t, node));
    struct ofs_destination m;
    int r = 0;

    if (held.s && (!truncate || !ofs_local_is_taken(&t->overlay, held.s)))
        return open_draft(t, call, node, held.s, truncate, ret, err);
    if (held.s)
        meaning_of_scratch(t, held.s, &m);
    else
        r = meaning_of(t, node, truncate, &m, err);
    return r < 0 ? r : open_own(t, call, node, &m, truncate, ret, err);
}

int ofs_tree_open_write(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                        bool truncate, struct ofs_file **ret,
                        struct ofs_open_how *ret_how, struct ofs_err *err)
{
    OFS_NODE_HOLD(held, t, ofs_nodes_use(&t->nodes, ino));
    int r = ofs_need_writable(t, err);

    if (r < 0)
        return r;
    if (!held.node)
        return ofs_told(-ESTALE, err, "open");
    if (S_ISDIR(held.node->view->type))
        return ofs_told(-EISDIR, err, "open");
    *ret_how = (struct ofs_open_how){ .direct = true };
    r = open_write(t, call, held.node, truncate, ret, err);
    return ofs_told(r, err, "open");
}

/* ---- writing ---- */

static int need_writer(const struct ofs_file *f, struct ofs_err *err)
{
    return f->writes ? 0
                     : ofs_err_set(err, -EBADF, "it is not open for writing");
}

/*
 * Whoever writes with a shell's redirection never sees how close() ends, so
 * what can be no tag is refused as soon as its beginning shows it.  A hole, or
 * zeroes that were made room for, tell nothing yet.
 */
static int check_head(const struct ofs_file *f, struct ofs_call *call,
                      const void *buf, size_t len, uint64_t off,
                      struct ofs_err *err)
{
    char head[OFS_PUSH_TAG_HEAD];
    struct ofs_local_now now;
    size_t n = 0;
    int r = 0;

    if (off >= sizeof(head) || len == 0)
        return 0;
    ofs_local_look(&f->t->overlay, f->scratch, &now);
    if (now.target.kind != OFS_TARGET_TAG)
        return 0;
    if (off > 0)
        r = ofs_draft_read(ofs_local_draft(f->scratch), call, head, off, 0, &n,
                           err);
    if (r < 0 || n < off)
        return r;
    if (len > sizeof(head) - n)
        len = sizeof(head) - n;
    memcpy(head + n, buf, len);
    r = head[0] ? ofs_push_tag_head(head, n + len, err) : 0;
    if (r < 0)
        ofs_failure_note(&f->t->failures, &now.spot, err);
    return r;
}

int ofs_file_pwrite(struct ofs_file *f, struct ofs_call *call, const void *buf,
                    size_t len, uint64_t off, struct ofs_err *err)
{
    int r = need_writer(f, err);

    if (r == 0)
        r = ofs_local_begin_write(&f->t->overlay, call, f->scratch, err);
    if (r < 0)
        return r;
    r = check_head(f, call, buf, len, off, err);
    if (r == 0)
        r = ofs_draft_write(ofs_local_draft(f->scratch), call, buf, len, off,
                            err);
    if (r == 0)
        ofs_local_changed(&f->t->overlay, f->scratch, ofs_wall_s());
    ofs_local_end_write(&f->t->overlay, f->scratch);
    return r;
}

int ofs_file_flush(struct ofs_file *f, struct ofs_call *call,
                   struct ofs_err *err)
{
    return f->writes ? ofs_flush(f->t, call, f->scratch, err) : 0;
}

int ofs_file_sync(struct ofs_file *f, struct ofs_call *call,
                  struct ofs_err *err)
{
    return f->writes ? ofs_commit_early(f->t, call, f->scratch, err) : 0;
}

uint64_t ofs_file_unpushed(struct ofs_file *f)
{
    struct ofs_local_now now;

    /* Under another's number it could be his file that is held. */
    if (!f->writes || strcmp(f->node->name, ofs_local_id(f->scratch)) != 0)
        return 0;
    ofs_local_look(&f->t->overlay, f->scratch, &now);
    if (now.n_writers != 1 || now.n_changes == 0 || now.settled || now.gone ||
        !ofs_target_is_final(now.target.kind))
        return 0;
    return now.shown_ino ? now.shown_ino : f->node->ino;
}

/* From one file that is being written to another. */
static int copy_draft(const struct ofs_range *from, const struct ofs_range *to,
                      uint64_t len, struct ofs_call *call, uint64_t *ret_n,
                      struct ofs_err *err)
{
    OFS_AUTOFREE char *buf = malloc(COPY_BYTES);
    size_t n = 1;
    int r = buf ? 0 : ofs_err_nomem(err, "a copy");

    for (*ret_n = 0; r == 0 && n > 0 && *ret_n < len; *ret_n += n) {
        uint64_t left = len - *ret_n;

        r = ofs_file_pread(from->file, call, buf,
                           left < COPY_BYTES ? (size_t)left : COPY_BYTES,
                           from->off + *ret_n, &n, err);
        if (r == 0 && n > 0)
            r = ofs_draft_write(ofs_local_draft(to->file->scratch), call, buf,
                                n, to->off + *ret_n, err);
        if (r == 0)
            r = ofs_call_check(call, err);
    }
    return r;
}

/* From what the registry has. */
static int copy_file(const struct ofs_range *from, const struct ofs_range *to,
                     uint64_t len, struct ofs_call *call, uint64_t *ret_n,
                     struct ofs_err *err)
{
    uint64_t size =
        from->file->bytes ? from->file->bytes->len : from->file->node->size;

    *ret_n = from->off >= size ? 0 : size - from->off;
    if (*ret_n > len)
        *ret_n = len;
    return copy_part(from->file, call, from->off, *ret_n,
                     ofs_local_draft(to->file->scratch), to->off, err);
}

int ofs_file_copy(const struct ofs_range *from, const struct ofs_range *to,
                  uint64_t len, struct ofs_call *call, uint64_t *ret_n,
                  struct ofs_err *err)
{
    struct ofs_file *f = to->file;
    int r = need_writer(f, err);

    if (r < 0)
        return r;
    if (!call->may_wait)
        return -EAGAIN;
    r = ofs_local_begin_write(&f->t->overlay, call, f->scratch, err);
    if (r < 0)
        return r;
    if (from->file->scratch)
        r = copy_draft(from, to, len < COPY_MAX_BYTES ? len : COPY_MAX_BYTES,
                       call, ret_n, err);
    else
        r = copy_file(from, to, len, call, ret_n, err);
    if (r == 0 && *ret_n > 0)
        ofs_local_changed(&f->t->overlay, f->scratch, ofs_wall_s());
    ofs_local_end_write(&f->t->overlay, f->scratch);
    return ofs_told(r, err, "copy");
}

/* ---- attributes ---- */

static int change(struct ofs_tree *t, struct ofs_call *call,
                  const struct ofs_node *node, const struct ofs_changes *c,
                  struct ofs_err *err)
{
    OFS_LOCAL_HOLD(held, &t->overlay, ofs_local_of(t, node));
    int r = 0;

    if (!held.s && c->size && *c->size != node->size)
        return ofs_err_set(err, -EPERM, "it can be written only when opened");
    if (!held.s)
        return 0;
    if (c->size)
        r = resize(t, call, held.s, *c->size, err);
    if (r == 0)
        ofs_local_set(&t->overlay, held.s, c->mode, c->mtime_s);
    return r;
}

int ofs_tree_setattr(struct ofs_tree *t, struct ofs_call *call, uint64_t ino,
                     const struct ofs_changes *changes, struct ofs_attr *ret,
                     struct ofs_err *err)
{
    OFS_NODE_HOLD(held, t, ofs_nodes_use(&t->nodes, ino));
    int r = held.node ? ofs_need_writable(t, err) : -ESTALE;

    if (r == 0)
        r = change(t, call, held.node, changes, err);
    if (r == 0)
        ofs_attr_of(t, held.node, ret);
    return ofs_told(r, err, "setattr");
}
