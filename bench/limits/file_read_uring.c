/* SPDX-License-Identifier: MIT */
/*
 * bench/limits/file_read_uring.c - the floor under reading files through
 * io_uring: a registered file, registered blocks, and a system call for all
 * reads that may begin and at least one that has ended.
 */

#include <errno.h>
#include <liburing.h>
#include <string.h>

#include "block_file.h"

enum { FILE_INDEX = 0 };

struct reader {
    struct io_uring ring;
    struct iovec blocks[DEEP];
    unsigned seed;
    uint64_t to_begin, to_end;
};

/* --- the ring --- */

/* 0, or -1: `r` is skipped. */
static int
reader_open_ring(struct reader *d, struct bench_run *r)
{
    char reason[128];
    int err = io_uring_queue_init(DEEP, &d->ring,
                                  IORING_SETUP_SINGLE_ISSUER |
                                      IORING_SETUP_DEFER_TASKRUN);

    if (err == -EINVAL) // before Linux 6.1
        err = io_uring_queue_init(DEEP, &d->ring, 0);
    if (err == 0) {
        (void)io_uring_register_ring_fd(&d->ring); // a saving, no need
        return 0;
    }
    snprintf(reason, sizeof reason, "no io_uring here: %s", strerror(-err));
    bench_skip(r, reason);
    return -1;
}

static void
reader_register(struct reader *d, int fd)
{
    for (unsigned i = 0; i < DEEP; i++)
        d->blocks[i] = (struct iovec){block_new(), BLOCK};
    bench_must(io_uring_register_files(&d->ring, &fd, 1) == 0 &&
                   io_uring_register_buffers(&d->ring, d->blocks, DEEP) == 0,
               "registering with io_uring");
}

static void
reader_close(struct reader *d)
{
    io_uring_queue_exit(&d->ring);
    for (unsigned i = 0; i < DEEP; i++)
        free(d->blocks[i].iov_base);
}

/* --- reading --- */

static void
reader_begin(struct reader *d, unsigned block)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&d->ring);

    bench_must(sqe != NULL, "room in the submission queue");
    io_uring_prep_read_fixed(sqe, FILE_INDEX, d->blocks[block].iov_base, BLOCK,
                             (uint64_t)block_any(&d->seed), (int)block);
    sqe->flags |= IOSQE_FIXED_FILE;
    sqe->user_data = block;
    d->to_begin--;
}

static void
reader_turn(struct reader *d)
{
    struct io_uring_cqe *cqe;
    unsigned head, seen = 0;
    int n = io_uring_submit_and_wait(&d->ring, 1);

    bench_must(n >= 0 || n == -EINTR, "io_uring_submit_and_wait");
    io_uring_for_each_cqe(&d->ring, head, cqe)
    {
        bench_must(cqe->res == BLOCK, "a read");
        seen++;
        d->to_end--;
        if (d->to_begin)
            reader_begin(d, (unsigned)cqe->user_data);
    }
    io_uring_cq_advance(&d->ring, seen);
}

static void
read_blocks(struct bench_run *r, unsigned depth, uint64_t reads)
{
    struct reader d = {.seed = 1, .to_begin = reads, .to_end = reads};
    int fd = block_file_open(r, O_DIRECT);

    if (fd < 0)
        return;
    if (reader_open_ring(&d, r) < 0)
        goto close_fd;
    reader_register(&d, fd);
    bench_start(r);
    for (unsigned i = 0; i < depth && d.to_begin; i++)
        reader_begin(&d, i);
    while (d.to_end)
        reader_turn(&d);
    bench_stop(r, reads);
    reader_close(&d);
close_fd:
    close(fd);
}

/* --- cases --- */

static void
cold_1(struct bench_run *r)
{
    read_blocks(r, 1, bench_ops(r, COLD_READS));
}

static void
cold_4(struct bench_run *r)
{
    read_blocks(r, 4, bench_ops(r, COLD_READS));
}

static void
cold_32(struct bench_run *r)
{
    read_blocks(r, DEEP, bench_ops(r, DEEP_READS));
}

static const struct bench_case cases[] = {
    {.name = "cold, depth 1", .run = cold_1, .cold = 1},
    {.name = "cold, depth 4", .run = cold_4, .cold = 1},
    {.name = "cold, depth 32", .run = cold_32, .cold = 1},
    {0},
};

static const struct bench_workload file_read_workload = {
    .name = "file_read",
    .subject = "raw io_uring",
    .measures = "reading 4 KiB of a file",
    .how = "reads of a registered file into registered blocks, anywhere in a "
           "file of 64 MiB with O_DIRECT, 1, 4 or 32 in flight",
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
