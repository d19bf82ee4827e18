/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/file_read.c - the floor under reading files: pread, from the
 * page cache, or from the disk by threads that each wait for their own.
 */

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
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
    THREADS_MAX = 4,
};

struct reader {
    int fd;
    unsigned seed;
    uint64_t reads;
    pthread_t thread;
    char *block; // aligned, as O_DIRECT wants it
};

/* Some block, and then some other. */
static off_t
reader_offset(struct reader *d)
{
    d->seed = d->seed * 1664525u + 1013904223u;
    return (off_t)(d->seed >> 8) % BLOCKS * BLOCK;
}

static void *
reader_run(void *arg)
{
    struct reader *d = arg;

    for (uint64_t i = 0; i < d->reads; i++)
        bench_must(pread(d->fd, d->block, BLOCK, reader_offset(d)) == BLOCK,
                   "pread");
    return NULL;
}

static void
reader_init(struct reader *d, int fd, unsigned seed, uint64_t reads)
{
    *d = (struct reader){.fd = fd, .seed = seed, .reads = reads};
    d->block = aligned_alloc(BLOCK, BLOCK);
    bench_must(d->block != NULL, "memory");
}

/* --- the file --- */

/* 0 or -errno. */
static int
file_fill(int fd)
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

static int
file_skip(struct bench_run *r, const char *what, const char *dir, int error)
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
static int
file_open(struct bench_run *r, int flags)
{
    const char *dir = getenv("TMPDIR");
    char path[4096];
    int fd, again, err;

    if (!dir || !*dir)
        dir = "/var/tmp";
    snprintf(path, sizeof path, "%s/pons-bench-XXXXXX", dir);
    fd = mkostemp(path, O_CLOEXEC);
    if (fd < 0)
        return file_skip(r, "no file can be made", dir, errno);
    again = open(path, O_RDONLY | O_CLOEXEC | flags);
    err = errno;
    (void)unlink(path);
    if (again < 0) {
        close(fd);
        return file_skip(r,
                         flags & O_DIRECT ? "O_DIRECT is refused"
                                          : "a file cannot be opened",
                         dir, err);
    }
    err = file_fill(fd);
    close(fd);
    if (err == 0)
        return again;
    close(again);
    return file_skip(r, "a file of 64 MiB cannot be written", dir, -err);
}

/* --- cases --- */

static void
hot(struct bench_run *r)
{
    uint64_t ops = bench_ops(r, HOT_READS);
    int fd = file_open(r, 0);
    struct reader d;

    if (fd < 0)
        return;
    reader_init(&d, fd, 1, ops);
    bench_start(r);
    reader_run(&d);
    bench_stop(r, ops);
    free(d.block);
    close(fd);
}

static void
cold(struct bench_run *r, unsigned threads)
{
    uint64_t each = bench_ops(r, COLD_READS) / threads;
    struct reader readers[THREADS_MAX];
    int fd = file_open(r, O_DIRECT);

    if (fd < 0)
        return;
    for (unsigned i = 0; i < threads; i++)
        reader_init(&readers[i], fd, i + 1, each);
    bench_start(r);
    for (unsigned i = 0; i < threads; i++)
        bench_must(pthread_create(&readers[i].thread, NULL, reader_run,
                                  &readers[i]) == 0,
                   "a thread");
    for (unsigned i = 0; i < threads; i++)
        pthread_join(readers[i].thread, NULL);
    bench_stop(r, each * threads);
    for (unsigned i = 0; i < threads; i++)
        free(readers[i].block);
    close(fd);
}

static void
cold_1(struct bench_run *r)
{
    cold(r, 1);
}

static void
cold_4(struct bench_run *r)
{
    cold(r, 4);
}

static const struct bench_case cases[] = {
    {.name = "hot", .run = hot, .cold = 1},
    {.name = "cold, depth 1", .run = cold_1, .cold = 1},
    {.name = "cold, depth 4", .run = cold_4, .cold = 1},
    {0},
};

static const struct bench_workload file_read_workload = {
    .name = "file_read",
    .subject = "raw pread",
    .measures = "reading 4 KiB of a file",
    .how = "pread of blocks anywhere in a file of 64 MiB: hot from the page "
           "cache; cold with O_DIRECT, by 1 thread or by 4",
    .silent = "what the disk's own cache keeps",
    .cases = cases,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&file_read_workload, NULL}, argc,
        argv);
}
