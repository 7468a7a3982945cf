/* SPDX-License-Identifier: Apache-2.0 */
#ifndef OFS_BLOBFILE_H
#define OFS_BLOBFILE_H

/*
 * The files of one blob on disk, and the rules by which processes share them:
 *
 *   blobs/sha256/3f/<hex>       the bytes, sparse
 *   blobs/sha256/3f/<hex>.map   a header and one mark for each chunk
 *   blobs/sha256/3f/<hex>.sums  (sums.h)
 *
 * Problem: any number of processes read and fill one blob, any of them is
 * killed at any moment, and the least used blob is removed meanwhile.  No
 * server process, no database, no wait for another process.
 *
 * 1. A mark is written after the bytes it vouches for.  The page cache keeps
 *    that order whatever is killed.  A power failure does not, so a map
 *    belongs to one boot of one kernel: with another boot id in its header
 *    all marks are doubted - proven again where sums are known, else dropped.
 *    One byte for each chunk, so that two processes never undo each other's.
 * 2. Who uses a blob holds flock(LOCK_SH) on its map.  Names are changed only
 *    by who holds LOCK_EX on the map that has the name; everybody looks, once
 *    the lock is theirs, whether their map still has it.
 * 3. Before its data loses its name a map is made empty, which no reader
 *    takes for a map.  Killed in between, the rest is waste, never wrong.
 * 4. A chunk is fetched under a write lock on its bytes of the data file
 *    (F_OFD_SETLK), and its mark is looked at once more under that lock.
 *    Hence a marked chunk is never written again, nobody reads what is just
 *    being written, and two processes do not fetch the same.  A mark is taken
 *    back (damage) only under LOCK_EX, when nobody else relies on it.
 * 5. Data that is whole and proven is made read-only, and what it looks like
 *    then - length, inode, times - is its seal, in the map.  Who finds it
 *    otherwise believes no mark before the chunk is proven again.
 *
 * All locks go with the process.  All are asked for, never waited for: who
 * is refused goes without the cache (-EBUSY).  All functions block on the
 * disk only, thread-safe unless they say so.
 */

#include "chunkmap.h"

#include <stdbool.h>

/* Where all blobs are. */
struct ofs_blobdir {
    int blobs_fd, quarantine_fd; /* directories */
    uint8_t boot_id[OFS_BOOT_ID_LEN];
};

struct ofs_blobfile {
    int map_fd, data_fd; /* -1: there is no file */
    int64_t touched_s;   /* the map's mtime as last seen or set */
    uint64_t size;       /* of the blob */
    uint64_t seal;       /* its seal holds: what it looks like; else 0 */
    bool read_only;      /* the data cannot be written through this */
};

#define OFS_BLOBFILE_NONE                                                      \
    {                                                                          \
        .map_fd = -1, .data_fd = -1                                            \
    }

enum { OFS_BLOBFILE_NAME_MAX = 192 };

/* "sha256/3f/<hex><suffix>", below the directory of blobs. */
void ofs_blobfile_name(const struct ofs_digest *digest, const char *suffix,
                       char name[OFS_BLOBFILE_NAME_MAX]);

enum {
    OFS_BLOBFILE_CREATE = 1 << 0, /* make it if it is not there */
    OFS_BLOBFILE_PROVEN = 1 << 1, /* sums are known: doubted marks are kept */
};

/*
 * Open and pin.  *ret_marks: one for each chunk, to be freed by the caller.
 * Unless OFS_BLOBFILE_PROVEN none of a former boot is among them; else those
 * are OFS_MARK_PLAIN.  Whether bytes were changed since a mark was made only
 * ret->seal tells.  -ENOENT: not there, and not to be made; -EBUSY: other
 * processes have it in a form we cannot use; else the disk's errno.
 */
int ofs_blobfile_open(const struct ofs_blobdir *dir,
                      const struct ofs_digest *digest, uint64_t size,
                      unsigned flags, struct ofs_blobfile *ret,
                      uint8_t **ret_marks) OFS_MUST_CHECK;
void ofs_blobfile_close(struct ofs_blobfile *f);
bool ofs_blobfile_is_open(const struct ofs_blobfile *f);

/* Marks of `n` chunks from `first` on; what cannot be read is ABSENT. */
void ofs_blobfile_marks(const struct ofs_blobfile *f, uint32_t first,
                        uint32_t n, uint8_t *ret);
/* Set the marks of `n` chunks from `first` on. */
int ofs_blobfile_mark(const struct ofs_blobfile *f, uint32_t first, uint32_t n,
                      enum ofs_mark mark) OFS_MUST_CHECK;
/* Take a mark back.  -EBUSY: another process may rely on it. */
int ofs_blobfile_unmark(const struct ofs_blobfile *f,
                        uint32_t chunk) OFS_MUST_CHECK;

/* The right to write these bytes.  -EAGAIN: another process has it. */
int ofs_blobfile_claim(const struct ofs_blobfile *f, uint64_t off,
                       uint64_t len) OFS_MUST_CHECK;
void ofs_blobfile_disclaim(const struct ofs_blobfile *f, uint64_t off,
                           uint64_t len);

/*
 * What the data looks like now, as one number that is another one when
 * somebody has changed the file; 0: it cannot be told.  A system call that
 * does not touch the disk.
 */
uint64_t ofs_blobfile_look(const struct ofs_blobfile *f);
/* The same, if the map has a seal and it holds; else 0. */
uint64_t ofs_blobfile_seal_look(const struct ofs_blobfile *f);
/* Whole and proven: seal it, and tell its look.  A seal that the disk does not
 * take holds for as long as this is open. */
uint64_t ofs_blobfile_seal(const struct ofs_blobfile *f);

/* Note that it is used now; at most once a minute. */
void ofs_blobfile_touch(struct ofs_blobfile *f);

/*
 * Remove data and map of a blob that nobody has open.  *ret_freed: bytes of
 * disk.  -EBUSY: in use; -ENOENT.
 */
int ofs_blobfile_remove(const struct ofs_blobdir *dir,
                        const struct ofs_digest *digest, uint64_t *ret_freed);

/*
 * The content is damaged: no later open may find it.  Moves the files into
 * the quarantine if nobody else has them open (*ret_moved).
 */
void ofs_blobfile_condemn(const struct ofs_blobdir *dir,
                          const struct ofs_digest *digest,
                          const struct ofs_blobfile *f, bool *ret_moved);

#endif
