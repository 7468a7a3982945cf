/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_CLEANUP_H
#define OFS_CLEANUP_H

/*
 * Scope exit frees.  A guarded local is released on every way out of its
 * block; ofs_take() hands it on and leaves NULL behind, so error paths hold
 * no code.  Declare what is to be freed before the lock that guards it: scope
 * exit runs in reverse order.
 */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Run `fn(&var)` when `var` leaves its scope. */
#define OFS_AUTO(fn) __attribute__((cleanup(fn)))

/* The caller must look at the result. */
#define OFS_MUST_CHECK __attribute__((warn_unused_result))

#define OFS_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))

/* Hand the pointer in *pp to the caller and leave NULL behind. */
#define ofs_take(pp)                                                           \
    ({                                                                         \
        __typeof__(pp) take_pp_ = (pp);                                        \
        __typeof__(*take_pp_) take_v_ = *take_pp_;                             \
        *take_pp_ = NULL;                                                      \
        take_v_;                                                               \
    })

/* Make `fn##p`, the scope-exit form of a one-pointer destructor. */
#define OFS_DEFINE_AUTO(type, fn)                                              \
    static inline void fn##p(type **p)                                         \
    {                                                                          \
        fn(*p);                                                                \
    }

/*
 * Make `struct NAME`, which has a reference to `field`, one of those that
 * `among` keeps, and drops it at the end of OFS_HOLD()'s block; may be NULL.
 */
#define OFS_DEFINE_HOLD(name, among_type, type, field, drop)                   \
    struct name {                                                              \
        among_type *among;                                                     \
        type *field;                                                           \
    };                                                                         \
    static inline void name##_done(const struct name *held)                    \
    {                                                                          \
        drop(held->among, held->field);                                        \
    }
#define OFS_HOLD(kind, var, among, what)                                       \
    OFS_AUTO(kind##_done) struct kind var = { (among), (what) }

static inline void ofs_freep(void *pp)
{
    void *p;

    memcpy(&p, pp, sizeof(p));
    free(p);
}
#define OFS_AUTOFREE OFS_AUTO(ofs_freep)

static inline void ofs_closep(const int *fd)
{
    if (*fd >= 0)
        (void)close(*fd);
}
#define OFS_AUTOCLOSE OFS_AUTO(ofs_closep)

static inline int ofs_take_fd(int *fd)
{
    int taken = *fd;

    *fd = -1;
    return taken;
}

#define OFS_COUNT_OF(array) (sizeof(array) / sizeof((array)[0]))

#endif
