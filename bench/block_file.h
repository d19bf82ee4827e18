/* SPDX-License-Identifier: MIT */
#ifndef BENCH_BLOCK_FILE_H
#define BENCH_BLOCK_FILE_H

/*
 * bench/block_file.h - a file of 64 MiB to read blocks of, for the workload and
 * its floor.
 */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

enum {
    BLOCK = 4096,
    BLOCKS = 16384, // 64 MiB
    CHUNK = 256,    // blocks of a write
    HOT_READS = 100000,
    COLD_READS = 4000,
    DEEP_READS = 40000,
    DEEP = 32, // in flight
};

/* Where some block is, and then some other. */
static inline off_t
block_any(unsigned *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return (off_t)(*seed >> 8) % BLOCKS * BLOCK;
}

/* Room for one, aligned as O_DIRECT wants it. */
static inline char *
block_new(void)
{
    char *block = aligned_alloc(BLOCK, BLOCK);

    bench_must(block != NULL, "memory");
    return block;
}

/* 0 or -errno. */
static inline int
block_file_fill(int fd)
{
    size_t size = (size_t)CHUNK * BLOCK;
    char *chunk = aligned_alloc(BLOCK, size);
    int err = 0;

    bench_must(chunk != NULL, "memory");
    memset(chunk, 'p', size);
    for (int i = 0; err == 0 && i < BLOCKS / CHUNK; i++) {
        ssize_t n = write(fd, chunk, size);

        if (n < 0)
            err = -errno;
        else if ((size_t)n < size)
            err = -ENOSPC; // the next one would say so
    }
    free(chunk);
    return err == 0 && fsync(fd) < 0 ? -errno : err;
}

static inline int
block_file_skip(struct bench_run *r, const char *what, const char *dir,
                int error)
{
    char reason[256];

    snprintf(reason, sizeof reason,
             "%s in %.100s: %s; TMPDIR names another "
             "directory",
             what, dir, strerror(error));
    bench_skip(r, reason);
    return -error;
}

/* A file without a name, filled and on the disk, opened with `flags`; -errno
 * when `r` is skipped, for there can be none. */
static inline int
block_file_open(struct bench_run *r, int flags)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    int fd, again, err;

    if (!dir || !*dir)
        dir = "/var/tmp";
    snprintf(path, sizeof path, "%s/pons-bench-XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return block_file_skip(r, "no file can be made", dir, errno);
    again = open(path, O_RDONLY | O_CLOEXEC | flags);
    err = errno;
    (void)unlink(path);
    if (again < 0) {
        close(fd);
        return block_file_skip(r,
                               flags & O_DIRECT ? "O_DIRECT is refused"
                                                : "a file cannot be opened",
                               dir, err);
    }
    err = block_file_fill(fd);
    close(fd);
    if (err == 0)
        return again;
    close(again);
    return block_file_skip(r, "a file of 64 MiB cannot be written", dir, -err);
}

#endif /* BENCH_BLOCK_FILE_H */
