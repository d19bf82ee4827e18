/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/file_read.c - the floor under reading files: pread, from the
 * page cache, or from the disk by threads that each wait for their own.
 */

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"
#include "block_file.h"

enum { THREADS_MAX = 4 };

struct reader {
    int fd;
    unsigned seed;
    uint64_t reads;
    pthread_t thread;
    char *block; // aligned, as O_DIRECT wants it
};

static void *
reader_run(void *arg)
{
    struct reader *d = arg;

    for (uint64_t i = 0; i < d->reads; i++)
        bench_must(pread(d->fd, d->block, BLOCK, block_any(&d->seed)) == BLOCK,
                   "pread");
    return NULL;
}

static void
reader_init(struct reader *d, int fd, unsigned seed, uint64_t reads)
{
    *d = (struct reader){.fd = fd, .seed = seed, .reads = reads};
    d->block = block_new();
}

/* --- cases --- */

static void
hot(struct bench_run *r)
{
    uint64_t ops = bench_ops(r, HOT_READS);
    int fd = block_file_open(r, 0);
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
cold(struct bench_run *r, unsigned threads, uint64_t reads)
{
    uint64_t each = bench_ops(r, reads) / threads;
    struct reader readers[THREADS_MAX];
    int fd = block_file_open(r, O_DIRECT);

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
    cold(r, 1, COLD_READS);
}

static void
cold_4(struct bench_run *r)
{
    cold(r, 4, COLD_READS);
}

/* As many threads as libuv's pool has, and most others by default. */
static void
cold_32(struct bench_run *r)
{
    cold(r, THREADS_MAX, DEEP_READS);
}

static const struct bench_case cases[] = {
    {.name = "hot", .run = hot, .cold = 1},
    {.name = "cold, depth 1", .run = cold_1, .cold = 1},
    {.name = "cold, depth 4", .run = cold_4, .cold = 1},
    {.name = "cold, depth 32", .run = cold_32, .cold = 1},
    {0},
};

static const struct bench_workload file_read_workload = {
    .name = "file_read",
    .subject = "raw pread",
    .measures = "reading 4 KiB of a file",
    .how = "pread of blocks anywhere in a file of 64 MiB: hot from the page "
           "cache; cold with O_DIRECT, by 1 thread or by 4; depth 32 is 4 "
           "threads, too",
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
