/* SPDX-License-Identifier: MIT */
/*
 * bench/file_read.c - reading blocks of a file, by fibers: what the way to the
 * reactor or the pool adds to pread(2), and where it is spared.
 */

#include "block_file.h"
#include "runtime.h"

enum { FIBERS_MAX = 32 };

struct reader {
    int fd;
    unsigned seed;
    uint64_t reads;
    char *block;
};

static int64_t
reader_run(void *arg)
{
    struct reader *d = arg;

    for (uint64_t i = 0; i < d->reads; i++)
        bench_must(pons_pread(d->fd, d->block, BLOCK, block_any(&d->seed)) ==
                       BLOCK,
                   "pread");
    return 0;
}

static void
read_blocks(struct bench_run *r, unsigned fibers, uint64_t reads, int flags)
{
    struct pons_task *tasks[FIBERS_MAX];
    struct reader readers[FIBERS_MAX];
    int fd = block_file_open(r, flags);
    struct pons_runtime *rt;

    if (fd < 0)
        return;
    rt = bench_runtime();
    bench_start(r);
    for (unsigned i = 0; i < fibers; i++) {
        readers[i] = (struct reader){fd, i + 1, reads / fibers, block_new()};
        bench_must(pons_spawn(rt, reader_run, &readers[i], &tasks[i]) == 0,
                   "spawn");
    }
    for (unsigned i = 0; i < fibers; i++)
        bench_must(pons_join(tasks[i], NULL) == 0, "join");
    bench_stop(r, reads / fibers * fibers);
    for (unsigned i = 0; i < fibers; i++)
        free(readers[i].block);
    pons_runtime_unref(rt);
    close(fd);
}

static void
hot(struct bench_run *r)
{
    read_blocks(r, 1, bench_ops(r, HOT_READS), 0);
}

static void
cold_1(struct bench_run *r)
{
    read_blocks(r, 1, bench_ops(r, COLD_READS), O_DIRECT);
}

static void
cold_4(struct bench_run *r)
{
    read_blocks(r, 4, bench_ops(r, COLD_READS), O_DIRECT);
}

static void
cold_32(struct bench_run *r)
{
    read_blocks(r, 32, bench_ops(r, COLD_READS), O_DIRECT);
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
    .subject = "pons",
    .measures = "reading 4 KiB of a file",
    .how = "pons_pread by fibers, of blocks anywhere in a file of 64 MiB: hot "
           "from the page cache; cold with O_DIRECT, by 1 fiber, 4 or 32",
    .silent = "what the disk's own cache keeps",
    .axes = BENCH_REACTOR | BENCH_POOL | BENCH_WORKERS,
    .cases = cases,
    .spread = 1,
};

int
main(int argc, char **argv)
{
    return bench_main(
        (const struct bench_workload *const[]){&file_read_workload, NULL}, argc,
        argv);
}
