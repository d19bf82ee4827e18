/* SPDX-License-Identifier: MIT */
#ifndef PONS_FILE_H
#define PONS_FILE_H

/*
 * pons/file.h - files and their names, without holding up others.
 *
 *     int fd = pons_openat(AT_FDCWD, "notes", O_RDONLY | O_CLOEXEC, 0);
 *
 *     if (fd < 0)
 *         return fd;
 *     n = pons_pread(fd, text, sizeof text, 0);
 *     (void)pons_close(fd);
 *
 * Each is the system call of its name, with its arguments and results, and has
 * two forms: pons_X() waits (P1), struct pons_X with pons_X_init() is a future.
 * pons/call.h says who does it, and what ownership, threads and failure are.
 *
 * Reading and writing is at an offset: several may be in course on one file. A
 * descriptor whose bytes come when they come is a stream (pons/stream.h).
 */

#include "call.h"

#ifdef __cplusplus
extern "C" {
#endif

struct iovec;
struct statx;

/* --- a descriptor --- */

/* O_... of open(2); the descriptor is the caller's. Opening a FIFO waits on a
 * thread of the pool for the other side, and then cannot be cancelled. */
PONS_CALL_FUTURE(pons_openat);
PONS_API void pons_openat_init(struct pons_openat *o, int folder,
                               const char *path, int flags, unsigned mode);
PONS_API PONS_MUST_USE int pons_openat(int folder, const char *path, int flags,
                                       unsigned mode);

/* Consumes `fd`, which no stream owns, whatever it returns, but for -EDEADLK.
 * Masked: it is never -ECANCELED, nor refused (P3). */
PONS_CALL_FUTURE(pons_close);
PONS_API void pons_close_init(struct pons_close *c, int fd);
PONS_API int pons_close(int fd);

/* --- its bytes --- */

PONS_CALL_FUTURE(pons_pread);
PONS_API void pons_pread_init(struct pons_pread *r, int fd, void *buffer,
                              size_t size, int64_t offset);
PONS_API PONS_MUST_USE int64_t pons_pread(int fd, void *buffer, size_t size,
                                          int64_t offset);

PONS_CALL_FUTURE(pons_pwrite);
PONS_API void pons_pwrite_init(struct pons_pwrite *w, int fd,
                               const void *buffer, size_t size, int64_t offset);
PONS_API PONS_MUST_USE int64_t pons_pwrite(int fd, const void *buffer,
                                           size_t size, int64_t offset);

/* `flags` are RWF_... of preadv2(2), but for RWF_NOWAIT: -EINVAL, as is a
 * negative offset. */
PONS_CALL_FUTURE(pons_preadv);
PONS_API void pons_preadv_init(struct pons_preadv *r, int fd,
                               const struct iovec *parts, unsigned count,
                               int64_t offset, int flags);
PONS_API PONS_MUST_USE int64_t pons_preadv(int fd, const struct iovec *parts,
                                           unsigned count, int64_t offset,
                                           int flags);

PONS_CALL_FUTURE(pons_pwritev);
PONS_API void pons_pwritev_init(struct pons_pwritev *w, int fd,
                                const struct iovec *parts, unsigned count,
                                int64_t offset, int flags);
PONS_API PONS_MUST_USE int64_t pons_pwritev(int fd, const struct iovec *parts,
                                            unsigned count, int64_t offset,
                                            int flags);

PONS_CALL_FUTURE(pons_fsync);
PONS_API void pons_fsync_init(struct pons_fsync *s, int fd);
PONS_API PONS_MUST_USE int pons_fsync(int fd);

PONS_CALL_FUTURE(pons_fdatasync);
PONS_API void pons_fdatasync_init(struct pons_fdatasync *s, int fd);
PONS_API PONS_MUST_USE int pons_fdatasync(int fd);

PONS_CALL_FUTURE(pons_fallocate);
PONS_API void pons_fallocate_init(struct pons_fallocate *a, int fd, int mode,
                                  int64_t offset, int64_t size);
PONS_API PONS_MUST_USE int pons_fallocate(int fd, int mode, int64_t offset,
                                          int64_t size);

PONS_CALL_FUTURE(pons_ftruncate);
PONS_API void pons_ftruncate_init(struct pons_ftruncate *t, int fd,
                                  int64_t size);
PONS_API PONS_MUST_USE int pons_ftruncate(int fd, int64_t size);

/*
 * Moves up to `size` bytes; one side is a pipe. An offset of -1 is where the
 * descriptor stands; the others are not moved on. Waits for bytes and room,
 * also where a descriptor is in non-blocking mode (SPLICE_F_NONBLOCK is
 * -EINVAL), on a thread of the pool if the reactor does not, and there it
 * cannot be cancelled.
 */
PONS_CALL_FUTURE(pons_splice);
PONS_API void pons_splice_init(struct pons_splice *s, int from,
                               int64_t from_offset, int to, int64_t to_offset,
                               size_t size, unsigned flags);
PONS_API PONS_MUST_USE int64_t pons_splice(int from, int64_t from_offset,
                                           int to, int64_t to_offset,
                                           size_t size, unsigned flags);

/* --- names --- */

PONS_CALL_FUTURE(pons_statx);
PONS_API void pons_statx_init(struct pons_statx *s, int folder,
                              const char *path, int flags, unsigned mask,
                              struct statx *out);
PONS_API PONS_MUST_USE int pons_statx(int folder, const char *path, int flags,
                                      unsigned mask, struct statx *out);

/* `flags` are RENAME_... of renameat2(2). */
PONS_CALL_FUTURE(pons_renameat);
PONS_API void pons_renameat_init(struct pons_renameat *r, int from_folder,
                                 const char *from, int to_folder,
                                 const char *to, unsigned flags);
PONS_API PONS_MUST_USE int pons_renameat(int from_folder, const char *from,
                                         int to_folder, const char *to,
                                         unsigned flags);

PONS_CALL_FUTURE(pons_unlinkat);
PONS_API void pons_unlinkat_init(struct pons_unlinkat *u, int folder,
                                 const char *path, int flags);
PONS_API PONS_MUST_USE int pons_unlinkat(int folder, const char *path,
                                         int flags);

PONS_CALL_FUTURE(pons_mkdirat);
PONS_API void pons_mkdirat_init(struct pons_mkdirat *m, int folder,
                                const char *path, unsigned mode);
PONS_API PONS_MUST_USE int pons_mkdirat(int folder, const char *path,
                                        unsigned mode);

PONS_CALL_FUTURE(pons_linkat);
PONS_API void pons_linkat_init(struct pons_linkat *l, int from_folder,
                               const char *from, int to_folder, const char *to,
                               int flags);
PONS_API PONS_MUST_USE int pons_linkat(int from_folder, const char *from,
                                       int to_folder, const char *to,
                                       int flags);

PONS_CALL_FUTURE(pons_symlinkat);
PONS_API void pons_symlinkat_init(struct pons_symlinkat *s, const char *target,
                                  int folder, const char *path);
PONS_API PONS_MUST_USE int pons_symlinkat(const char *target, int folder,
                                          const char *path);

#ifdef __cplusplus
}
#endif
#endif /* PONS_FILE_H */
